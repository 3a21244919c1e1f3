#include "hub/app/device_port.h"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "shared/sync/limits.h"

namespace duhui::hub {
namespace {

class DevicePort : public testing::Test {
 protected:
  net::ListenerOptions options_of(const HubSettings& settings) {
    return device_port_options(settings, pin_, posts_, {});
  }

  boost::asio::io_context loop_{1};
  const Digest pin_ = sha256("pin");
  net::PostDesk posts_{loop_.get_executor(), post_desk_options(HubSettings{}, pin_, {})};
};

TEST_F(DevicePort, HoldsNoMoreForAStrangerThanTheProtocolNeeds) {
  const auto options = options_of(HubSettings{});
  EXPECT_LE(options.http.body_bytes_max, 4u << 10);
  EXPECT_LE(options.http.head_bytes_max, 16u << 10);
  EXPECT_LE(options.http.body_timeout, seconds(10));
  EXPECT_LE(options.http.keep_alive, seconds(15));
}

TEST_F(DevicePort, LetsAFrameOfTheProtocolIn) {
  const auto options = options_of({.connections_max = 7});
  EXPECT_EQ(options.connections_max, 7u);
  EXPECT_EQ(options.stream.message_bytes_max, sync_limits::kFrameBytesMax);
  EXPECT_GT(options.stream.idle_timeout, sync_limits::kPingInterval);
}

TEST_F(DevicePort, AllowsMoreToNobodyWhoHasNoSession) {
  const auto options = options_of(HubSettings{});
  const net::HttpHeaders guess = {{"authorization", "Duhui-Session " + std::string(43, 'A')}};
  EXPECT_FALSE(options.allow({.method = "POST", .target = "/sync/v1"}));
  EXPECT_FALSE(options.allow({.method = "POST", .target = "/sync/v1", .headers = guess}));
}

TEST_F(DevicePort, BindsSessionsToItsKeyOnlyBehindATlsProxy) {
  EXPECT_TRUE(options_of(HubSettings{}).proxied_pin.is_zero());
  EXPECT_EQ(options_of({.behind_tls_proxy = true}).proxied_pin, pin_);
  EXPECT_EQ(post_desk_options({.behind_tls_proxy = true}, pin_, {}).proxied_pin, pin_);
}

}  // namespace
}  // namespace duhui::hub

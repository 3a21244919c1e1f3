#include "hub/app/device_port.h"

#include <gtest/gtest.h>

#include "shared/sync/limits.h"

namespace duhui::hub {
namespace {

TEST(DevicePort, HoldsNoMoreForAStrangerThanTheProtocolNeeds) {
  const auto options = device_port_options(HubSettings{}, {});
  EXPECT_LE(options.http.body_bytes_max, 4u << 10);
  EXPECT_LE(options.http.head_bytes_max, 16u << 10);
  EXPECT_LE(options.http.body_timeout, seconds(10));
  EXPECT_LE(options.http.keep_alive, seconds(15));
}

TEST(DevicePort, LetsAFrameOfTheProtocolIn) {
  const auto options = device_port_options({.connections_max = 7}, {});
  EXPECT_EQ(options.connections_max, 7u);
  EXPECT_EQ(options.stream.message_bytes_max, sync_limits::kFrameBytesMax);
  EXPECT_GT(options.stream.idle_timeout, sync_limits::kPingInterval);
}

}  // namespace
}  // namespace duhui::hub

#include "shared/web/page_port.h"

#include <gtest/gtest.h>

namespace duhui::web {
namespace {

net::HttpRequest question(const std::string& host) {
  return {.method = "GET", .target = "/", .headers = {{"host", host}}, .port = 7481};
}

TEST(PagePort, ServesLoopbackAndItsOwnAddress) {
  const auto options = page_port_options("127.0.0.5", {});
  for (const char* host : {"localhost:7481", "127.0.0.1:7481", "127.0.0.5:7481"}) {
    EXPECT_FALSE(options.guard(question(host))) << host;
  }
  const auto refusal = options.guard(question("hub.school:7481"));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->status, 421);
  EXPECT_EQ(refusal->content_type, "application/json");
}

TEST(PagePort, ServesTheLanUnderTheNamesOfTheSettingsOnly) {
  const auto options = lan_port_options({"hub.school"}, {});
  EXPECT_FALSE(options.guard(question("hub.school:7481")));
  EXPECT_TRUE(options.guard(question("localhost:7481")));
  EXPECT_TRUE(options.guard(question("192.168.1.7:7481")));
}

TEST(PagePort, HasALimitForEverything) {
  for (const auto& options : {command_port_options({}), page_port_options("127.0.0.1", {}),
                              lan_port_options({"hub.school"}, {})}) {
    EXPECT_TRUE(options.guard);
    EXPECT_FALSE(options.answer_headers.empty());
    EXPECT_LE(options.connections_max, 200u);
    EXPECT_LE(options.http.head_bytes_max, 16u << 10);
    EXPECT_LE(options.http.body_bytes_max, 8u << 20);
    EXPECT_LE(options.http.headers_max, 100u);
  }
  const auto lan = lan_port_options({"hub.school"}, {});
  EXPECT_LE(lan.connections_per_address_max, 16u);
  EXPECT_LE(lan.http.body_bytes_max, 1u << 20);
}

TEST(PagePort, TellsWherePagesAreAndHowToKnowThem) {
  const auto identity = net::make_tls_identity("x", {}, {"hub.school", "192.168.1.7"}).value();
  const auto told = lan_json({"hub.school", "192.168.1.7:443", "[fe80::1]"}, 7482, identity);
  const nlohmann::json pages = {"https://hub.school:7482", "https://192.168.1.7:443",
                                "https://[fe80::1]:7482"};
  EXPECT_EQ(told["pages"], pages);
  EXPECT_EQ(told["port"], 7482);
  EXPECT_EQ(told["fingerprint"].get<std::string>().size(), 32u * 3 - 1);
  const auto again = net::parse_tls_identity(identity.pem).value();
  EXPECT_EQ(again.fingerprint, identity.fingerprint);
}

TEST(PagePort, TellsWhoSends) {
  for (const auto& [endpoint, name] : std::vector<std::pair<std::string, std::string>>{
           {"192.0.2.7:5123", "192.0.2.7"},
           {"127.0.0.1:5123", ""},
           {"127.8.9.1:5123", ""},
           {"[::1]:5123", ""},
           {"[::ffff:192.0.2.7]:5123", "192.0.2.7"},
           {"[::ffff:127.0.0.1]:5123", ""},
           {"[2001:db8:0:1:2:3:4:5]:5123", "20010db800000001/64"},
           {"[2001:db8:0:1:ffff::]:1", "20010db800000001/64"},
           {"[fe80::1%2]:5123", "fe80000000000000/64"},
           {"", "?"},
           {"nonsense", "?"}}) {
    EXPECT_EQ(peer_name(endpoint), name) << endpoint;
  }
  net::HttpRequest request = question("localhost:7481");
  request.peer = "127.0.0.1:5123";
  EXPECT_TRUE(edge_request(request).local());
  request.secure = true;  // the port for others, whoever uses it
  EXPECT_FALSE(edge_request(request).local());
  request.secure = false;
  request.peer = "192.0.2.7:5123";
  EXPECT_FALSE(edge_request(request).local());
  request.peer.clear();
  EXPECT_FALSE(edge_request(request).local());
  request.from_owner = true;
  EXPECT_TRUE(edge_request(request).local());
}

TEST(PagePort, GivesTheHeadersOfAnAnswerOn) {
  const auto response = http_response({.status = 201, .body = {{"a", 1}}, .headers = {{"X", "y"}}});
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body, "{\"a\":1}");
  ASSERT_EQ(response.headers.size(), 1u);
  EXPECT_EQ(response.headers[0].second, "y");
}

}  // namespace
}  // namespace duhui::web

#include "shared/api/local_request.h"

#include <optional>

#include <gtest/gtest.h>

namespace duhui::api {
namespace {

std::optional<ErrorCode> refusal(const RequestHead& head) {
  const Status checked = check_local_request(head);
  if (checked) return std::nullopt;
  return checked.error().code;
}

TEST(LocalRequest, TakesJsonHoweverItIsWritten) {
  for (const char* type : {"application/json", "Application/JSON",
                           "application/json; charset=utf-8", "application/json ;charset=utf-8"}) {
    EXPECT_EQ(refusal({.method = "POST", .content_type = type}), std::nullopt) << type;
  }
}

TEST(LocalRequest, RefusesWhatAPageOfAnotherSiteCanSendUnasked) {
  for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded",
                           "multipart/form-data; boundary=application/json",
                           "text/plain; application/json", "application/jsonp", "application/"}) {
    for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "get"}) {
      EXPECT_EQ(refusal({.method = method, .content_type = type}), ErrorCode::invalid_input)
          << method << " " << type;
    }
  }
}

TEST(LocalRequest, AsksNoBodyOfAQuestion) {
  EXPECT_EQ(refusal({.method = "GET"}), std::nullopt);
  EXPECT_EQ(refusal({.method = "HEAD"}), std::nullopt);
}

TEST(LocalRequest, ServesPagesOfThisMachineOnly) {
  for (const char* origin : {"http://localhost:8470", "http://127.0.0.1:8470", "http://[::1]:8470",
                             "http://[::1]", "https://LocalHost"}) {
    EXPECT_EQ(refusal({.method = "GET", .origin = origin}), std::nullopt) << origin;
  }
  for (const char* origin :
       {"null", "https://evil.example", "http://localhost.evil.example", "http://127.0.0.1.example",
        "localhost", "http://", "file://", "http://[::1].example", "http://[::2]:80", "http://[::1",
        "http://evil.example:127.0.0.1"}) {
    EXPECT_EQ(refusal({.method = "GET", .origin = origin}), ErrorCode::refused) << origin;
  }
}

}  // namespace
}  // namespace duhui::api

#include "shared/net/http_head.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace duhui::net {
namespace {

using namespace std::string_literals;

/// 0: passes.
int status_of(const std::string& head, const HttpLimits& limits = {}) {
  const auto fault = check_head(head, limits);
  return fault ? fault->status : 0;
}

std::string with(const std::string& fields) {
  return "POST /x HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

TEST(HttpHead, PassesWhatBrowsersAndCommandsSend) {
  for (const std::string& head :
       {"GET / HTTP/1.1\r\n\r\n"s, "GET /a?b=c%20d HTTP/1.0\r\nHost: h\r\n\r\n"s,
        with("Content-Length: 12\r\nContent-Type: application/json\r\n"),
        with("Transfer-Encoding: chunked\r\n"), with("transfer-encoding: \t Chunked \r\n"),
        with("Cookie: a=\xe4\xb8\xad\r\n"), with("X-Empty:\r\nX-Tab:\ta\tb\r\n"),
        "M-SEARCH * HTTP/1.1\r\n\r\n"s}) {
    EXPECT_EQ(status_of(head), 0) << head;
  }
}

TEST(HttpHead, RefusesWhatTwoReadersCouldReadDifferently) {
  const std::vector<std::pair<std::string, int>> cases = {
      {with("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
      {with("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
      {with("Content-Length: 5, 5\r\n"), 400},
      {with("Content-Length: +5\r\n"), 400},
      {with("Content-Length: -5\r\n"), 400},
      {with("Content-Length: 0x5\r\n"), 400},
      {with("Content-Length: 5 5\r\n"), 400},
      {with("Content-Length:\r\n"), 400},
      {with("Content-Length: 99999999999999999999\r\n"), 400},
      {with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
      {with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
      {with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
      {with("Transfer-Encoding: gzip\r\n"), 501},
      {with("Transfer-Encoding: identity\r\n"), 501},
      {with("Transfer-Encoding: chunked, identity\r\n"), 501},
      {with("Transfer-Encoding: identity, chunked\r\n"), 501},
      {with("Transfer-Encoding: xchunked\r\n"), 501},
      {with("Transfer-Encoding: \"chunked\"\r\n"), 501},
      {with("Transfer-Encoding:\x0b chunked\r\n"), 400},
      {with("Transfer-Encoding : chunked\r\n"), 400},
      {with("Content-Length : 5\r\n"), 400},
      {with(" Content-Length: 5\r\n"), 400},
      {with("X-Folded: a\r\n b\r\n"), 400},
      {with("X-Folded: a\r\n\tb\r\n"), 400},
      {with("X-Bare: a\nContent-Length: 5\r\n"), 400},
      {with("X-Return: a\rContent-Length: 5\r\n"), 400},
      {with("X-Nul: a\0b\r\n"s), 400},
      {with("X\0: a\r\n"s), 400},
      {with("no colon\r\n"), 400},
      {with(": no name\r\n"), 400},
      {with("X(y): a\r\n"), 400},
      {with("X-\xc3\xa9: a\r\n"), 400},
      {with("X-Delete: \x7f\r\n"), 400},
      {"\r\nGET / HTTP/1.1\r\n\r\n", 400},
      {"GET /\r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\n\r\n", 400},
      {"GET / x HTTP/1.1\r\n\r\n", 400},
      {"GET /\t HTTP/1.1\r\n\r\n", 400},
      {" GET / HTTP/1.1\r\n\r\n", 400},
      {"G@T / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1 \r\n\r\n", 400},
      {"GET / HTTP/1.1\nHost: h\r\n\r\n", 400},
      {"GET /\xe4\xb8\xad HTTP/1.1\r\n\r\n", 400},
      {std::string(30, 'A') + " / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\n\r\n", 505},
      {"GET / HTTP/1.2\r\n\r\n", 505},
      {"GET / http/1.1\r\n\r\n", 400},
      {"PRI * HTTP/2.0\r\n\r\n", 505},
      {"GET / HTTP/0.9\r\n\r\n", 505}};
  for (const auto& [head, status] : cases) EXPECT_EQ(status_of(head), status) << head;
}

TEST(HttpHead, HasALimitForEverySizeAndNumber) {
  HttpLimits limits;
  limits.head_bytes_max = 1000;
  limits.target_bytes_max = 50;
  limits.headers_max = 5;
  EXPECT_EQ(status_of("GET /" + std::string(49, 'x') + " HTTP/1.1\r\n\r\n", limits), 0);
  EXPECT_EQ(status_of("GET /" + std::string(50, 'x') + " HTTP/1.1\r\n\r\n", limits), 414);
  const std::string start = "GET / HTTP/1.1\r\n";
  const auto fields = [](int count) {
    std::string all;
    for (int n = 0; n < count; ++n) all += "A: b\r\n";
    return all;
  };
  EXPECT_EQ(status_of(start + fields(5) + "\r\n", limits), 0);
  EXPECT_EQ(status_of(start + fields(6) + "\r\n", limits), 431);
  const std::size_t rest = 1000 - start.size() - 4;
  EXPECT_EQ(status_of(start + "A:" + std::string(rest - 2, 'x') + "\r\n\r\n", limits), 0);
  EXPECT_EQ(status_of(start + "A:" + std::string(rest - 1, 'x') + "\r\n\r\n", limits), 431);
}

TEST(HttpHead, SeesEarlyWhatNothingCanMend) {
  EXPECT_TRUE(check_begun_head("GET / HTTP/1.1\n"));
  EXPECT_TRUE(check_begun_head("\n"));
  EXPECT_TRUE(check_begun_head("GE\0"s));
  EXPECT_FALSE(check_begun_head("GET / HTTP/1.1\r"));
  EXPECT_FALSE(check_begun_head("GET / HTTP/1.1\r\nHos"));
}

TEST(HttpHead, EndsBehindTheFirstEmptyLine) {
  EXPECT_EQ(find_head_end("GET / HTTP/1.1\r\nA: b\r\n"), std::string_view::npos);
  EXPECT_EQ(find_head_end("G\r\n\r\nbody\r\n\r\n"), 5u);
}

}  // namespace
}  // namespace duhui::net

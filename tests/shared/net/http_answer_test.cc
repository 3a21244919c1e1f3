#include "shared/net/http_answer.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace duhui::net {
namespace {

struct Read {
  bool done = false;
  Status status = Done{};
  HttpResponse answer{};
  bool keeps_alive = false;
};

/// Whole, and once more byte by byte: what is read does not depend on how it comes.
Read read(const std::string& text, bool closes = false, bool without_body = false) {
  Read results[2];
  for (int i = 0; i < 2; ++i) {
    HttpAnswerReader reader(1000, without_body);
    Read& result = results[i];
    const std::size_t step = i == 0 ? text.size() : 1;
    for (std::size_t at = 0; at < text.size() && result.status; at += step) {
      result.status = reader.feed(std::string_view(text).substr(at, step));
    }
    if (closes && result.status) result.status = reader.end();
    result.done = reader.done();
    result.keeps_alive = reader.keeps_alive();
    if (result.done) result.answer = reader.take();
  }
  EXPECT_EQ(results[0].done, results[1].done) << text;
  EXPECT_EQ(results[0].answer.body, results[1].answer.body) << text;
  EXPECT_EQ(results[0].status.has_value(), results[1].status.has_value()) << text;
  return std::move(results[0]);
}

TEST(HttpAnswer, EndsWithItsLength) {
  const Read whole = read(
      "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: "
      "5\r\n\r\nhello");
  ASSERT_TRUE(whole.done);
  EXPECT_EQ(whole.answer.status, 200);
  EXPECT_EQ(whole.answer.body, "hello");
  EXPECT_EQ(whole.answer.content_type, "application/octet-stream");
  EXPECT_TRUE(whole.keeps_alive);
  EXPECT_FALSE(read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell").done);
  EXPECT_FALSE(read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", true).status);
}

TEST(HttpAnswer, ComesInChunks) {
  const Read whole = read(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n"
      "Trailer: t\r\n\r\n");
  ASSERT_TRUE(whole.done);
  EXPECT_EQ(whole.answer.body, "hello world");
  EXPECT_TRUE(whole.keeps_alive);
}

TEST(HttpAnswer, WithoutALengthGoesOnToTheEndOfTheConnection) {
  const Read whole = read("HTTP/1.0 200 OK\r\n\r\nhello", true);
  ASSERT_TRUE(whole.done);
  EXPECT_EQ(whole.answer.body, "hello");
  EXPECT_FALSE(whole.keeps_alive);
}

TEST(HttpAnswer, MayBeAnnouncedByAnInterimOne) {
  const Read whole =
      read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(whole.done);
  EXPECT_EQ(whole.answer.status, 204);
  EXPECT_FALSE(whole.keeps_alive);
}

TEST(HttpAnswer, OfAProxyThatConnectsIsItsHeadAlone) {
  EXPECT_TRUE(read("HTTP/1.1 200 Connection established\r\n\r\n", false, true).done);
  EXPECT_FALSE(read("HTTP/1.1 200 Connection established\r\n\r\n").done);
  const Read refused = read("HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno", false, true);
  ASSERT_TRUE(refused.done);
  EXPECT_EQ(refused.answer.body, "no");
}

TEST(HttpAnswer, WhatIsNoAnswerIsSaidToBeNone) {
  const std::vector<std::string> wrong = {
      "SSH-2.0-OpenSSH_9.2\r\n",
      "HTTP/1.1 abc\r\n\r\n",
      "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1 1\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
      "HTTP/1.1 200 OK\r\n\r\n" + std::string(1001, 'x'),
      "HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x'),
  };
  for (const std::string& text : wrong) EXPECT_FALSE(read(text).status) << text.substr(0, 80);
}

TEST(HttpAnswer, AsksToComeBackLater) {
  EXPECT_EQ(
      retry_after_of(read("HTTP/1.1 503 X\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n").answer),
      seconds(30));
  const std::string date =
      "HTTP/1.1 503 X\r\nRetry-After: Mon, 01 Jan 2026 00:00:00 GMT\r\n"
      "Content-Length: 0\r\n\r\n";
  EXPECT_EQ(retry_after_of(read(date).answer), Duration{});
}

}  // namespace
}  // namespace duhui::net

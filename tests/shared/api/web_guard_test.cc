#include "shared/api/web_guard.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace duhui::api {
namespace {

constexpr std::uint16_t kPort = 7481;

struct Request {
  std::string method = "GET";
  std::string target = "/api/v1/status";
  WebHeaders headers{{"host", "localhost:7481"}};
  bool secure = false;
};

std::vector<std::string> hosts() {
  std::vector<std::string> all = loopback_hosts();
  all.emplace_back("Hub.School");
  all.emplace_back("proxy.school:8443");
  return all;
}

/// 0: passes.
int status_of(const Request& request) {
  const auto refused = refuse_foreign({.method = request.method,
                                       .target = request.target,
                                       .headers = request.headers,
                                       .port = kPort,
                                       .secure = request.secure},
                                      hosts());
  if (!refused) return 0;
  EXPECT_TRUE(error_of(*refused).has_value());
  return refused->status;
}

Request question(WebHeaders more) {
  Request request;
  for (auto& header : more) request.headers.push_back(std::move(header));
  return request;
}

Request change(WebHeaders more, const std::string& type = "application/json") {
  Request request = question(std::move(more));
  request.method = "POST";
  if (!type.empty()) request.headers.emplace_back("content-type", type);
  return request;
}

// --- hosts ---

TEST(WebGuard, IsCalledByItsOwnNamesOnly) {
  for (const char* host :
       {"localhost:7481", "localhost", "LocalHost:7481", "127.0.0.1:7481", "127.0.0.1",
        "[::1]:7481", "[::1]", "hub.school:7481", "HUB.school", "proxy.school:8443"}) {
    EXPECT_EQ(status_of({.headers = {{"host", host}}}), 0) << host;
  }
  for (const char* host : {"evil.example",
                           "evil.example:7481",
                           "localhost.evil.example:7481",
                           "evil.localhost:7481",
                           "localhost:7482",
                           "localhost:80",
                           "127.0.0.1:1",
                           "127.0.0.2:7481",
                           "127.1:7481",
                           "0177.0.0.1:7481",
                           "0x7f.0.0.1:7481",
                           "0x7f000001:7481",
                           "2130706433:7481",
                           "0.0.0.0:7481",
                           "0:7481",
                           "[::]:7481",
                           "[0:0:0:0:0:0:0:1]:7481",
                           "[::ffff:127.0.0.1]:7481",
                           "[::1]:7482",
                           "[::2]",
                           "127.0.0.1.nip.io:7481",
                           "localhost.localdomain:7481",
                           "localtest.me",
                           "school",
                           "sub.hub.school",
                           "hub.school.evil.example",
                           "proxy.school",
                           "proxy.school:7481",
                           "192.168.0.1"}) {
    EXPECT_EQ(status_of({.headers = {{"host", host}}}), 421) << host;
  }
  for (const char* host : {"",
                           " ",
                           "localhost.",
                           "localhost.:7481",
                           ".localhost",
                           "local..host",
                           "localhost:",
                           "localhost:07481",
                           "localhost:7481:7481",
                           "localhost:99999",
                           "localhost:-1",
                           "localhost:7481 ",
                           "localhost:74 81",
                           " localhost",
                           "user@localhost:7481",
                           "user:password@localhost:7481",
                           "localhost@evil.example",
                           "localhost/",
                           "localhost/x",
                           "localhost?x",
                           "localhost#x",
                           "http://localhost:7481",
                           "localhost,evil.example",
                           "localhost, localhost",
                           "[::1%25lo]:7481",
                           "[::1%lo]",
                           "[fe80::1%eth0]:7481",
                           "[::1",
                           "::1",
                           "::1:7481",
                           "[]",
                           "[:]x",
                           "[::1]x",
                           "[::1]:",
                           "[v1.x]",
                           "loc%61lhost",
                           "%6cocalhost",
                           "localhost%00",
                           "localhost\t",
                           "l\xc3\xb6"
                           "calhost",
                           "localhost\\",
                           "local_host",
                           "127.0.0.1:+7481",
                           "*",
                           "localhost;x"}) {
    EXPECT_EQ(status_of({.headers = {{"host", host}}}), 400) << host;
  }
}

TEST(WebGuard, WantsOneHost) {
  EXPECT_EQ(status_of({.headers = {}}), 400);
  EXPECT_EQ(status_of({.headers = {{"host", "localhost"}, {"host", "localhost"}}}), 400);
  EXPECT_EQ(status_of({.headers = {{"host", "localhost"}, {"host", "evil.example"}}}), 400);
  EXPECT_EQ(status_of({.headers = {{"x-forwarded-host", "localhost"}}}), 400);
}

TEST(WebGuard, SaysWhichNamesASettingMayHold) {
  for (const char* name : {"hub.school", "hub.school:7482", "192.168.1.7", "[fe80::1]:80"}) {
    EXPECT_TRUE(check_host_name(name)) << name;
  }
  for (const char* name :
       {"", "*", "*.school", "https://hub.school", "hub.school/", "hub.school."}) {
    EXPECT_FALSE(check_host_name(name)) << name;
  }
}

// --- pages ---

TEST(WebGuard, ServesItsOwnPagesOnly) {
  for (const char* origin : {"http://localhost:7481", "http://LOCALHOST:7481"}) {
    EXPECT_EQ(status_of(change({{"origin", origin}})), 0) << origin;
    EXPECT_EQ(status_of(question({{"origin", origin}})), 0) << origin;
  }
  for (const char* origin : {"null",
                             "",
                             "https://evil.example",
                             "http://evil.example:7481",
                             "http://localhost",
                             "http://localhost:80",
                             "http://localhost:7482",
                             "https://localhost:7481",
                             "http://127.0.0.1:7481",
                             "http://[::1]:7481",
                             "http://localhost.evil.example:7481",
                             "http://localhost:7481.evil.example",
                             "http://localhost:7481@evil.example",
                             "http://user@localhost:7481",
                             "http://localhost:7481/",
                             "http://localhost:7481, null",
                             "localhost:7481",
                             "file://",
                             "http://",
                             "ws://localhost:7481",
                             "HTTP://localhost:7481",
                             "chrome-extension://abc",
                             "http://hub.school"}) {
    EXPECT_EQ(status_of(change({{"origin", origin}})), 403) << origin;
    EXPECT_EQ(status_of(question({{"origin", origin}})), 403) << origin;
  }
  EXPECT_EQ(status_of(change({{"origin", "http://localhost:7481"}, {"origin", "null"}})), 400);
}

TEST(WebGuard, ComparesOriginsWithTheSchemeOfTheConnection) {
  Request request = change({{"origin", "https://localhost:7481"}});
  request.secure = true;
  EXPECT_EQ(status_of(request), 0);
  request = change({{"origin", "http://localhost:7481"}});
  request.secure = true;
  EXPECT_EQ(status_of(request), 403);
}

TEST(WebGuard, BelievesTheBrowserAboutWhereARequestBegan) {
  for (const char* site : {"same-origin", "none"}) {
    EXPECT_EQ(status_of(question({{"sec-fetch-site", site}})), 0) << site;
    EXPECT_EQ(status_of(change({{"sec-fetch-site", site}})), 0) << site;
  }
  for (const char* site :
       {"cross-site", "same-site", "", "Same-Origin", "same-origin, none", "x"}) {
    EXPECT_EQ(status_of(question({{"sec-fetch-site", site}})), 403) << site;
    EXPECT_EQ(status_of(change({{"sec-fetch-site", site}})), 403) << site;
  }
  EXPECT_EQ(status_of(question({{"sec-fetch-site", "none"}, {"sec-fetch-site", "none"}})), 400);
  // A page of another port of this machine.
  EXPECT_EQ(
      status_of(change({{"origin", "http://localhost:7481"}, {"sec-fetch-site", "same-site"}})),
      403);
}

TEST(WebGuard, LetsNoConnectionBecomeAnythingElse) {
  EXPECT_EQ(status_of(question({{"upgrade", "websocket"}, {"connection", "upgrade"}})), 400);
  EXPECT_EQ(status_of(question({{"upgrade", "h2c"}})), 400);
  EXPECT_EQ(status_of(question({{"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="}})), 400);
  EXPECT_EQ(status_of(question({{"upgrade", "websocket"}, {"origin", "https://evil.example"}})),
            403);
}

// --- what is asked ---

TEST(WebGuard, KnowsSixMethodsAndNoOtherNamesForThem) {
  for (const char* method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}) {
    Request request = question({});
    request.method = method;
    if (request.method != "GET" && request.method != "HEAD") {
      request.headers.emplace_back("content-type", "application/json");
    }
    EXPECT_EQ(status_of(request), 0) << method;
  }
  for (const char* method : {"TRACE", "CONNECT", "OPTIONS", "get", "Post", "PROPFIND", "DEBUG", "",
                             "POST ", "M-SEARCH", "PURGE"}) {
    Request request = change({});
    request.method = method;
    EXPECT_EQ(status_of(request), 405) << method;
  }
  // A question stays one, whatever it would like to be taken for.
  for (const char* name : {"x-http-method-override", "x-http-method", "x-method-override"}) {
    EXPECT_EQ(status_of(question({{name, "POST"}})), 0) << name;
  }
}

TEST(WebGuard, TakesPlainPathsOnly) {
  for (const char* target :
       {"/", "/api/v1/status", "/api/v1/records?type=x&after=%2F%2e", "/api/v1/records/",
        "/api/v1/records/org%2Fzone%3A1/field?path=a/b", "/api/v1/records/%E4%B8%AD", "/a.b/..c",
        "/api/v1/records?q=../../etc", "/~x/a,b;c@d"}) {
    Request request;
    request.target = target;
    EXPECT_EQ(status_of(request), 0) << target;
  }
  for (const char* target : {"",
                             "*",
                             "api/v1/status",
                             "http://localhost:7481/api/v1/status",
                             "//api/v1/status",
                             "//evil.example/api/v1/status",
                             "/api//v1/status",
                             "/api/v1/../v1/status",
                             "/..",
                             "/.",
                             "/./api",
                             "/api/v1/.",
                             "/api/%2e%2e/status",
                             "/api/%2E./status",
                             "/%2e/",
                             "/api/v1/%252e%252e",
                             "/api/v1/a%00",
                             "/api/v1/a%0d%0aX:%20y",
                             "/api/v1/a%1f",
                             "/api/v1/a%7f",
                             "/api\\v1",
                             "/api/v1/%5c..%5c",
                             "/api/v1/%",
                             "/api/v1/%4",
                             "/api/v1/%zz",
                             "/api/v1/status#x",
                             "/api/v1/status?a=%",
                             "/api/v1/status?a=%zz",
                             "/api/v1/status?a=\x01",
                             "/api/v1/ status",
                             "/api/v1/\xe4\xb8\xad",
                             "localhost:7481",
                             "/?#",
                             "?x"}) {
    Request request;
    request.target = target;
    EXPECT_EQ(status_of(request), 400) << target;
  }
}

TEST(WebGuard, TakesJsonAndNothingElse) {
  for (const char* type :
       {"application/json", "Application/JSON", "application/json; charset=utf-8",
        "application/json;charset=UTF-8", "application/json ; charset=utf-8"}) {
    EXPECT_EQ(status_of(change({}, type)), 0) << type;
  }
  for (const char* type :
       {"", "text/plain", "application/x-www-form-urlencoded", "text/json",
        "multipart/form-data; boundary=application/json", "text/plain; application/json",
        "application/jsonp", "application/", "application/json, text/plain", "application/json;",
        "application/json; charset=gbk", "application/json; charset=utf-8; x=y",
        "application/json; boundary=x", "application/merge-patch+json",
        "application/json\ttext/plain"}) {
    for (const char* method : {"POST", "PUT", "DELETE", "PATCH"}) {
      Request request = change({}, type);
      request.method = method;
      EXPECT_EQ(status_of(request), 415) << method << " " << type;
    }
  }
  EXPECT_EQ(status_of(change({{"content-type", "application/json"}})), 415) << "twice";
  EXPECT_EQ(status_of(change({{"content-encoding", "gzip"}})), 415);
}

TEST(WebGuard, AsksTheLengthOfABodyAndGivesNoneToQuestions) {
  EXPECT_EQ(status_of(change({{"transfer-encoding", "chunked"}})), 411);
  EXPECT_EQ(status_of(question({{"transfer-encoding", "chunked"}})), 411);
  EXPECT_EQ(status_of(change({{"content-length", "5"}, {"content-length", "5"}})), 400);
  EXPECT_EQ(status_of(question({{"content-length", "0"}})), 0);
  EXPECT_EQ(status_of(question({{"content-length", "5"}})), 400);
}

// --- answers ---

TEST(WebGuard, NamesTheMethodsItKnowsToWhoUsesAnother) {
  const Request request;
  const auto refused = refuse_foreign(
      {.method = "TRACE", .target = request.target, .headers = request.headers, .port = kPort},
      hosts());
  ASSERT_TRUE(refused);
  ASSERT_EQ(refused->headers.size(), 1u);
  EXPECT_EQ(refused->headers[0].first, "Allow");
}

TEST(WebGuard, AllowsOtherSitesNothing) {
  for (const auto& [name, value] : web_answer_headers()) {
    EXPECT_FALSE(name.starts_with("Access-Control")) << name;
    EXPECT_EQ(value.find("unsafe"), std::string::npos) << value;
    EXPECT_EQ(value.find('*'), std::string::npos) << value;
  }
}

// --- tokens ---

const std::string kToken = "AAAAbbbbCCCC-___dddd0000111122223333444455556666";

TEST(WebGuard, FindsTheOneSessionCookie) {
  for (const std::string& cookie :
       {"duhui_session=" + kToken, "a=b; duhui_session=" + kToken,
        "duhui_session=" + kToken + "; c=d", "x={\"a\":1}; duhui_session=" + kToken,
        "xduhui_session=1; duhui_session=" + kToken, "Duhui_Session=1; duhui_session=" + kToken,
        "=; ; duhui_session=" + kToken + ";"}) {
    EXPECT_EQ(session_token({{"cookie", cookie}}), kToken) << cookie;
  }
}

TEST(WebGuard, TakesNoSessionThatIsNotPlain) {
  for (const std::string& cookie :
       {std::string(), std::string("duhui_session"), std::string("duhui_session="),
        "duhui_session=" + kToken + "; duhui_session=" + kToken,
        "duhui_session=; duhui_session=" + kToken, "duhui_session; duhui_session=" + kToken,
        "duhui_session=" + kToken + "; duhui_session =x", "duhui_session =" + kToken,
        "duhui_session= " + kToken, "duhui_session=\"" + kToken + "\"",
        "duhui_session=" + kToken + "=", "duhui_session=" + kToken + ",x",
        "duhui_session=%41" + kToken, "DUHUI_SESSION=" + kToken, "duhui_session=" + kToken + "\x01",
        std::string("duhui_session=short"), "duhui_session=" + std::string(200, 'a'),
        "duhui_session=" + kToken + " " + kToken}) {
    EXPECT_EQ(session_token({{"cookie", cookie}}), "") << cookie;
  }
  const std::string one = "duhui_session=" + kToken;
  EXPECT_EQ(session_token({{"cookie", one}, {"cookie", one}}), "");
  EXPECT_EQ(session_token({{"cookie", one}, {"cookie", "a=b"}}), "");
  EXPECT_EQ(session_token({}), "");
}

TEST(WebGuard, FindsTheOneCsrfToken) {
  EXPECT_EQ(csrf_token({{"x-duhui-csrf", kToken}}), kToken);
  EXPECT_EQ(csrf_token({{"x-duhui-csrf", kToken}, {"x-duhui-csrf", kToken}}), "");
  EXPECT_EQ(csrf_token({{"x-duhui-csrf", kToken + "!"}}), "");
  EXPECT_EQ(csrf_token({}), "");
}

}  // namespace
}  // namespace duhui::api

// Where somebody signs in from: through which port, from which address.

#include <gtest/gtest.h>

#include "people_records.h"
#include "shared/api/edge.h"
#include "shared/api/session_nouns.h"

namespace duhui::api {
namespace {

using Json = nlohmann::json;

constexpr const char* kWang = "u-sup-001";
constexpr const char* kWord = "dingxiang258";

struct Browser {
  bool tls = false;
  std::string peer{};
  std::string cookie{};
  std::string csrf{};
};

class SignInFromTest : public testing::Test {
 protected:
  explicit SignInFromTest(bool with_accounts = true) {
    if (with_accounts) people_.give_password(kWang, kWord);
    nouns_.add_to(router_);
    router_.add("GET", "/who", {Verb::read, Thing::records},
                [](const ApiRequest& request) -> Result<ApiResponse> {
                  return ApiResponse{200, {{"person", request.subject.person}}};
                });
  }

  ApiResponse ask(Browser& browser,
                  std::string_view method,
                  const std::string& path,
                  const Json& body = nullptr,
                  bool socket = false) {
    const std::string target = "/api/v1" + path;
    const std::string text = body.is_null() ? "" : body.dump();
    ApiResponse answer = settled(answer_at_edge(router_, desk_,
                                                {.method = method,
                                                 .target = target,
                                                 .body = text,
                                                 .session = browser.cookie,
                                                 .csrf = browser.csrf,
                                                 .control_socket = socket,
                                                 .tls = browser.tls,
                                                 .peer = browser.peer}));
    for (const auto& [name, value] : answer.headers) {
      if (name != "Set-Cookie") continue;
      const std::size_t from = value.find('=') + 1;
      browser.cookie = value.substr(from, value.find(';') - from);
    }
    if (answer.body.contains("csrf")) browser.csrf = answer.body["csrf"];
    return answer;
  }
  ApiResponse sign_in(Browser& browser, const std::string& who, const std::string& word) {
    return ask(browser, "POST", "/session", {{"user", who}, {"password", word}});
  }
  Browser signed_in() {
    Browser browser;
    EXPECT_EQ(sign_in(browser, kWang, kWord).status, 200);
    return browser;
  }
  static std::string detail_of(const ApiResponse& answer) {
    const auto error = error_of(answer);
    return error ? error->detail : "";
  }

  PeopleRecords people_;
  SeededRandom random_{5};
  MemoryText tries_;
  MemoryText provisional_;
  Router router_;
  SignInDesk desk_{SignInDesk::Parts{.source = people_.records,
                                     .random = random_,
                                     .tries = tries_,
                                     .provisional = &provisional_,
                                     .place = Subject::Place::agent,
                                     .clock = [] { return MonotonicTime{10'000'000}; }}};
  SessionNouns nouns_{desk_, "duhui-agent", "1.0"};
};

/// A device that has received nothing yet.
class NewDeviceTest : public SignInFromTest {
 protected:
  NewDeviceTest() : SignInFromTest(false) { people_.records.device_scopes = {kPlace}; }
  ApiResponse by_name(Browser& browser, const std::string& who, const std::string& word) {
    return ask(browser, "POST", "/session",
               {{"user", who}, {"password", word}, {"provisional", true}});
  }
};

TEST_F(SignInFromTest, OthersGuessingElsewhereKeepNobodyOutHere) {
  Browser stranger{.tls = true, .peer = "198.51.100.1"};
  for (int n = 0; n < 5; ++n) EXPECT_EQ(sign_in(stranger, kWang, "wrong-one").status, 401);
  EXPECT_EQ(sign_in(stranger, kWang, kWord).status, 429);
  Browser here;
  EXPECT_EQ(sign_in(here, kWang, kWord).status, 200);
  EXPECT_EQ(sign_in(stranger, kWang, kWord).status, 429);
}

TEST_F(SignInFromTest, UnlockingAndChangingThePasswordAreTriesAsWell) {
  Browser browser = signed_in();
  ask(browser, "POST", "/session/lock", Json::object());
  for (int n = 0; n < 5; ++n) {
    EXPECT_EQ(ask(browser, "POST", "/session/unlock", {{"password", "wrong-one"}}).status, 401);
  }
  EXPECT_EQ(ask(browser, "POST", "/session/unlock", {{"password", kWord}}).status, 429);
  Browser other;
  EXPECT_EQ(sign_in(other, kWang, kWord).status, 429);
}

TEST_F(SignInFromTest, AnotherPersonsIdAsALoginLetsNobodyIn) {
  people_.user("u-imitator", kWang, "responsible_supervisor", "zone-430202-1");
  people_.give_password("u-imitator", "yulan1470");
  Browser browser;
  for (const char* word : {kWord, "yulan1470"}) {
    EXPECT_EQ(sign_in(browser, kWang, word).status, 401);
  }
  EXPECT_EQ(sign_in(browser, "u-imitator", "yulan1470").status, 200);
  EXPECT_EQ(ask(browser, "GET", "/who").body["person"], "u-imitator");
  EXPECT_EQ(sign_in(browser, "sup.001", kWord).status, 200);
  // Who is in goes on by what they are, not by a name.
  ask(browser, "POST", "/session/lock", Json::object());
  EXPECT_EQ(ask(browser, "POST", "/session/unlock", {{"password", kWord}}).status, 200);
}

TEST_F(NewDeviceTest, SignsPeopleInByNameAtTheMachineItselfOnly) {
  Browser here;
  ASSERT_EQ(by_name(here, "u-sup-900", "yulan1470").status, 200);
  for (Browser far : {Browser{.tls = true}, Browser{.tls = true, .peer = "192.0.2.7"},
                      Browser{.peer = "192.0.2.7"}}) {
    EXPECT_EQ(ask(far, "GET", "/session").body["provisional"], false);
    for (const char* who : {"u-sup-900", "u-sup-901"}) {
      const ApiResponse answer = by_name(far, who, "yulan1470");
      EXPECT_EQ(answer.status, 403);
      EXPECT_TRUE(detail_of(answer).starts_with("not_here")) << detail_of(answer);
    }
    // Nor is a session from the machine worth anything there.
    far.cookie = here.cookie;
    far.csrf = here.csrf;
    EXPECT_EQ(ask(far, "GET", "/who").status, 401);
    EXPECT_EQ(ask(far, "POST", "/session/unlock", {{"password", "yulan1470"}}).status, 401);
  }
  EXPECT_EQ(ask(here, "GET", "/who").status, 200);
  Browser command;
  EXPECT_EQ(ask(command, "POST", "/session",
                {{"user", "u-sup-900"}, {"password", "yulan1470"}, {"provisional", true}}, true)
                .status,
            200);
}

}  // namespace
}  // namespace duhui::api

// The desk, its routes and the edge together, as a browser sees them.

#include <gtest/gtest.h>

#include "people_records.h"
#include "shared/api/edge.h"
#include "shared/api/session_nouns.h"
#include "tests/support/response_log.h"

namespace duhui::api {
namespace {

using Json = nlohmann::json;

constexpr const char* kWang = "u-sup-001";
constexpr const char* kWord = "dingxiang258";

/// What a browser keeps.
struct Browser {
  std::string cookie{};
  std::string csrf{};
};

class SessionTest : public testing::Test {
 protected:
  explicit SessionTest(bool with_accounts = true) {
    if (with_accounts) {
      people_.give_password(kWang, kWord);
      people_.give_password("u-con-001", "schoolpc1");
    }
    open();
  }

  void open(const SignInLimits& limits = {}) {
    router_ = std::make_unique<Router>();
    desk_ = std::make_unique<SignInDesk>(
        SignInDesk::Parts{.source = people_.records,
                          .random = random_,
                          .tries = tries_,
                          .provisional = &provisional_,
                          .place = Subject::Place::agent,
                          .clock = [this] { return now_; },
                          .told = [this](const SignInEvent& event) { events_.push_back(event); }},
        limits);
    nouns_ = std::make_unique<SessionNouns>(*desk_, "duhui-agent", "1.0");
    nouns_->add_to(*router_);
    router_->add("GET", "/who", {Verb::read, Thing::records}, who());
    router_->add("POST", "/who", {Verb::edit, Thing::records}, who());
    router_->add("POST", "/administrate", {Verb::manage, Thing::link}, who());
  }
  static ApiHandler who() {
    return [](const ApiRequest& request) -> Result<ApiResponse> {
      return ApiResponse{200,
                         {{"kind", static_cast<int>(request.subject.kind)},
                          {"person", request.subject.person},
                          {"sign_in", static_cast<int>(request.subject.sign_in)}}};
    };
  }

  ApiResponse ask(Browser& browser,
                  std::string_view method,
                  const std::string& path,
                  const Json& body = nullptr,
                  bool socket = false) {
    const std::string target = "/api/v1" + path;
    const std::string text = body.is_null() ? "" : body.dump();
    ApiResponse answer = settled(answer_at_edge(*router_, *desk_,
                                                {.method = method,
                                                 .target = target,
                                                 .body = text,
                                                 .session = browser.cookie,
                                                 .csrf = browser.csrf,
                                                 .control_socket = socket}));
    said_ += answer.body.dump();
    if (!path.starts_with("/who") && path != "/administrate") {
      log_response(method, target, answer.status, answer.body);
    }
    for (const auto& [name, value] : answer.headers) {
      if (name != "Set-Cookie") continue;
      const std::size_t from = value.find('=') + 1;
      EXPECT_EQ(value.substr(0, from), std::string(kSessionCookie) + "=");
      browser.cookie = value.substr(from, value.find(';') - from);
      EXPECT_NE(value.find("HttpOnly"), std::string::npos);
      EXPECT_NE(value.find("SameSite=Strict"), std::string::npos);
      EXPECT_NE(value.find("Path=/"), std::string::npos);
    }
    if (answer.body.is_object() && answer.body.contains("csrf")) {
      browser.csrf = answer.body["csrf"];
    }
    return answer;
  }
  ApiResponse sign_in(Browser& browser, const std::string& who, const std::string& word) {
    return ask(browser, "POST", "/session", {{"user", who}, {"password", word}});
  }
  Browser signed_in(const std::string& who = kWang, const std::string& word = kWord) {
    Browser browser;
    EXPECT_EQ(sign_in(browser, who, word).status, 200);
    return browser;
  }
  static std::string detail(const ApiResponse& answer) {
    const auto error = error_of(answer);
    return error ? error->detail : "";
  }

  PeopleRecords people_;
  SeededRandom random_{5};
  MemoryText tries_;
  MemoryText provisional_;
  MonotonicTime now_{10'000'000};
  std::unique_ptr<Router> router_;
  std::unique_ptr<SignInDesk> desk_;
  std::unique_ptr<SessionNouns> nouns_;
  std::vector<SignInEvent> events_;
  std::string said_;  // every body that was answered
};

TEST_F(SessionTest, NobodyIsAskedToSignIn) {
  Browser browser;
  EXPECT_EQ(ask(browser, "GET", "/who").status, 401);
  EXPECT_EQ(ask(browser, "POST", "/administrate", Json::object()).status, 401);
  EXPECT_EQ(ask(browser, "GET", "/health").body,
            (Json{{"program", "duhui-agent"}, {"version", "1.0"}}));
  EXPECT_EQ(ask(browser, "GET", "/session").body,
            (Json{{"person", nullptr}, {"provisional", false}}));
}

TEST_F(SessionTest, APersonSignsInAndIsKnown) {
  Browser browser;
  const ApiResponse answer = sign_in(browser, kWang, kWord);
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body["person"]["id"], kWang);
  EXPECT_EQ(answer.body["person"]["roles"], Json({"responsible_supervisor"}));
  EXPECT_EQ(answer.body["sign_in"], "at_device");
  EXPECT_EQ(answer.body["must_change"], false);
  EXPECT_EQ(answer.body["idle_s"], 900);
  EXPECT_EQ(browser.cookie.size(), 43u);  // 32 bytes
  const ApiResponse who = ask(browser, "GET", "/who");
  EXPECT_EQ(who.body["person"], kWang);
  EXPECT_EQ(who.body["sign_in"], static_cast<int>(sync::v1::SIGN_IN_AT_DEVICE));
  EXPECT_EQ(ask(browser, "POST", "/who", Json::object()).status, 200);
}

TEST_F(SessionTest, TheLoginServesAsWellAsTheId) {
  Browser browser;
  EXPECT_EQ(ask(browser, "POST", "/session", {{"login", "sup.001"}, {"password", kWord}}).status,
            200);
}

TEST_F(SessionTest, WrongPasswordsAndUnknownNamesSoundTheSame) {
  Browser browser;
  const ApiResponse wrong = sign_in(browser, kWang, "dingxiang259");
  const ApiResponse unknown = sign_in(browser, "u-sup-777", kWord);
  const ApiResponse without = sign_in(browser, "u-off-1", kWord);  // no account here
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(unknown.status, 401);
  EXPECT_EQ(wrong.body, unknown.body);
  EXPECT_EQ(wrong.body, without.body);
  EXPECT_TRUE(browser.cookie.empty());
  EXPECT_EQ(desk_->sessions(), 0u);
  ASSERT_EQ(events_.size(), 3u);
  EXPECT_EQ(events_[0].what, SignInEvent::What::wrong_password);
  EXPECT_EQ(events_[0].person, kWang);
  EXPECT_EQ(events_[1].person, "");
}

TEST_F(SessionTest, AnUnknownNameCostsTheSameWork) {
  auto trial = desk_->begin_sign_in("u-sup-777", kWord);
  ASSERT_TRUE(trial.has_value());
  EXPECT_EQ(trial->locked.cost, kPasswordCost);
}

TEST_F(SessionTest, AfterFiveWrongTriesEvenTheRightOneWaits) {
  Browser browser;
  for (int n = 0; n < 5; ++n) EXPECT_EQ(sign_in(browser, kWang, "wrong-one").status, 401);
  const ApiResponse throttled = sign_in(browser, kWang, kWord);
  EXPECT_EQ(throttled.status, 429);
  EXPECT_EQ(throttled.headers,
            (std::vector<std::pair<std::string, std::string>>{{"Retry-After", "30"}}));
  // Nor does a start of the program help.
  open();
  EXPECT_EQ(sign_in(browser, kWang, kWord).status, 429);
  // Nor setting the clock.
  people_.records.now.ms += 86'400'000;
  EXPECT_EQ(sign_in(browser, kWang, kWord).status, 429);
  now_ = now_ + seconds(31);
  EXPECT_EQ(sign_in(browser, kWang, kWord).status, 200);
}

TEST_F(SessionTest, UnknownNamesAreThrottledLikeKnownOnes) {
  // Otherwise the delay would tell which names exist.
  for (int n = 0; n < 5; ++n) {
    auto trial = desk_->begin_sign_in("u-sup-777", "wrong-one");
    ASSERT_TRUE(trial.has_value());
    trial->error = Error{ErrorCode::refused, "password: not this one"};
    EXPECT_FALSE(desk_->finish_sign_in(*trial, "").has_value());
  }
  Browser browser;
  EXPECT_EQ(sign_in(browser, "u-sup-777", kWord).status, 429);
}

TEST_F(SessionTest, EachSignInMakesAFreshTokenAndEndsTheOld) {
  Browser browser = signed_in();
  const Browser before = browser;
  ASSERT_EQ(sign_in(browser, kWang, kWord).status, 200);
  EXPECT_NE(browser.cookie, before.cookie);
  EXPECT_NE(browser.csrf, before.csrf);
  Browser old = before;
  EXPECT_EQ(ask(old, "GET", "/who").status, 401);
  // A token that somebody else put into the browser is never taken over.
  Browser planted{.cookie = std::string(43, 'A')};
  ASSERT_EQ(sign_in(planted, kWang, kWord).status, 200);
  EXPECT_NE(planted.cookie, std::string(43, 'A'));
}

TEST_F(SessionTest, ChangesNeedTheTokenOfThePage) {
  Browser browser = signed_in();
  for (const std::string& csrf : {std::string(), std::string("x"), browser.cookie}) {
    Browser page{.cookie = browser.cookie, .csrf = csrf};
    const ApiResponse answer = ask(page, "POST", "/who", Json::object());
    EXPECT_EQ(answer.status, 403);
    EXPECT_TRUE(detail(answer).starts_with("csrf"));
    EXPECT_EQ(ask(page, "DELETE", "/session").status, 403);
    EXPECT_EQ(sign_in(page, "u-con-001", "schoolpc1").status, 403);
  }
  EXPECT_EQ(ask(browser, "POST", "/who", Json::object()).status, 200);
}

TEST_F(SessionTest, SigningOutEndsIt) {
  Browser browser = signed_in();
  Browser kept = browser;
  EXPECT_EQ(ask(browser, "DELETE", "/session").status, 200);
  EXPECT_TRUE(browser.cookie.empty());
  EXPECT_EQ(ask(kept, "GET", "/who").status, 401);
}

TEST_F(SessionTest, LocksWhenNobodyIsThere) {
  Browser browser = signed_in();
  now_ = now_ + minutes(14);
  EXPECT_EQ(ask(browser, "GET", "/who").status, 200);
  now_ = now_ + minutes(14);
  // Whether the page still asks who it is does not count.
  EXPECT_EQ(ask(browser, "GET", "/session").body["locked"], false);
  now_ = now_ + minutes(2);
  const ApiResponse locked = ask(browser, "GET", "/who");
  EXPECT_EQ(locked.status, 401);
  EXPECT_EQ(detail(locked), "locked");
  EXPECT_EQ(ask(browser, "GET", "/session").body["locked"], true);
  EXPECT_EQ(ask(browser, "POST", "/session/unlock", {{"password", "wrong-one"}}).status, 401);
  EXPECT_EQ(ask(browser, "GET", "/who").status, 401);
  EXPECT_EQ(ask(browser, "POST", "/session/unlock", {{"password", kWord}}).status, 200);
  EXPECT_EQ(ask(browser, "GET", "/who").status, 200);
}

TEST_F(SessionTest, CanBeLockedAtOnceAndChangesNothingWhileLocked) {
  Browser browser = signed_in();
  EXPECT_EQ(ask(browser, "POST", "/session/lock", Json::object()).body["locked"], true);
  EXPECT_EQ(ask(browser, "POST", "/who", Json::object()).status, 401);
  EXPECT_EQ(
      ask(browser, "POST", "/session/password", {{"old", kWord}, {"new", "bailian369"}}).status,
      401);
}

TEST_F(SessionTest, EndsAfterTwelveHoursWhateverHappens) {
  Browser browser = signed_in();
  for (int n = 0; n < 71; ++n) {
    now_ = now_ + minutes(10);
    ASSERT_EQ(ask(browser, "GET", "/who").status, 200) << n;
  }
  now_ = now_ + minutes(11);
  EXPECT_EQ(ask(browser, "GET", "/who").status, 401);
  EXPECT_EQ(ask(browser, "GET", "/session").body["person"], nullptr);
}

TEST_F(SessionTest, TheSettingsSayWhenASessionLocksAndEnds) {
  open({.idle = minutes(2), .life = minutes(5)});
  Browser browser = signed_in();
  EXPECT_EQ(ask(browser, "GET", "/session").body["idle_s"], 120);
  now_ = now_ + minutes(2);
  EXPECT_EQ(ask(browser, "GET", "/who").status, 200);
  now_ = now_ + minutes(2) + milliseconds(1);
  EXPECT_EQ(detail(ask(browser, "GET", "/who")), "locked");
  ASSERT_EQ(ask(browser, "POST", "/session/unlock", {{"password", kWord}}).status, 200);
  now_ = now_ + minutes(1);
  EXPECT_EQ(ask(browser, "GET", "/who").status, 401);
  EXPECT_EQ(ask(browser, "GET", "/session").body["person"], nullptr);
}

TEST_F(SessionTest, SupervisorsSwitchAtOnePc) {
  Browser browser = signed_in();
  ASSERT_EQ(sign_in(browser, "u-con-001", "schoolpc1").status, 200);
  const ApiResponse now = ask(browser, "GET", "/session");
  EXPECT_EQ(now.body["person"]["id"], "u-con-001");
  ASSERT_EQ(now.body["others"].size(), 1u);
  EXPECT_EQ(now.body["others"][0]["id"], kWang);
  EXPECT_EQ(ask(browser, "GET", "/who").body["person"], "u-con-001");
}

TEST_F(SessionTest, SeveralBrowsersDoNotDisturbEachOther) {
  Browser one = signed_in();
  Browser two = signed_in("u-con-001", "schoolpc1");
  EXPECT_EQ(ask(two, "DELETE", "/session").status, 200);
  EXPECT_EQ(ask(one, "GET", "/who").body["person"], kWang);
}

TEST_F(SessionTest, ADisabledAccountIsOutWithinFiveSeconds) {
  Browser browser = signed_in();
  EXPECT_EQ(ask(browser, "GET", "/who").status, 200);
  people_.save(change_credential(kWang, kPlace, {.disabled = true}));
  now_ = now_ + seconds(5);
  EXPECT_EQ(ask(browser, "GET", "/who").status, 401);
  EXPECT_EQ(sign_in(browser, kWang, kWord).status, 401);
}

TEST_F(SessionTest, AResetByTheOfficeEndsEverySession) {
  Browser browser = signed_in();
  const Seed seed = mint_seed(people_.random);
  people_.save(change_credential(
      kWang, kPlace,
      {.key = SigningKey::from_seed(seed).public_key(),
       .secret =
           *make_secret(seed, {.user_id = kWang, .serial = 2, .must_change = true, .cost = kCheap},
                        "fresh-one-9", people_.random)}));
  now_ = now_ + seconds(5);
  EXPECT_EQ(ask(browser, "GET", "/who").status, 401);
  EXPECT_EQ(sign_in(browser, kWang, kWord).status, 401);
  // The new one was given out: it is good for choosing another, and for nothing else.
  Browser fresh = signed_in(kWang, "fresh-one-9");
  const ApiResponse first = ask(fresh, "GET", "/who");
  EXPECT_EQ(first.status, 403);
  EXPECT_EQ(detail(first), "must_change");
  EXPECT_EQ(ask(fresh, "GET", "/session").body["must_change"], true);
  EXPECT_EQ(ask(fresh, "POST", "/session/password", {{"old", "fresh-one-9"}, {"new", "yulan1470"}})
                .status,
            200);
  EXPECT_EQ(ask(fresh, "GET", "/who").status, 200);
}

TEST_F(SessionTest, APersonChangesTheirPasswordWithoutAnybody) {
  people_.records.at_hub = false;  // an agent without network
  Browser browser = signed_in();
  Browser elsewhere = signed_in();
  EXPECT_EQ(ask(browser, "POST", "/session/password", {{"old", "wrong-one"}, {"new", "yulan1470"}})
                .status,
            401);
  for (const char* bad : {"1234567", "1234567890", "sup.001-2025", kWord}) {
    EXPECT_EQ(ask(browser, "POST", "/session/password", {{"old", kWord}, {"new", bad}}).status,
              400);
  }
  const ApiResponse done =
      ask(browser, "POST", "/session/password", {{"old", kWord}, {"new", "yulan1470"}});
  ASSERT_EQ(done.status, 200) << done.body.dump();
  EXPECT_EQ(ask(browser, "GET", "/who").status, 200);
  Browser third;
  EXPECT_EQ(sign_in(third, kWang, kWord).status, 401);
  EXPECT_EQ(sign_in(third, kWang, "yulan1470").status, 200);
  // Who sat elsewhere shows that they know the new one.
  now_ = now_ + seconds(5);
  EXPECT_EQ(detail(ask(elsewhere, "GET", "/who")), "locked");
  EXPECT_EQ(ask(elsewhere, "POST", "/session/unlock", {{"password", "yulan1470"}}).status, 200);
  // The key stayed: what was sealed to the person can still be read.
  EXPECT_EQ(people_.account(kWang).key, PeopleRecords::key_of(kWang));
  EXPECT_EQ(people_.account(kWang).secret->serial(), 2u);
}

TEST_F(SessionTest, TheControlSocketIsTheOperatorUnlessSomebodySignsIn) {
  Browser none;
  EXPECT_EQ(ask(none, "POST", "/administrate", Json::object(), true).body["kind"],
            static_cast<int>(Subject::Kind::operator_));
  // The school's own machine: no records.
  EXPECT_EQ(ask(none, "GET", "/who", nullptr, true).status, 403);
  Browser command = signed_in();
  command.csrf.clear();  // no page, no token
  EXPECT_EQ(ask(command, "POST", "/who", Json::object(), true).body["person"], kWang);
  Browser stale{.cookie = "yesterday"};
  EXPECT_EQ(ask(stale, "POST", "/administrate", Json::object(), true).status, 401);
}

TEST_F(SessionTest, SecureOverTlsOnly) {
  ApiResponse answer{200, {}, {{"Set-Cookie", "a=b"}, {"Retry-After", "3"}}};
  EXPECT_EQ(finished(answer, true).headers[0].second, "a=b; Secure");
  EXPECT_EQ(finished(answer, true).headers[1].second, "3");
  EXPECT_EQ(finished(answer, false).headers[0].second, "a=b");
}

TEST_F(SessionTest, NoAnswerAndNothingKeptHoldsASecret) {
  Browser browser = signed_in();
  ask(browser, "GET", "/session");
  ask(browser, "POST", "/session/password", {{"old", kWord}, {"new", "yulan1470"}});
  ask(browser, "POST", "/session/lock", Json::object());
  Browser other;
  sign_in(other, kWang, "wrong-one-77");
  for (const std::string& secret : {std::string(kWord), std::string("yulan1470"),
                                    std::string("wrong-one-77"), browser.cookie}) {
    EXPECT_EQ(said_.find(secret), std::string::npos);
    EXPECT_EQ(tries_.text.find(secret), std::string::npos);
  }
}

TEST_F(SessionTest, SessionsAreBounded) {
  for (int n = 0; n < 40; ++n) signed_in();
  EXPECT_EQ(desk_->sessions(), SignInLimits{}.sessions_per_person_max);
}

TEST_F(SessionTest, BadBodiesAreToldSo) {
  Browser browser;
  for (const Json& body : {Json::object(), Json{{"user", kWang}}, Json{{"password", kWord}},
                           Json{{"user", 5}, {"password", kWord}},
                           Json{{"user", kWang}, {"password", 5}}, Json::array()}) {
    EXPECT_EQ(ask(browser, "POST", "/session", body).status, 400) << body;
  }
  EXPECT_EQ(ask(browser, "POST", "/session/unlock", {{"password", kWord}}).status, 401);
}

/// A device that has received nothing yet.
class ProvisionalTest : public SessionTest {
 protected:
  ProvisionalTest() : SessionTest(false) { people_.records.device_scopes = {kPlace}; }
  ApiResponse claim(Browser& browser, const std::string& who, const std::string& word) {
    return ask(browser, "POST", "/session",
               {{"user", who}, {"password", word}, {"provisional", true}});
  }
};

TEST_F(ProvisionalTest, PeopleSignInByNameOnly) {
  Browser browser;
  EXPECT_EQ(ask(browser, "GET", "/session").body["provisional"], true);
  const ApiResponse answer = claim(browser, "u-sup-900", "yulan1470");
  ASSERT_EQ(answer.status, 200) << answer.body.dump();
  EXPECT_EQ(answer.body["sign_in"], "provisional");
  EXPECT_EQ(answer.body["person"]["roles"], Json({"responsible_supervisor"}));
  EXPECT_EQ(ask(browser, "GET", "/who").body["sign_in"],
            static_cast<int>(sync::v1::SIGN_IN_PROVISIONAL));
  // The password they chose keeps others out, also after a start.
  open();
  Browser other;
  EXPECT_EQ(claim(other, "u-sup-900", "bailian369").status, 401);
  EXPECT_EQ(claim(other, "u-sup-900", "yulan1470").status, 200);
  EXPECT_EQ(provisional_.text.find("yulan1470"), std::string::npos);
}

TEST_F(ProvisionalTest, NobodyMakesThemselvesAnOfficer) {
  Browser browser;
  for (const char* role : {"district_officer", "city_officer", "it_admin", "leader", "?"}) {
    EXPECT_EQ(
        ask(browser, "POST", "/session",
            {{"user", "u-x"}, {"password", "yulan1470"}, {"provisional", true}, {"role", role}})
            .status,
        400)
        << role;
  }
}

TEST_F(ProvisionalTest, EndsWhenTheRealAccountsArrive) {
  Browser browser;
  ASSERT_EQ(claim(browser, kWang, "yulan1470").status, 200);
  EXPECT_EQ(ask(browser, "GET", "/who").status, 200);
  people_.give_password(kWang, kWord);
  EXPECT_EQ(ask(browser, "GET", "/who").status, 401);
  EXPECT_EQ(claim(browser, kWang, "yulan1470").status, 403);
  EXPECT_EQ(sign_in(browser, kWang, kWord).status, 200);
}

TEST_F(ProvisionalTest, AHubHasNone) {
  SignInDesk hub({.source = people_.records,
                  .random = random_,
                  .tries = tries_,
                  .place = Subject::Place::hub,
                  .clock = [this] { return now_; }});
  EXPECT_FALSE(*hub.is_provisional());
  EXPECT_FALSE(hub.begin_provisional(kWang, "yulan1470", record::v1::ROLE_RESPONSIBLE_SUPERVISOR));
}

}  // namespace
}  // namespace duhui::api

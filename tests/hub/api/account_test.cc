#include <gtest/gtest.h>

#include "memory_access.h"
#include "shared/api/session_nouns.h"
#include "shared/crypto/system_random.h"
#include "shared/sync/credentials.h"

namespace duhui::hub::testing {
namespace {

constexpr const char* kFirst = "org-430200/org-430202/zone-430202-1/sch-001";
constexpr const char* kSecond = "org-430200/org-430202/zone-430202-1/sch-002";
constexpr const char* kFar = "org-430200/org-430202/zone-430202-2/sch-003";

class AccountTest : public ::testing::Test {
 protected:
  AccountTest() {
    hub_.import("orgs", {Json{{"id", "org-430200"}, {"kind", "city"}, {"name", "株洲市"}},
                         Json{{"id", "org-430202"},
                              {"kind", "district"},
                              {"name", "荷塘区"},
                              {"parent_id", "org-430200"}},
                         zone("zone-430202-1"), zone("zone-430202-2")});
    hub_.import("schools", {school("sch-001", "zone-430202-1"), school("sch-002", "zone-430202-1"),
                            school("sch-003", "zone-430202-2")});
    hub_.import(
        "users",
        {user("u-sup-001", "sup.001", "responsible_supervisor", "zone-430202-1",
              {{"supervisor_id", "sup-001"}}),
         user("u-off-1", "off.1", "district_officer", "org-430202", Json::object()),
         user("u-con-001", "con.001", "school_contact", "sch-001", {{"school_id", "sch-001"}})});
    hub_.import("assignments", {posting("asg-1", "sch-001")});
  }

  static Json zone(const std::string& id) {
    return {{"id", id}, {"kind", "zone"}, {"name", id}, {"parent_id", "org-430202"}};
  }
  static Json school(const std::string& id, const std::string& zone) {
    return {{"id", id}, {"name", id}, {"district_id", "org-430202"}, {"zone_id", zone}};
  }
  static Json user(const std::string& id,
                   const std::string& login,
                   const std::string& role,
                   const std::string& org,
                   Json more) {
    more["id"] = id;
    more["login"] = login;
    more["name"] = "某" + id;
    more["role"] = role;
    more["scope_org_id"] = org;
    more["status"] = "active";
    return more;
  }
  static Json posting(const std::string& id, const std::string& school) {
    return {{"id", id},
            {"supervisor_id", "sup-001"},
            {"school_id", school},
            {"role", "responsible_supervisor"},
            {"valid_from", "2024-09-01"}};
  }
  api::ApiResponse posted(const std::string& path, const Json& body) {
    return api::settled(hub_.post(path, body));
  }
  api::ApiResponse give(const std::string& who, const std::string& word, bool keep = true) {
    return posted("/accounts/" + who + "/password", {{"password", word}, {"must_change", !keep}});
  }
  /// As a browser does.
  api::ApiResponse sign_in(const std::string& who, const std::string& word) {
    const std::string body = Json{{"user", who}, {"password", word}}.dump();
    api::ApiResponse answer = api::settled(hub_.api.answer(
        api::EdgeRequest{.method = "POST", .target = "/api/v1/session", .body = body}));
    for (const auto& [name, value] : answer.headers) {
      if (name == "Set-Cookie")
        session_ = value.substr(value.find('=') + 1, value.find(';') - value.find('=') - 1);
    }
    return answer;
  }
  int get(const std::string& path) {
    const std::string target = "/api/v1" + path;
    return api::settled(hub_.api.answer(api::EdgeRequest{
                            .method = "GET", .target = target, .session = session_}))
        .status;
  }
  std::map<std::string, bool> places(const std::string& who) {
    std::map<std::string, bool> found;
    const Json account = hub_.got("/accounts/" + who);
    for (const Json& place : account["places"]) found[place["place"]] = place["disabled"];
    return found;
  }
  using Places = std::map<std::string, bool>;

  TestHub hub_;
  std::string session_;
};

TEST_F(AccountTest, ASupervisorSignsInAtTheSchoolsOfTheirZonesAndNowhereElse) {
  ASSERT_EQ(give("u-sup-001", "dingxiang258").status, 200);
  EXPECT_EQ(places("u-sup-001"), (Places{{kFirst, false}, {kSecond, false}}));
}

TEST_F(AccountTest, StaffSignInAtTheirSchoolAndTheOfficeAtTheHub) {
  ASSERT_EQ(give("u-con-001", "schoolpc1").status, 200);
  ASSERT_EQ(give("u-off-1", "bangong369").status, 200);
  EXPECT_EQ(places("u-con-001"), (Places{{kFirst, false}}));
  EXPECT_EQ(places("u-off-1"), (Places{{"hub", false}}));
}

TEST_F(AccountTest, APersonSignsInAtTheHubAndMayDoWhatTheirRoleMay) {
  ASSERT_EQ(give("off.1", "bangong369").status, 200);
  const auto answer = sign_in("u-off-1", "bangong369");
  ASSERT_EQ(answer.status, 200) << answer.body.dump();
  EXPECT_EQ(answer.body["sign_in"], "at_hub");
  EXPECT_EQ(get("/records?type=school"), 200);
  EXPECT_EQ(get("/devices"), 200);
  EXPECT_EQ(get("/accounts"), 403);
  EXPECT_EQ(sign_in("u-off-1", "bangong370").status, 401);
}

TEST_F(AccountTest, SigningInAndWrongPasswordsAreInTheAuditLog) {
  ASSERT_EQ(give("off.1", "bangong369").status, 200);
  const std::uint64_t before = hub_.got("/audit?limit=1000")["head"]["seq"];
  sign_in("u-off-1", "bangong370");
  sign_in("u-off-1", "bangong371");
  sign_in("nobody-at-all", "bangong370");
  ASSERT_EQ(sign_in("u-off-1", "bangong369").status, 200);
  const Json told = hub_.got("/audit?after=" + std::to_string(before))["entries"];
  ASSERT_EQ(told.size(), 3u) << told.dump();
  EXPECT_EQ(told[0]["action"], "session.wrong_password");
  EXPECT_EQ(told[0]["actor"], "nobody");
  EXPECT_EQ(told[0]["target_id"], "u-off-1");
  EXPECT_EQ(told[0]["outcome"], "refused");
  EXPECT_EQ(told[1]["target_id"], "") << "a name that nobody has is told to nobody";
  EXPECT_EQ(told[2]["action"], "session.signed_in");
  EXPECT_EQ(told[2]["actor"], "u-off-1");
  EXPECT_EQ(told[2]["detail"], "wrong_tries=2");
}

TEST_F(AccountTest, NobodyHasAPasswordThatNobodyGave) {
  for (const char* word : {"", "123456", "password", "u-off-1", "off.1", "admin"}) {
    EXPECT_NE(sign_in("u-off-1", word).status, 200);
  }
  EXPECT_TRUE(hub_.got("/accounts")["accounts"].empty());
}

TEST_F(AccountTest, AGivenPasswordMustBeChangedUnlessTheOfficeSaysOtherwise) {
  ASSERT_EQ(give("u-off-1", "bangong369", false).status, 200);
  EXPECT_EQ(sign_in("u-off-1", "bangong369").body["must_change"], true);
  EXPECT_EQ(get("/records?type=school"), 403);
  EXPECT_EQ(hub_.got("/accounts/u-off-1")["must_change"], true);
}

TEST_F(AccountTest, SimplePasswordsAreRefused) {
  for (const char* word : {"123456", "off.1", "OFF.1", "12345", "password"}) {
    EXPECT_EQ(give("u-off-1", word).status, 400) << word;
  }
}

TEST_F(AccountTest, ADisabledAccountIsOutAtOnceAndComesBack) {
  give("u-off-1", "bangong369");
  ASSERT_EQ(sign_in("u-off-1", "bangong369").status, 200);
  ASSERT_EQ(posted("/accounts/u-off-1/disable", Json::object()).status, 200);
  EXPECT_EQ(get("/records?type=school"), 401);
  EXPECT_EQ(sign_in("u-off-1", "bangong369").status, 401);
  EXPECT_EQ(places("u-off-1"), (Places{{"hub", true}}));
  // An import of the same rows does not undo it.
  hub_.import("users",
              {user("u-off-1", "off.1", "district_officer", "org-430202", Json::object())});
  EXPECT_EQ(sign_in("u-off-1", "bangong369").status, 401);
  ASSERT_EQ(posted("/accounts/u-off-1/enable", Json::object()).status, 200);
  EXPECT_EQ(sign_in("u-off-1", "bangong369").status, 200);
}

TEST_F(AccountTest, AResetEndsEverySessionAndTheOldPassword) {
  give("u-off-1", "bangong369");
  ASSERT_EQ(sign_in("u-off-1", "bangong369").status, 200);
  ASSERT_EQ(give("u-off-1", "yulan1470").status, 200);
  EXPECT_EQ(get("/records?type=school"), 401);
  EXPECT_EQ(sign_in("u-off-1", "bangong369").status, 401);
  EXPECT_EQ(sign_in("u-off-1", "yulan1470").status, 200);
}

TEST_F(AccountTest, PlacesFollowThePostings) {
  give("u-sup-001", "dingxiang258");
  Json over = posting("asg-1", "sch-001");
  over["valid_to"] = "2025-01-31";
  hub_.import("assignments", {over, posting("asg-2", "sch-003")});
  EXPECT_EQ(places("u-sup-001"), (Places{{kFirst, true}, {kSecond, true}, {kFar, false}}));
  // The new place has the same password.
  EXPECT_EQ(sign_in("u-sup-001", "dingxiang258").status, 200);
}

TEST_F(AccountTest, APlaceAddedByHandStays) {
  give("u-off-1", "bangong369");
  ASSERT_EQ(posted("/accounts/u-off-1/places", {{"school", "sch-001"}}).status, 200);
  EXPECT_EQ(places("u-off-1"), (Places{{"hub", false}, {kFirst, false}}));
  hub_.import("assignments", {posting("asg-2", "sch-003")});
  EXPECT_EQ(places("u-off-1"), (Places{{"hub", false}, {kFirst, false}}));
  EXPECT_EQ(posted("/accounts/u-off-1/places", {{"school", "sch-999"}}).status, 404);
  EXPECT_EQ(posted("/accounts/u-off-1/places", Json::object()).status, 400);
}

TEST_F(AccountTest, APlaceStandsInTheTree) {
  give("u-off-1", "bangong369");
  for (const char* place :
       {"org-430202", "org-430200/org-430299", "org-430200/org-430202/zone-430202-2/sch-001",
        "org-430200/org-430202/zone-430202-1/sch-001/", "nowhere", "../x", "sch-001"}) {
    const auto answer = posted("/accounts/u-off-1/places", {{"place", place}});
    EXPECT_EQ(answer.status, 400) << place;
    EXPECT_TRUE(answer.body["error"]["detail"].get<std::string>().starts_with("no_such_place"));
  }
  EXPECT_EQ(places("u-off-1"), (Places{{"hub", false}}));
  // Nothing of it was kept that every later import would stumble over.
  hub_.import("assignments", {posting("asg-2", "sch-003")});
  for (const char* place : {"org-430200", "org-430200/org-430202", kFirst, "hub"}) {
    EXPECT_EQ(posted("/accounts/u-off-1/places", {{"place", place}}).status, 200) << place;
  }
  EXPECT_EQ(places("u-off-1").size(), 4u);
}

TEST_F(AccountTest, APlaceIsWhereThePersonHasToDoWithSomething) {
  hub_.import("orgs", {Json{{"id", "org-430203"},
                            {"kind", "district"},
                            {"name", "芦淞区"},
                            {"parent_id", "org-430200"}}});
  const auto status = [this](const char* who, const char* place) {
    return posted(std::string("/accounts/") + who + "/places", {{"place", place}}).status;
  };
  EXPECT_EQ(status("u-con-001", kSecond), 409);
  EXPECT_EQ(status("u-con-001", kFirst), 200);
  EXPECT_EQ(status("u-off-1", "org-430200/org-430203"), 409);
  EXPECT_EQ(status("u-off-1", kFar), 200);
  EXPECT_EQ(status("u-sup-001", kFar), 200);  // supervisors help out in the district
}

TEST_F(AccountTest, APlaceAddedByHandIsTakenBack) {
  give("u-off-1", "bangong369");
  posted("/accounts/u-off-1/places", {{"school", "sch-001"}});
  const auto by_hand = [this] {
    std::map<std::string, bool> found;
    const Json account = hub_.got("/accounts/u-off-1");
    for (const Json& place : account["places"]) found[place["place"]] = place["by_hand"];
    return found;
  };
  EXPECT_EQ(by_hand(), (Places{{"hub", false}, {kFirst, true}}));
  const auto taken = posted("/accounts/u-off-1/places/remove", {{"place", kFirst}});
  ASSERT_EQ(taken.status, 200) << taken.body.dump();
  EXPECT_EQ(places("u-off-1"), (Places{{"hub", false}, {kFirst, true}}));
  EXPECT_EQ(by_hand(), (Places{{"hub", false}, {kFirst, false}}));
  hub_.import("assignments", {posting("asg-2", "sch-003")});
  EXPECT_EQ(places("u-off-1"), (Places{{"hub", false}, {kFirst, true}}));
  for (const char* place : {kFirst, "hub", kFar}) {
    EXPECT_EQ(posted("/accounts/u-off-1/places/remove", {{"place", place}}).status, 404) << place;
  }
}

TEST_F(AccountTest, APlaceMayComeBeforeThePassword) {
  ASSERT_EQ(posted("/accounts/u-off-1/places", {{"school", "sch-001"}}).status, 200);
  EXPECT_EQ(places("u-off-1"), (Places{{kFirst, true}}));
  give("u-off-1", "bangong369");
  EXPECT_EQ(places("u-off-1"), (Places{{"hub", false}, {kFirst, false}}));
}

TEST_F(AccountTest, NobodysLoginIsAnothersIdOrLogin) {
  const auto imported = [this](const Json& rows) {
    return hub_
        .post("/import",
              {{"kind", "users"}, {"rows", rows.is_array() ? rows : Json::array({rows})}})
        .status;
  };
  const auto officer = [](const char* id, const char* login) {
    return user(id, login, "district_officer", "org-430202", Json::object());
  };
  EXPECT_EQ(imported({officer("u-off-2", "u-off-1"), officer("u-off-3", "off.3")}), 409);
  EXPECT_EQ(imported({officer("u-off-2", "off.1")}), 409);
  EXPECT_EQ(imported({officer("sup.001", "off.9")}), 409);  // an id that is somebody's login
  EXPECT_EQ(imported({officer("u-off-2", "u-off-3"), officer("u-off-3", "off.3")}), 409);
  EXPECT_EQ(hub_.get("/accounts/off.3").status, 404);
  ASSERT_EQ(imported({officer("u-off-2", "off.2")}), 200);
  // Nor by an edit.
  const auto edited = [this](const char* login) {
    return posted("/records/u-off-2/edits?type=user",
                  {{"as", "u-off-1"},
                   {"edits", {{{"do", "set"}, {"field", "login"}, {"value", login}}}}})
        .status;
  };
  EXPECT_EQ(edited("u-off-1"), 409);
  EXPECT_EQ(posted("/records",
                   {{"type", "user"}, {"as", "u-off-1"}, {"value", officer("u-off-4", "u-off-1")}})
                .status,
            409);
  // Two may change their logins for one another's; one's own id is a good login.
  EXPECT_EQ(imported({officer("u-off-1", "off.2"), officer("u-off-2", "off.1")}), 200);
  EXPECT_EQ(imported({officer("u-off-2", "u-off-2")}), 200);
}

TEST_F(AccountTest, AResetMakesEverySecretOfTheOldKeyVoid) {
  give("u-sup-001", "dingxiang258");
  HubRecords records(hub_.access);
  const auto account = [&](const char* place) {
    return read_account(**records.state(credential_id("u-sup-001", place))).value();
  };
  const Account before = account(kFirst);
  const Seed seed = open_seed(locked_seed(*before.secret), "dingxiang258").value();
  ASSERT_EQ(give("u-sup-001", "yulan1470").status, 200);
  for (const char* place : {kFirst, kSecond}) EXPECT_NE(account(place).key, before.key);
  EXPECT_EQ(account(kFirst).key, account(kSecond).key);
  // A device that was away brings a change under the old key, newer by its number.
  SystemRandom random;
  Intent intent = change_credential(
      "u-sup-001", kFirst,
      {.secret = *make_secret(
           seed, {.user_id = "u-sup-001", .serial = 99, .cost = {.passes = 1, .memory_kib = 8}},
           "bailian369", random)});
  intent.person = "u-sup-001";
  ASSERT_TRUE(records.save({std::move(intent)}));
  EXPECT_EQ(sign_in("u-sup-001", "bailian369").status, 401);
  EXPECT_EQ(sign_in("u-sup-001", "dingxiang258").status, 401);
  EXPECT_EQ(sign_in("u-sup-001", "yulan1470").status, 200);
  EXPECT_EQ(account(kFirst).secret->serial(), account(kSecond).secret->serial());
}

TEST_F(AccountTest, AStrangerElsewhereLocksNobodyOutOfTheirOwnPc) {
  give("u-off-1", "bangong369");
  const auto from = [this](const std::string& peer, const char* word) {
    const std::string body = Json{{"user", "u-off-1"}, {"password", word}}.dump();
    return api::settled(
               hub_.api.answer(api::EdgeRequest{
                   .method = "POST", .target = "/api/v1/session", .body = body, .peer = peer}))
        .status;
  };
  ASSERT_EQ(from("192.0.2.7", "bangong369"), 200);
  for (int n = 0; n < 5; ++n) EXPECT_EQ(from("198.51.100.1", "wrong-one"), 401);
  EXPECT_EQ(from("198.51.100.1", "bangong369"), 429);
  for (int peer = 2; peer < 5; ++peer) {
    for (int n = 0; n < 5; ++n) from("198.51.100." + std::to_string(peer), "wrong-one");
  }
  EXPECT_EQ(from("198.51.100.9", "bangong369"), 429);  // from anywhere else it is slow by now
  EXPECT_EQ(from("192.0.2.7", "bangong369"), 200);
}

TEST_F(AccountTest, TheFirstAdministratorNeedsNoRegistries) {
  TestHub fresh;
  const auto made = api::settled(fresh.post("/accounts", {{"login", "anquan"},
                                                          {"name", "周安全"},
                                                          {"role", "security_admin"},
                                                          {"password", "bangong369"},
                                                          {"must_change", false}}));
  ASSERT_EQ(made.status, 201) << made.body.dump();
  EXPECT_EQ(made.body["id"], "u-anquan");
  const std::string body = Json{{"login", "anquan"}, {"password", "bangong369"}}.dump();
  const auto answer = api::settled(fresh.api.answer(
      api::EdgeRequest{.method = "POST", .target = "/api/v1/session", .body = body}));
  ASSERT_EQ(answer.status, 200) << answer.body.dump();
  EXPECT_EQ(answer.body["person"]["roles"], Json({"security_admin"}));
  // A second one of that name, or one who takes somebody's id, is not made.
  for (const Json& more : {Json{{"login", "anquan"}, {"id", "u-other"}},
                           Json{{"login", "other"}, {"id", "u-anquan"}}}) {
    Json twice = {{"name", "x"}, {"role", "auditor"}, {"password", "bangong369"}};
    twice.update(more);
    EXPECT_EQ(api::settled(fresh.post("/accounts", twice)).status, 409);
  }
}

TEST_F(AccountTest, BadAccountsAreNotMade) {
  const Json good = {
      {"login", "anquan"}, {"name", "x"}, {"role", "auditor"}, {"password", "bangong369"}};
  for (const auto& [name, value] : std::map<std::string, Json>{{"login", "a b"},
                                                               {"login", "../x"},
                                                               {"login", ""},
                                                               {"name", ""},
                                                               {"role", "king"},
                                                               {"password", "123456"}}) {
    Json bad = good;
    bad[name] = value;
    EXPECT_EQ(posted("/accounts", bad).status, 400) << name;
  }
  EXPECT_TRUE(hub_.got("/accounts")["accounts"].empty());
}

TEST_F(AccountTest, ManyPasswordsAreSetTogetherOrNotAtAll) {
  const auto rows = [](const std::string& second) {
    return Json{{"rows",
                 {{{"login", "off.1"}, {"password", "bangong369"}},
                  {{"login", second}, {"password", "schoolpc1"}}}},
                {"must_change", false}};
  };
  EXPECT_EQ(posted("/accounts/passwords", rows("nobody")).status, 404);
  EXPECT_EQ(posted("/accounts/passwords", rows("u-off-1")).status, 400);  // twice the same
  EXPECT_TRUE(hub_.got("/accounts")["accounts"].empty());
  EXPECT_EQ(posted("/accounts/passwords", rows("con.001")).body["set"], 2);
  EXPECT_EQ(sign_in("con.001", "schoolpc1").status, 200);
}

TEST_F(AccountTest, APasswordChangedAtOneSchoolHoldsAtTheOthers) {
  give("u-sup-001", "dingxiang258");
  HubRecords records(hub_.access);
  const auto account = [&](const char* place) {
    return read_account(**records.state(credential_id("u-sup-001", place))).value();
  };
  const Account before = account(kFirst);
  const Seed seed = open_seed(locked_seed(*before.secret), "dingxiang258").value();
  SystemRandom random;
  const auto change = [&](const Seed& by, std::uint64_t serial, const char* word) {
    Intent intent = change_credential(
        "u-sup-001", kFirst,
        {.secret = *make_secret(
             by, {.user_id = "u-sup-001", .serial = serial, .cost = {.passes = 1, .memory_kib = 8}},
             word, random)});
    intent.person = "u-sup-001";
    ASSERT_TRUE(records.save({std::move(intent)}));
  };
  change(seed, before.secret->serial() + 1, "yulan1470");
  EXPECT_EQ(account(kSecond).secret->serial(), before.secret->serial() + 1);
  EXPECT_EQ(sign_in("u-sup-001", "yulan1470").status, 200);
  // One that the person did not sign goes nowhere.
  change(mint_seed(random), 99, "schoolpc1");
  EXPECT_EQ(account(kSecond).secret->serial(), before.secret->serial() + 1);
  EXPECT_EQ(sign_in("u-sup-001", "schoolpc1").status, 401);
}

TEST_F(AccountTest, NoAnswerHoldsAPasswordOrAKey) {
  const std::string said = give("u-off-1", "bangong369").body.dump() +
                           hub_.got("/accounts").dump() + hub_.got("/records?limit=1000").dump();
  EXPECT_EQ(said.find("bangong369"), std::string::npos);
  EXPECT_EQ(said.find("secret"), std::string::npos);
  EXPECT_EQ(said.find("public_key"), std::string::npos);
}

}  // namespace
}  // namespace duhui::hub::testing

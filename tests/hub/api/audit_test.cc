// The audit log of a hub: what is told, how it is exported, and that no change of it goes unseen.

#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "hub/api/audit_file.h"
#include "tests/hub/api/memory_access.h"

namespace duhui::hub {
namespace {

using testing::Json;
using testing::TestHub;

std::vector<std::string> actions(TestHub& hub) {
  std::vector<std::string> list;
  const Json told = hub.got("/audit");
  for (const Json& entry : told["entries"]) list.push_back(entry["action"]);
  return list;
}

/// What `audit export` writes.
std::string exported(TestHub& hub) {
  const Json begun = hub.posted("/audit/export", Json::object());
  std::string text = audit_file_head(hub.access.facts().id, hub.access.key().public_key()) + "\n";
  const Json told = hub.got("/audit?limit=1000");
  for (const Json& entry : told["entries"]) text += audit_file_entry(entry) + "\n";
  return text + audit_file_end(begun["checkpoint"]) + "\n";
}

/// "" when the file is sound.
std::string problem_of(const std::string& text, std::optional<PublicKey> key = {}) {
  AuditFileCheck check(key);
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string::npos) return "the last line is cut off";
    if (auto read = check.line(std::string_view(text).substr(at, end - at)); !read)
      return read.error().detail;
    at = end + 1;
  }
  const auto ended = check.finish();
  return ended ? "" : ended.error().detail;
}

void make_history(TestHub& hub) {
  hub.furnish();
  hub.posted("/tickets", {{"school", "sch-001"}});
  hub.got("/export?type=school");
  hub.posted("/verify", Json::object());
}

TEST(Audit, TellsOfImportsTicketsExportsAndVerifications) {
  TestHub hub;
  make_history(hub);
  const std::vector<std::string> expected = {"registry.import", "registry.import",
                                             "registry.import", "ticket.create",
                                             "record.export",   "hub.verify"};
  EXPECT_EQ(actions(hub), expected);
  const Json told = hub.got("/audit?after=3&limit=1");
  ASSERT_EQ(told["entries"].size(), 1u);
  EXPECT_EQ(told["entries"][0]["actor"], "operator");
  EXPECT_EQ(told["entries"][0]["target_type"], "ticket");
  EXPECT_EQ(told["head"]["seq"], 6);
}

TEST(Audit, TellsOfDevicesThatAreRevokedAndRestored) {
  TestHub hub;
  DeviceRow row;
  row.id = DeviceId::random(hub.access.random());
  ASSERT_TRUE(hub.access.change([&](HubTransaction& tx) { return tx.devices().put(row); }));
  const std::string path = "/devices/" + to_uuid_text(row.id.view());
  hub.posted(path + "/revoke", Json::object());
  hub.posted(path + "/restore", Json::object());
  EXPECT_EQ(actions(hub), (std::vector<std::string>{"device.revoke", "device.restore"}));
}

TEST(Audit, TellsOfAccountsAndTicketsWhoDidWhatToWhom) {
  TestHub hub;
  hub.furnish();
  hub.import("users", {{{"id", "u-off-2"},
                        {"name", "周主任"},
                        {"role", "district_officer"},
                        {"scope_org_id", "org-430202"}}});
  hub.posted("/accounts/u-off-2/password", {{"password", "bangong369"}});
  const std::uint64_t before = hub.got("/audit")["head"]["seq"];
  const std::string id = hub.posted("/tickets", {{"school", "sch-001"}})["id"];
  hub.posted("/tickets/" + id + "/revoke", Json::object());
  hub.posted("/accounts", {{"login", "anquan"},
                           {"name", "周安全"},
                           {"role", "security_admin"},
                           {"password", "bangong369"}});
  hub.posted("/accounts/u-off-1/password", {{"password", "bangong369"}});
  hub.posted("/accounts/passwords",
             {{"rows", Json::array({{{"login", "u-sup-001"}, {"password", "dingxiang258"}}})}});
  hub.posted("/accounts/u-off-1/disable", Json::object());
  hub.posted("/accounts/u-off-1/enable", Json::object());
  hub.posted("/accounts/u-off-2/places", {{"school", "sch-001"}});
  std::vector<std::string> told;
  const Json log = hub.got("/audit?after=" + std::to_string(before));
  for (const Json& entry : log["entries"]) {
    EXPECT_EQ(entry["actor"], "operator");
    EXPECT_EQ(entry["outcome"], "done");
    told.push_back(entry["action"].get<std::string>() + " " +
                   entry["target_id"].get<std::string>());
  }
  EXPECT_EQ(told, (std::vector<std::string>{"ticket.create " + id, "ticket.revoke " + id,
                                            "account.create u-anquan", "account.password u-anquan",
                                            "account.password u-off-1",
                                            "account.password u-sup-001", "account.disable u-off-1",
                                            "account.enable u-off-1", "account.place u-off-2"}));
  EXPECT_EQ(json_text(log).find("bangong369"), std::string::npos);
}

TEST(Audit, TellsOncePerMinuteWhatAPersonWasRefused) {
  TestHub hub;
  const Subject contact{.kind = Subject::Kind::person,
                        .place = Subject::Place::hub,
                        .person = "u-con-001",
                        .grants = {{record::v1::ROLE_SCHOOL_CONTACT, "org-430200"}}};
  const auto ask = [&](const char* path) {
    EXPECT_EQ(hub.api.answer({.method = "GET", .target = path, .subject = contact}).status, 403);
  };
  for (int n = 0; n < 100; ++n) ask("/api/v1/accounts");
  ask("/api/v1/tickets");
  Json told = hub.got("/audit")["entries"];
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0]["outcome"], "refused");
  EXPECT_EQ(told[0]["detail"], "GET /accounts, role, times=1");
  EXPECT_EQ(told[1]["detail"], "GET /tickets, role, times=1");
  hub.access.pass(minutes(1));
  ask("/api/v1/accounts");
  told = hub.got("/audit")["entries"];
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[2]["detail"], "GET /accounts, role, times=99");
}

TEST(Audit, HoldsNoSecretOfATicket) {
  TestHub hub;
  hub.furnish();
  const Json made = hub.posted("/tickets", {{"school", "sch-001"}});
  const std::string told = json_text(hub.got("/audit"));
  EXPECT_EQ(told.find(made["code"].get<std::string>()), std::string::npos);
  EXPECT_EQ(told.find(made["file"].get<std::string>()), std::string::npos);
}

TEST(Audit, ALogThatCannotBeWrittenStopsTheAct) {
  TestHub hub;
  hub.furnish();
  hub.access.store().fail_next_commit({ErrorCode::storage_failed, "no space"});
  EXPECT_FALSE(hub.post("/tickets", {{"school", "sch-001"}}).ok());
  EXPECT_TRUE(hub.got("/tickets")["tickets"].empty());
  hub.access.store().fail_next_commit({ErrorCode::storage_failed, "no space"});
  EXPECT_FALSE(hub.get("/export?type=school").ok());
}

TEST(Audit, IsNotForWhoeverMayNotReadIt) {
  TestHub hub;
  make_history(hub);
  const Subject teacher{.kind = Subject::Kind::person,
                        .place = Subject::Place::hub,
                        .person = "u-con-001",
                        .grants = {{record::v1::ROLE_SCHOOL_CONTACT, "org-430200"}}};
  const Subject auditor{.kind = Subject::Kind::person,
                        .place = Subject::Place::hub,
                        .person = "u-aud-1",
                        .grants = {{record::v1::ROLE_AUDITOR, "org-430200"}}};
  const auto status = [&](const Subject& subject, const char* method, const char* path) {
    return hub.api.answer({.method = method, .target = path, .subject = subject}).status;
  };
  EXPECT_EQ(status(teacher, "GET", "/api/v1/audit"), 403);
  EXPECT_EQ(status(Subject{}, "GET", "/api/v1/audit"), 401);
  EXPECT_EQ(status(auditor, "GET", "/api/v1/audit"), 200);
  EXPECT_EQ(status(auditor, "POST", "/api/v1/audit/export"), 200);
  const Json told = hub.got("/audit?after=6")["entries"];
  EXPECT_EQ(told[0]["action"], "request.refused");
  EXPECT_EQ(told[0]["actor"], "u-con-001");
  EXPECT_EQ(told[0]["target_type"], "audit");
  EXPECT_EQ(told[1]["action"], "audit.export");
  EXPECT_EQ(told[1]["actor"], "u-aud-1");
  // Nobody, the operator included, has a way to change or remove an entry.
  for (const char* method : {"DELETE", "PUT", "PATCH", "POST"}) {
    EXPECT_EQ(hub.ask(method, "/audit", "{}").status, 405) << method;
  }
}

TEST(Audit, AnExportProvesItself) {
  TestHub hub;
  make_history(hub);
  const std::string text = exported(hub);
  EXPECT_EQ(problem_of(text), "");
  EXPECT_EQ(problem_of(text, hub.access.key().public_key()), "");
  SeededRandom random(8);
  EXPECT_NE(problem_of(text, SigningKey::generate(random).public_key()), "");
  EXPECT_EQ(problem_of(""), "empty");
}

TEST(Audit, EveryChangedByteOfAnExportIsFound) {
  TestHub hub;
  make_history(hub);
  const std::string text = exported(hub);
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] = static_cast<char>(changed[at] ^ (1 << (at % 7)));
    ASSERT_NE(problem_of(changed), "") << "byte " << at;
    changed = text;
    changed.insert(at, 1, ' ');
    ASSERT_NE(problem_of(changed), "") << "inserted at " << at;
    ASSERT_NE(problem_of(text.substr(0, at)), "") << "cut at " << at;
  }
}

TEST(Audit, NamesTheEntryThatWasChangedRemovedOrMoved) {
  TestHub hub;
  make_history(hub);
  const std::string text = exported(hub);
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  const auto problem = [](const std::vector<std::string>& kept) {
    std::string joined;
    for (const std::string& line : kept) joined += line + "\n";
    return problem_of(joined);
  };
  auto without = lines;
  without.erase(without.begin() + 4);
  EXPECT_NE(problem(without).find("entry 4"), std::string::npos) << problem(without);
  auto swapped = lines;
  std::swap(swapped[2], swapped[3]);
  EXPECT_NE(problem(swapped).find("entry 2"), std::string::npos) << problem(swapped);
  auto cut = lines;
  cut.erase(cut.end() - 2);
  EXPECT_NE(problem(cut).find("the entries end with 6"), std::string::npos) << problem(cut);
  cut.pop_back();
  EXPECT_NE(problem(cut).find("cut off behind entry 6"), std::string::npos) << problem(cut);
}

/// The log of `hub` after somebody with a way into the database had their will.
std::string problem_after(TestHub& hub, const std::function<void(MemoryHubState&)>& meddle) {
  MemoryHubState state = hub.access.store().state();
  meddle(state);
  hub.access.store().restore(std::move(state));
  return hub.posted("/audit/verify", Json::object())["problem"];
}

TEST(Audit, MeddlingWithTheDatabaseShows) {
  const auto found = [](const std::function<void(MemoryHubState&)>& meddle) {
    TestHub hub;
    make_history(hub);
    EXPECT_EQ(hub.posted("/audit/verify", Json::object())["problem"], "");
    return problem_after(hub, meddle);
  };
  EXPECT_NE(found([](MemoryHubState& state) { state.audit[4].entry.actor = "u-1"; }), "");
  EXPECT_NE(found([](MemoryHubState& state) { state.audit.erase(2); }), "");
  EXPECT_NE(found([](MemoryHubState& state) { state.audit.erase(6); }), "");
  EXPECT_NE(found([](MemoryHubState& state) { state.audit.clear(); }), "");
  EXPECT_NE(found([](MemoryHubState& state) { state.checkpoints[6].signature[3] ^= 1; }), "");
  EXPECT_NE(found([](MemoryHubState& state) { state.checkpoints[6].at.ms += 1; }), "");
}

TEST(Audit, ALogMadeAnewDoesNotContinueAnEarlierExport) {
  TestHub hub;
  make_history(hub);
  const Json earlier = hub.posted("/audit/export", Json::object())["checkpoint"];
  const Json place = {{"seq", earlier["seq"]}, {"chain", earlier["chain"]}};
  EXPECT_TRUE(hub.posted("/audit/verify", place)["ok"].get<bool>());
  TestHub other;  // the same keys, another history
  make_history(other);
  other.posted("/tickets", {{"school", "sch-002"}});
  EXPECT_FALSE(other.posted("/audit/verify", place)["ok"].get<bool>());
  TestHub shorter;
  EXPECT_FALSE(shorter.posted("/audit/verify", place)["ok"].get<bool>());
  EXPECT_EQ(hub.post("/audit/verify", {{"seq", 1}, {"chain", "00"}}).status, 400);
}

TEST(Audit, AVerificationOfTheHubLooksAtItToo) {
  TestHub hub;
  make_history(hub);
  MemoryHubState state = hub.access.store().state();
  state.audit[4].entry.detail += "0";
  hub.access.store().restore(std::move(state));
  const Json found = hub.posted("/verify", Json::object());
  EXPECT_FALSE(found["ok"].get<bool>());
  EXPECT_NE(json_text(found["problems"]).find("audit log: entry 4 was changed"), std::string::npos);
}

}  // namespace
}  // namespace duhui::hub

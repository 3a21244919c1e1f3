#include "agent/api/agent_api.h"

#include <gtest/gtest.h>

#include "agent/api/file_desk.h"
#include "shared/base/bytes.h"
#include "shared/base/random.h"
#include "shared/crypto/digest.h"
#include "shared/crypto/registry_id.h"
#include "tests/support/memory_blob_store.h"
#include "tests/support/memory_shelf.h"
#include "tests/support/memory_store.h"
#include "tests/support/memory_text.h"
#include "tests/support/openapi_needs.h"
#include "tests/support/response_log.h"
#include "tests/support/subjects.h"

namespace duhui::agent {
namespace {

using Json = nlohmann::json;

constexpr const char* kSchoolScope = "org-430200/org-430202/zone-430202-1/sch-001";

/// An agent on a disk in memory, before any registry has arrived.
class AgentApiTest : public testing::Test {
 protected:
  AgentApiTest() : store_(disk_), journal_(disk_), random_(3) { start(); }

  void start() {
    api_.reset();
    records_.reset();
    replica_ = Replica::open(store_, journal_, random_, read_clock(), false).value();
    records_ = std::make_unique<AgentRecords>(*replica_, random_, [this] { return read_clock(); });
    records_->set_scopes({kSchoolScope});
    records_->on_saved([this] { ++saved_; });
    replica_->keep_files(files_, locked_files_);
    AgentHooks hooks;
    hooks.link = [this] { return link_; };
    hooks.device = [] {
      return DeviceFacts{.id = "device-1", .name = "样例小学", .scopes = {kSchoolScope}};
    };
    hooks.enable_link = [this](bool enabled) { enabled_ = enabled; };
    hooks.fetch = [this](const BlobName& name) {
      if (!connected_) return false;
      asked_.push_back(name);
      return true;
    };
    api_ = std::make_unique<AgentApi>(
        *replica_, *records_, [this] { return read_clock(); }, "1.0", std::move(hooks));
  }

  ClockReading read_clock() const { return {.wall = now_, .monotonic = {1000}, .boot = 1}; }
  api::ApiResponse ask(std::string_view method, const std::string& path, const std::string& body) {
    const std::string target = "/api/v1" + path;
    api::ApiResponse answer =
        api_->dispatch({.method = method, .target = target, .body = body, .subject = kHubOperator});
    log_response(method, "/api/v1" + path, answer.status, answer.body);
    return answer;
  }
  api::ApiResponse get(const std::string& path) { return ask("GET", path, ""); }
  api::ApiResponse post(const std::string& path, const Json& body) {
    return ask("POST", path, body.dump());
  }
  std::string make_visit(const std::string& date = "2025-10-09") {
    const auto answer =
        post("/records", {{"type", "visit_record"},
                          {"as", "u-sup-001"},
                          {"value", {{"school_id", "sch-001"}, {"visit_date", date}}}});
    EXPECT_EQ(answer.status, 201) << answer.body.dump();
    return answer.body["id"];
  }

  MemoryDisk disk_;
  MemoryKvStore store_;
  MemoryJournal journal_;
  SeededRandom random_;
  WallTime now_{1'760'000'000'000};
  LinkFacts link_;
  MemoryBlobStore files_;
  MemoryBlobStore locked_files_;
  bool connected_ = true;
  std::vector<BlobName> asked_;
  bool enabled_ = true;
  int saved_ = 0;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<AgentRecords> records_;
  std::unique_ptr<AgentApi> api_;
};

TEST_F(AgentApiTest, WorksBeforeTheHubHasEverBeenReached) {
  const std::string id = make_visit();
  EXPECT_EQ(saved_, 1);
  const Json record = get("/records/" + id).body;
  EXPECT_EQ(record["scope"], kSchoolScope);
  EXPECT_EQ(record["value"]["visit_date"], "2025-10-09");
  const Json status = get("/status").body;
  EXPECT_EQ(status["head"], 1);
  EXPECT_EQ(status["unacknowledged"], 1);
  EXPECT_EQ(status["device"]["enrolled"], false);
  EXPECT_EQ(status["records"]["by_type"]["visit_record"], 1);
  EXPECT_EQ(status["link"]["state"], "offline");
  link_.bytes_read = 7;
  link_.bytes_written = 8;
  link_.bytes_read_total = 70;
  link_.bytes_written_total = 80;
  const Json link = get("/status").body["link"];
  EXPECT_EQ(link["bytes_read"], 7);
  EXPECT_EQ(link["bytes_written"], 8);
  EXPECT_EQ(link["bytes_read_total"], 70);
  EXPECT_EQ(link["bytes_written_total"], 80);
}

TEST_F(AgentApiTest, TellsHowFarARecordAndItsFilesHaveCome) {
  const std::string content(5000, 'x');
  const std::string name = to_hex(sha256(content).view());
  const std::string id = make_visit();
  const std::string record = "/records/" + id;
  EXPECT_EQ(get(record + "/delivery").body["files"], Json::array());
  const auto edited = post(
      record + "/edits",
      {{"as", "u-sup-001"},
       {"edits",
        {{{"do", "add"},
          {"field", "attachments"},
          {"value", {{"id", "p1"}, {"file_name", "a.jpg"}, {"sha256", name}, {"size", 5000}}}}}}});
  ASSERT_EQ(edited.status, 200) << edited.body.dump();
  Json told = get(record + "/delivery").body;
  EXPECT_EQ(told["state"], "saved");
  EXPECT_EQ(told["words"]["zh"], "已存本机，尚未送达中心");
  EXPECT_EQ(told["ops"], Json({{"own", 2}, {"unsent", 2}, {"unsigned", 0}}));
  ASSERT_EQ(told["files"].size(), 1u);
  EXPECT_EQ(told["files"][0]["state"], "absent");
  EXPECT_EQ(told["files"][0]["file_name"], "a.jpg");
  EXPECT_EQ(get("/status").body["transfer"]["files_absent"], 1);

  connected_ = false;
  EXPECT_EQ(post(record + "/fetch", {{"sha256", name}}).status, 503);
  connected_ = true;
  EXPECT_EQ(post(record + "/fetch", {{"sha256", name}}).status, 202);
  ASSERT_EQ(asked_.size(), 1u);
  EXPECT_EQ(asked_[0].size, 5000u);
  EXPECT_EQ(get(record + "/delivery").body["files"][0]["fetch"]["state"], "asked");
  api_->file_fetched(asked_[0], Error{ErrorCode::not_found, "file: not yours"});
  EXPECT_EQ(get(record + "/delivery").body["files"][0]["fetch"]["state"], "failed");
  files_.whole[sha256(content)] = content;
  EXPECT_EQ(post(record + "/fetch", {{"sha256", name}}).status, 200);
  EXPECT_EQ(get(record + "/delivery").body["files"][0]["state"], "saved");
  EXPECT_EQ(post(record + "/fetch", {{"sha256", std::string(64, '0')}}).status, 404);
  EXPECT_EQ(get("/records/00000000-0000-7000-8000-000000000000/delivery").status, 404);
}

TEST_F(AgentApiTest, TellsWhatAMonthsBytesAllow) {
  replica_->traffic().budget().set_limit(100);
  replica_->traffic().hub_said(now_, read_clock());
  Json month = get("/status").body["transfer"]["month"];
  EXPECT_EQ(month["month"], "2025-10");
  EXPECT_EQ(month["state"], "within");
  replica_->traffic().frame(ByteKind::text, 100);
  month = get("/status").body["transfer"]["month"];
  EXPECT_EQ(month["state"], "used_up");
  EXPECT_EQ(month["files_may_go"], false);
  replica_->traffic().budget().set_free(true);
  EXPECT_EQ(get("/status").body["transfer"]["month"]["state"], "free_road");
}

TEST_F(AgentApiTest, ShowsTheSameAfterARestart) {
  const std::string id = make_visit();
  const Json before = get("/records/" + id).body;
  start();
  const Json after = get("/records/" + id).body;
  EXPECT_EQ(after["value"], before["value"]);
  EXPECT_EQ(get("/records?type=visit_record").body["records"].size(), 1u);
}

TEST_F(AgentApiTest, FiltersListsBySchoolDateAndState) {
  make_visit("2025-10-09");
  make_visit("2025-11-03");
  EXPECT_EQ(get("/records?school_id=sch-001").body["records"].size(), 2u);
  EXPECT_EQ(get("/records?school_id=sch-002").body["records"].size(), 0u);
  EXPECT_EQ(get("/records?from=2025-10-10").body["records"].size(), 1u);
  EXPECT_EQ(get("/records?to=2025-10-10").body["records"].size(), 1u);
  EXPECT_EQ(get("/records?state=draft").body["records"].size(), 2u);
  EXPECT_EQ(get("/records?state=accepted").body["records"].size(), 0u);
}

TEST_F(AgentApiTest, KeepsTheListUpToDateWithEdits) {
  const std::string id = make_visit();
  ASSERT_EQ(get("/records?from=2025-12-01").body["records"].size(), 0u);
  const Json edit = {{"do", "set"}, {"field", "visit_date"}, {"value", "2025-12-01"}};
  ASSERT_EQ(post("/records/" + id + "/edits", {{"as", "u-sup-001"}, {"edits", Json::array({edit})}})
                .status,
            200);
  EXPECT_EQ(get("/records?from=2025-12-01").body["records"].size(), 1u);
}

TEST_F(AgentApiTest, SaysThatNothingWasSavedWhenTheDiskIsFull) {
  disk_.full = true;
  const auto answer =
      post("/records",
           {{"type", "visit_record"}, {"as", "u-sup-001"}, {"value", {{"school_id", "sch-001"}}}});
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body["error"]["code"], "storage_failed");
  EXPECT_EQ(saved_, 0);
  disk_.full = false;
  make_visit();
  EXPECT_EQ(get("/records").body["records"].size(), 1u);
}

TEST_F(AgentApiTest, RefusesASecondRecordWithTheSameId) {
  const Json body = {{"type", "visit_record"},
                     {"as", "u-sup-001"},
                     {"id", "0199027c-d700-7867-b438-4bb4a48f4cf7"},
                     {"value", {{"school_id", "sch-001"}}}};
  EXPECT_EQ(post("/records", body).status, 201);
  const auto again = post("/records", body);
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.body["error"]["code"], "conflict");
}

TEST_F(AgentApiTest, SwitchesTheLink) {
  EXPECT_EQ(post("/link", {{"enabled", false}}).status, 200);
  EXPECT_FALSE(enabled_);
  EXPECT_EQ(post("/link", {{"enabled", "no"}}).status, 400);
}

TEST_F(AgentApiTest, NoticesAClockThatIsBehindTheHub) {
  EXPECT_TRUE(get("/status").body["clock"]["skew"].is_null());
  sync::v1::Welcome welcome;
  welcome.set_epoch(7);
  welcome.set_hub_time_ms((now_ + hours(1)).ms);
  ASSERT_TRUE(replica_->welcomed(welcome));
  EXPECT_EQ(get("/status").body["clock"]["skew"], "behind");
}

TEST_F(AgentApiTest, NoticesAClockThatTheHubFoundAhead) {
  link_.clock_offset = hours(24);
  EXPECT_EQ(get("/status").body["clock"]["skew"], "ahead");
  link_.clock_offset = seconds(3);
  EXPECT_TRUE(get("/status").body["clock"]["skew"].is_null());
}

TEST_F(AgentApiTest, ImportsAWholeTermWithFewCommits) {
  Json many = Json::array();
  for (int n = 0; n < 450; ++n) {
    many.push_back({{"type", "visit_record"},
                    {"as", "u-sup-001"},
                    {"import", true},
                    {"id", to_uuid_text(registry_record_id("visit", std::to_string(n)).view())},
                    {"value", {{"school_id", "sch-001"}, {"visit_date", "2025-09-01"}}}});
  }
  const auto answer = post("/records", {{"records", std::move(many)}});
  ASSERT_EQ(answer.status, 201) << answer.body.dump();
  EXPECT_EQ(answer.body["saved"], 450);
  EXPECT_EQ(saved_, 3);
  EXPECT_EQ(replica_->state().head(), 450u);
}

TEST_F(AgentApiTest, TellsOfAnExportInItsOwnStreamBeforeItAnswers) {
  make_visit();
  const Json exported = get("/export?type=visit_record").body;
  EXPECT_EQ(exported["records"].size(), 1u);
  const Json status = get("/status").body;
  EXPECT_EQ(status["head"], 2);
  EXPECT_EQ(status["records"]["by_type"]["audit_event"], 1);
  const Json told = get("/export?type=audit_event").body["records"];
  ASSERT_EQ(told.size(), 1u);  // this export is told of behind it
  EXPECT_EQ(told[0]["action"], "record.export");
  EXPECT_EQ(told[0]["target_type"], "visit_record");
  EXPECT_EQ(told[0]["detail"], "done: 1 records");
}

TEST_F(AgentApiTest, KeepsItsAuditLogFromPeopleOfTheSchool) {
  make_visit();
  get("/export?type=visit_record");
  const Subject principal{.kind = Subject::Kind::person,
                          .place = Subject::Place::agent,
                          .person = "u-pri-001",
                          .school_id = "sch-001",
                          .grants = {{record::v1::ROLE_PRINCIPAL, kSchoolScope}}};
  const auto answer = api_->dispatch({.method = "GET",
                                      .target = "/api/v1/records?type=audit_event",
                                      .body = {},
                                      .subject = principal});
  EXPECT_TRUE(!answer.ok() || answer.body["records"].empty()) << answer.body.dump();
}

TEST_F(AgentApiTest, ExportsNothingThatItCannotTellOf) {
  make_visit();
  disk_.full = true;
  EXPECT_FALSE(get("/export?type=visit_record").ok());
}

TEST_F(AgentApiTest, NeedsForEachOperationWhatItsDescriptionSays) {
  MemoryText tries;
  MemoryText provisional;
  api::SignInDesk desk({.source = *records_,
                        .random = random_,
                        .tries = tries,
                        .provisional = &provisional,
                        .place = Subject::Place::agent,
                        .clock = [this] { return read_clock().monotonic; }});
  AgentApi whole(
      *replica_, *records_, [this] { return read_clock(); }, "1.0", AgentHooks{}, &desk);
  MemoryShelf shelf;
  MemoryText kept;
  FileDesk files(FileDesk::Parts{
      .source = *records_, .shelf = shelf, .kept = kept, .random = random_, .now = [this] {
        return now_;
      }});
  files.add_to(whole.router());
  // The program itself answers these: they wait.
  expect_same_needs(whole.router(), "agent.openapi.yaml",
                    {"POST /sync", "GET /usb", "POST /usb/export", "POST /usb/import",
                     "POST /bundles/export", "POST /bundles/import"});
}

}  // namespace
}  // namespace duhui::agent

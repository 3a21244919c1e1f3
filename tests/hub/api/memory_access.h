#pragma once

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "hub/api/hub_access.h"
#include "hub/api/hub_api.h"
#include "hub/core/domain_rules.h"
#include "hub/core/jobs.h"
#include "shared/record/json_text.h"
#include "shared/sync/stream_chain.h"
#include "tests/support/memory_hub_store.h"
#include "tests/support/response_log.h"
#include "tests/support/subjects.h"

namespace duhui::hub::testing {

using Json = nlohmann::json;

/// A hub in memory, its clock in the test's hand.
class MemoryAccess final : public HubAccess {
 public:
  MemoryAccess() {
    facts_.id = HubId::random(random_);
    facts_.name = "测试中心";
    facts_.version = "test";
    facts_.origin = Origin::random(random_);
    facts_.pin = std::string(32, 'p');
    facts_.addresses = {.devices_host = "127.0.0.1", .devices_port = 7443};
  }

  const HubFacts& facts() const override { return facts_; }
  WallTime now() override { return now_; }
  MonotonicTime monotonic() override { return monotonic_; }
  void pass(Duration time) { monotonic_ = monotonic_ + time; }
  Status read(const std::function<Status(HubTransaction&, OpReader&)>& work) override {
    return store_.read([&](HubTransaction& tx) { return work(tx, ops_); });
  }
  Status change(const std::function<Status(HubTransaction&)>& work) override {
    return store_.write(work);
  }
  Result<std::vector<Dot>> save(std::vector<Intent> intents) override {
    now_ = now_ + seconds(1);
    StorageContext context{store_, ops_, rules_, random_, key_};
    SaveJob job(facts_.origin, hlc_, now_, std::move(intents));
    job.run(context);
    if (job.failed) return *job.failed;
    hlc_ = job.hlc;
    return job.dots;
  }
  Result<Decided> decide(Decision decision,
                         std::vector<Dot> dots,
                         const std::string& person) override {
    now_ = now_ + seconds(1);
    StorageContext context{store_, ops_, rules_, random_, key_};
    DecideJob job(facts_.origin, hlc_, now_, decision, std::move(dots), person);
    job.run(context);
    if (job.failed) return *job.failed;
    hlc_ = job.hlc;
    return job.decided;
  }
  std::set<DeviceId> connected_devices() override { return connected_; }
  void drop_device(const DeviceId& device, const std::string&) override {
    connected_.erase(device);
  }
  Random& random() override { return random_; }
  const SigningKey& key() const override { return key_; }
  Status check_database() override { return Done{}; }
  BlobStore* files() override { return files_; }
  void keep_files(BlobStore& files) { files_ = &files; }
  bool stopping() override { return false; }

  /// A batch that a device sent.
  Status receive(const sync::v1::Batch& batch, const DeviceRow& device) {
    return store_.write([&](HubTransaction& tx) -> Status {
      Ingest ingest(tx, ops_, rules_, key_, now_);
      DUHUI_TRY(outcome, ingest.take({.batch = batch,
                                      .device = device.id,
                                      .public_key = device.public_key,
                                      .scopes = device.scopes,
                                      .device_clock = {.wall = now_, .monotonic = {}, .boot = 0},
                                      .hub_clock = now_},
                                     nullptr));
      if (!outcome.refused.empty()) return Error{ErrorCode::refused, outcome.refused};
      return ingest.finish(facts_.origin, hlc_);
    });
  }
  /// One op of a device, as the next of its stream.
  void receive(const DeviceRow& device, const Origin& origin, const std::string& op) {
    now_ = now_ + seconds(1);
    IncomingBatch incoming{.batch = {},
                           .device = device.id,
                           .public_key = key_.public_key().str(),
                           .scopes = device.scopes,
                           .device_clock = {.wall = now_, .monotonic = {}, .boot = 0},
                           .hub_clock = now_};
    const auto done = store_.write([&](HubTransaction& tx) -> Status {
      DUHUI_TRY(stream, tx.streams().get(origin));
      const std::uint64_t seq = stream ? stream->head + 1 : 1;
      ops_.codec().pack({op}, kEveryPacking, &incoming.batch);
      incoming.batch.set_origin(origin.str());
      incoming.batch.set_first_seq(seq);
      incoming.batch.set_chain(extend_chain(stream ? stream->chain : empty_chain(), op));
      incoming.batch.set_signature(
          key_.sign(batch_statement(Dot{origin, seq}, incoming.batch.chain())));
      Ingest ingest(tx, ops_, rules_, key_, now_);
      DUHUI_TRY(outcome, ingest.take(incoming, nullptr));
      EXPECT_EQ(outcome.through, seq) << outcome.refused;
      return ingest.finish(facts_.origin, hlc_);
    });
    EXPECT_TRUE(done) << done.error().detail;
  }
  void set_addresses(HubAddresses addresses) { facts_.addresses = std::move(addresses); }
  MemoryHubStore& store() { return store_; }
  void connect(const DeviceId& device) { connected_.insert(device); }

 private:
  BlobStore* files_ = nullptr;
  MemoryHubStore store_;
  OpReader ops_{8u << 20};
  DomainRules rules_;
  SeededRandom random_{7};
  SigningKey key_ = SigningKey::generate(random_);
  HubFacts facts_;
  WallTime now_{1'760'000'000'000};  // 2025-10-09
  MonotonicTime monotonic_{1'000'000};
  std::uint64_t hlc_ = 0;
  std::set<DeviceId> connected_;
};

/// A hub in memory with its API.
struct TestHub {
  MemoryAccess access;
  HubApi api{access};

  api::ApiResponse ask(std::string_view method, const std::string& path, const std::string& body) {
    const std::string target = "/api/v1" + path;
    api::ApiResponse answer = api::settled(api.answer(
        api::ApiCall{.method = method, .target = target, .body = body, .subject = kHubOperator}));
    if (answer.file) {
      const std::string& type = answer.file->content_type;
      log_response(method, target, answer.status, "", type.substr(0, type.find(';')));
    } else {
      log_response(method, target, answer.status, answer.body);
    }
    return answer;
  }
  api::ApiResponse get(const std::string& path) { return ask("GET", path, ""); }
  api::ApiResponse post(const std::string& path, const Json& body) {
    return ask("POST", path, json_text(body));
  }
  /// The body of an answer that must be a success.
  Json got(const std::string& path) { return body_of(get(path)); }
  Json posted(const std::string& path, const Json& body) { return body_of(post(path, body)); }

  void import(const std::string& kind, const Json& rows) {
    // Braces around one object are that object to the library.
    posted("/import", {{"kind", kind}, {"rows", rows.is_array() ? rows : Json::array({rows})}});
  }
  /// A city with one district, two schools, a supervisor and an officer.
  void furnish() {
    import("orgs", {{{"id", "org-430200"},
                     {"kind", "city"},
                     { "name",
                       "株洲市" }},
                    { {"id", "org-430202"},
                      {"kind", "district"},
                      {"name", "荷塘区"},
                      { "parent_id",
                        "org-430200" } }});
    Json schools = Json::array();
    for (const char* id : {"sch-001", "sch-002"}) {
      schools.push_back({{"id", id},
                         {"name", std::string("小学") + id},
                         {"code", std::string("943020200") + id[6]},
                         {"district_id", "org-430202"},
                         {"zone_id", "zone-430202-1"}});
    }
    import("schools", schools);
    import("users", {{{"id", "u-sup-001"},
                      {"name", "王督学"},
                      { "role",
                        "responsible_supervisor" }},
                     {{"id", "u-sup-002"},
                      {"name", "李督学"},
                      { "role",
                        "responsible_supervisor" }},
                     {{"id", "u-off-1"},
                      {"name", "区督导室"},
                      { "role",
                        "district_officer" }},
                     { {"id", "u-con-001"},
                       {"name", "联络员"},
                       { "role",
                         "school_contact" } }});
  }

 private:
  static Json body_of(const api::ApiResponse& answer) {
    EXPECT_TRUE(answer.ok()) << json_text(answer.body);
    return answer.ok() ? answer.body : Json::object();
  }
};

}  // namespace duhui::hub::testing

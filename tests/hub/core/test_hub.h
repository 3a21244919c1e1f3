#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "hub/core/hub_core.h"
#include "shared/merge/hybrid_clock.h"
#include "shared/sync/frame_codec.h"
#include "shared/sync/limits.h"
#include "shared/sync/payload_codec.h"
#include "shared/sync/stamps.h"
#include "shared/sync/stream_chain.h"
#include "tests/support/memory_blob_store.h"
#include "tests/support/memory_hub_store.h"

namespace duhui::hub {

inline constexpr std::int64_t kNow = 1'760'000'000'000;
inline constexpr char kSchool[] = "city/zone/school";

inline RecordId record_id(char byte) {
  RecordId id;
  id.bytes.fill(byte);
  return id;
}

/// Rules that know nothing and have no follow-ups.
class NoRules final : public RecordRules {
 public:
  RecordSummary summarize(const RecordState&) override { return {}; }
  RecordSummary summarize_new(const Dot&, const sync::v1::Op&) override { return {}; }
  Result<Standing> standing_of(RecordLookup&, const std::string&) override { return Standing{}; }
  Judgement judge(const Standing&,
                  const std::vector<std::string>&,
                  WallTime,
                  std::string_view,
                  const sync::v1::Op& op) override {
    return {.rank = op.person() == "boss" ? 6u : 2u, .proposal = op.person() == "stranger"};
  }
  bool is_made_at_hub(std::uint32_t) override { return false; }
  Result<std::vector<Intent>> follow_ups(RecordLookup&,
                                         const std::vector<RecordId>&,
                                         WallTime) override {
    return std::vector<Intent>{};
  }
};

/// A device's stream, written by hand: also one that breaks every rule.
struct TestWriter {
  explicit TestWriter(std::uint64_t seed)
      : random(seed),
        id(DeviceId::random(random)),
        key(SigningKey::generate(random)),
        origin(Origin::random(random)) {}

  static sync::v1::Op creating(char record, std::string scope = kSchool) {
    sync::v1::Op op;
    op.set_record_id(record_id(record).str());
    op.set_record_type(9);
    op.set_creates(true);
    op.set_scope(std::move(scope));
    op.set_person("wang");
    op.set_rank(2);
    op.mutable_time()->set_hlc(static_cast<std::uint64_t>(kNow) << 16);
    sync::v1::Write* write = op.add_writes();
    write->set_field(3);
    write->set_value(std::string("text ") + record);
    return op;
  }
  static sync::v1::Op editing(char record, const Dot& born) {
    sync::v1::Op op = creating(record);
    op.clear_creates();
    op.clear_scope();
    op.mutable_born()->set_origin(born.origin.str());
    op.mutable_born()->set_seq(born.seq);
    return op;
  }

  void write(const sync::v1::Op& op) { write_bytes(op.SerializeAsString()); }
  void write_bytes(std::string bytes) {
    chains.push_back(extend_chain(chain(), bytes));
    ops.push_back(std::move(bytes));
  }
  std::uint64_t head() const { return ops.size(); }
  std::string chain() const { return chains.empty() ? empty_chain() : chains.back(); }
  Dot dot(std::uint64_t seq) const { return {origin, seq}; }

  sync::v1::Batch batch(std::uint64_t first, std::uint64_t last) const {
    sync::v1::Batch out;
    PayloadCodec codec;
    const auto from = static_cast<std::ptrdiff_t>(first - 1);
    codec.pack({ops.begin() + from, ops.begin() + static_cast<std::ptrdiff_t>(last)}, kEveryPacking,
               &out);
    out.set_origin(origin.str());
    out.set_first_seq(first);
    out.set_chain(chains[last - 1]);
    out.set_signature(key.sign(batch_statement(dot(last), out.chain())));
    return out;
  }

  sync::v1::Hello hello(std::string_view binding) const {
    sync::v1::Hello out;
    out.set_version(1);
    out.set_device_id(id.str());
    out.set_public_key(key.public_key().str());
    out.set_proof(key.sign(device_statement(binding, id, key.public_key().view())));
    out.mutable_head()->set_origin(origin.str());
    out.mutable_head()->set_seq(head());
    out.mutable_head()->set_chain(chain());
    out.mutable_acknowledged()->set_origin(origin.str());
    out.mutable_clock()->set_wall_ms(kNow);
    out.set_credit(sync_limits::kDownstreamCredit);
    return out;
  }

  SeededRandom random;
  DeviceId id;
  SigningKey key;
  Origin origin;
  std::vector<std::string> ops;
  std::vector<std::string> chains;
};

/// A hub on a database in memory; jobs run at once, in order.
struct TestHub {
  explicit TestHub(HubLimits limits = {})
      : random(99),
        identity{HubId::random(random), SigningKey::generate(random), Origin::random(random)},
        core(identity, "test", limits) {}

  void enrol(const TestWriter& device, std::vector<std::string> scopes = {"city/zone"}) {
    DeviceRow row;
    row.id = device.id;
    row.public_key = device.key.public_key().str();
    row.name = "a school";
    row.scopes = std::move(scopes);
    ASSERT_TRUE(store.write([&](HubTransaction& tx) { return tx.devices().put(row); }));
  }

  /// Opens a session and greets.
  SessionId connect(const TestWriter& device) {
    const SessionId id = open();
    say_hello(id, device.hello("binding"));
    return id;
  }
  SessionId open() {
    const SessionId id = ++sessions;
    perform(core.opened(id, "binding", {now}));
    return id;
  }
  void say_hello(SessionId id, const sync::v1::Hello& hello) {
    sync::v1::Frame frame;
    *frame.mutable_hello() = hello;
    say(id, frame);
  }
  void say_batch(SessionId id, const sync::v1::Batch& batch) {
    sync::v1::Frame frame;
    *frame.mutable_batch() = batch;
    say(id, frame);
  }
  void say(SessionId id, const sync::v1::Frame& frame) { say_bytes(id, encode_frame(frame)); }
  void say_bytes(SessionId id, std::string_view bytes) {
    perform(core.received(id, bytes, {kNow + now}, {now}));
  }

  void perform(HubEffects effects) {
    for (HubEffect& effect : effects) {
      if (auto* send = std::get_if<SendTo>(&effect)) {
        auto frame = decode_frame(send->frame);
        ASSERT_TRUE(frame);
        heard[send->session].push_back(std::move(*frame));
      } else if (const auto* close = std::get_if<CloseSession>(&effect)) {
        closed.insert(close->session);
      } else if (auto* run = std::get_if<RunJob>(&effect)) {
        waiting.push_back(std::move(run->job));
      }
    }
    while (jobs_run && !waiting.empty()) run_waiting(0);
  }
  /// One job, with `jobs_run` off.
  void run_waiting(std::size_t at) {
    auto job = std::move(waiting.at(at));
    waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(at));
    StorageContext context{store, ops, rules, random, identity.key, &files, &files};
    job->run(context);
    perform(core.job_done(std::move(job), {kNow + now}, {now}));
  }

  /// The newest frame of `kind` that the session heard; empty: none.
  sync::v1::Frame last(SessionId id, sync::v1::Frame::BodyCase kind) {
    const auto& frames = heard[id];
    for (auto at = frames.rbegin(); at != frames.rend(); ++at) {
      if (at->body_case() == kind) return *at;
    }
    return {};
  }
  sync::v1::Goodbye goodbye(SessionId id) { return last(id, sync::v1::Frame::kGoodbye).goodbye(); }
  sync::v1::Ack ack(SessionId id) { return last(id, sync::v1::Frame::kAck).ack(); }
  sync::v1::Welcome welcome(SessionId id) { return last(id, sync::v1::Frame::kWelcome).welcome(); }
  bool is_closed(SessionId id) const { return closed.contains(id); }

  const RecordRow* record(char byte) {
    const auto at = store.state().records.find(record_id(byte));
    return at == store.state().records.end() ? nullptr : &at->second;
  }
  FeedHead feed(const std::string& scope) {
    const auto at = store.state().feed_heads.find(scope);
    return at == store.state().feed_heads.end() ? FeedHead{} : at->second;
  }

  SeededRandom random;
  HubIdentity identity;
  MemoryHubStore store;
  MemoryBlobStore files;
  OpReader ops{1 << 20};
  NoRules rules;
  HubCore core;
  std::int64_t now = 0;
  SessionId sessions = 0;
  bool jobs_run = true;
  std::vector<std::unique_ptr<Job>> waiting;
  std::map<SessionId, std::vector<sync::v1::Frame>> heard;
  std::set<SessionId> closed;
};

}  // namespace duhui::hub

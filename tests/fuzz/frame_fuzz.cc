// Any bytes as frames, to a device and to a hub in the middle of a conversation; and any bytes as
// ops of a device that signs them properly. Nothing crashes, and nothing that was saved goes away.

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "agent/core/replica.h"
#include "agent/core/sync_session.h"
#include "hub/core/hub_core.h"
#include "shared/sync/frame_codec.h"
#include "shared/sync/payload_codec.h"
#include "shared/sync/stream_chain.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/no_rules.h"
#include "tests/support/memory_hub_store.h"
#include "tests/support/memory_store.h"

namespace duhui {
namespace {

constexpr std::int64_t kNow = 1'760'000'000'000;
constexpr std::size_t kFramesMax = 64;  // of one input, both ways

RecordId record_id(char byte) {
  RecordId id;
  id.bytes.fill(byte);
  return id;
}

Intent intent_for(char record) {
  Intent intent;
  intent.record = record_id(record);
  intent.type = 1;
  intent.creates = true;
  intent.scope = "city/school";
  intent.person = "wang";
  intent.writes = {{{3, {}}, std::string("\x1a\x01x")}};
  return intent;
}

/// A device and a hub, live, with one record of each; and a second device that only writes.
struct World {
  World()
      : random(1),
        identity{DeviceId::random(random), SigningKey::generate(random), {}},
        writer{DeviceId::random(random), SigningKey::generate(random), {}},
        writer_origin(Origin::random(random)),
        hub_identity{HubId::random(random), SigningKey::generate(random), Origin::random(random)},
        core(hub_identity, "fuzz") {
    enrol(identity);
    enrol(writer);
    auto opened = agent::Replica::open(store, journal, random, clock(), false);
    fuzz::require(opened.has_value(), "a replica opens on an empty disk");
    replica = std::move(*opened);
    fuzz::require(replica->save({intent_for('d')}, clock()).has_value(), "a device saves");
    perform(core.opened(1, "binding", {now}));
    session = std::make_unique<agent::SyncSession>(*replica, identity, "fuzz");
    perform(session->link_up("binding", clock()));
    fuzz::require(session->state() == agent::SyncSession::State::live, "they greet each other");
    perform(core.opened(2, "binding", {now}));
    hear_hub(2, encode_frame(writers_hello()));
  }

  ClockReading clock() {
    ++now;
    return {.wall = {kNow + now}, .monotonic = {now}, .boot = 1};
  }

  void enrol(const agent::DeviceIdentity& who) {
    hub::DeviceRow row;
    row.id = who.id;
    row.public_key = who.key.public_key().str();
    row.scopes = {"city"};
    fuzz::require(
        hub_store.write([&](hub::HubTransaction& tx) { return tx.devices().put(row); }).has_value(),
        "a device is enrolled");
  }

  sync::v1::Frame writers_hello() const {
    sync::v1::Frame frame;
    sync::v1::Hello& hello = *frame.mutable_hello();
    hello.set_version(1);
    hello.set_device_id(writer.id.str());
    hello.set_public_key(writer.key.public_key().str());
    hello.set_proof(
        writer.key.sign(device_statement("binding", writer.id, writer.key.public_key().view())));
    hello.mutable_head()->set_origin(writer_origin.str());
    hello.set_credit(1 << 20);
    return frame;
  }

  /// The next op of the second device's stream: any bytes, properly chained and signed.
  void write_op(std::string_view op) {
    writer_chain = extend_chain(writer_chain, op);
    ++writer_head;
    sync::v1::Frame frame;
    sync::v1::Batch& batch = *frame.mutable_batch();
    codec.pack({op}, kEveryPacking, &batch);
    batch.set_origin(writer_origin.str());
    batch.set_first_seq(writer_head);
    batch.set_chain(writer_chain);
    batch.set_signature(
        writer.key.sign(batch_statement(Dot{writer_origin, writer_head}, writer_chain)));
    hear_hub(2, encode_frame(frame));
  }

  void hear_hub(hub::SessionId id, std::string_view bytes) {
    if (++frames > kFramesMax) return;
    ++now;
    perform(core.received(id, bytes, {kNow + now}, {now}));
  }
  void hear_agent(std::string_view bytes) {
    if (++frames > kFramesMax) return;
    perform(session->received(bytes, clock()));
  }

  void perform(std::vector<agent::Effect> effects) {
    for (const agent::Effect& effect : effects) {
      if (const auto* send = std::get_if<agent::Send>(&effect)) hear_hub(1, send->frame);
    }
  }
  void perform(hub::HubEffects effects) {
    for (hub::HubEffect& effect : effects) {
      if (const auto* send = std::get_if<hub::SendTo>(&effect)) {
        if (send->session == 1 && session) hear_agent(send->frame);
      } else if (auto* run = std::get_if<hub::RunJob>(&effect)) {
        hub::StorageContext context{hub_store, ops, rules, random, hub_identity.key};
        run->job->run(context);
        perform(core.job_done(std::move(run->job), {kNow + now}, {now}));
      }
    }
  }

  void check() {
    auto record = replica->record(record_id('d'));
    fuzz::require(record.has_value() && record->has_value(), "what was saved is there");
    fuzz::require(replica->state().acknowledged() <= replica->state().head(),
                  "acknowledged was saved");
    const auto& streams = hub_store.state().streams;
    const auto at = streams.find(writer_origin);
    fuzz::require(at == streams.end() || at->second.head <= writer_head, "the hub makes up no ops");
    for (const auto& [scope, head] : hub_store.state().feed_heads) {
      std::uint64_t sum = 0;
      for (const auto& [id, row] : hub_store.state().records) {
        if (row.scope == scope) sum += row.checksum;
      }
      fuzz::require(sum == head.checksum, "a feed's checksum is that of its records");
    }
  }

  SeededRandom random;
  std::int64_t now = 0;
  std::size_t frames = 0;
  agent::DeviceIdentity identity;
  agent::DeviceIdentity writer;
  Origin writer_origin;
  std::string writer_chain = empty_chain();
  std::uint64_t writer_head = 0;
  PayloadCodec codec;
  agent::MemoryDisk disk;
  agent::MemoryKvStore store{disk};
  agent::MemoryJournal journal{disk};
  std::unique_ptr<agent::Replica> replica;
  std::unique_ptr<agent::SyncSession> session;
  hub::HubIdentity hub_identity;
  hub::MemoryHubStore hub_store;
  hub::OpReader ops{1 << 20};
  fuzz::NoRules rules;
  hub::HubCore core;
};

void run(fuzz::Input input) {
  World world;
  world.frames = 0;
  while (!input.empty() && world.frames < kFramesMax) {
    switch (input.byte() % 4) {
      case 0:
        world.hear_agent(input.part());
        break;
      case 1:
        world.hear_hub(1, input.part());
        break;
      case 2:
        world.hear_hub(2, input.part());
        break;
      default:
        world.write_op(input.part());
        break;
    }
  }
  world.check();
}

}  // namespace
}  // namespace duhui

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  duhui::run(duhui::fuzz::Input(bytes, size));
  return 0;
}

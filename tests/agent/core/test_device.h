#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "agent/core/replica.h"
#include "agent/core/sync_session.h"
#include "shared/base/random.h"
#include "shared/sync/frame_codec.h"
#include "shared/sync/stream_chain.h"
#include "tests/support/memory_store.h"

namespace duhui::agent {

inline constexpr std::uint32_t kType = 9;
inline constexpr char kScope[] = "city/school";
inline constexpr std::int64_t kStart = 1'760'000'000'000;

inline RecordId record_id(char byte) {
  RecordId id;
  id.bytes.fill(byte);
  return id;
}

/// A device on a disk in memory, at a clock that the test moves.
struct TestDevice {
  explicit TestDevice(std::uint64_t seed)
      : random(seed), identity{DeviceId::random(random), SigningKey::generate(random), {}} {
    open();
  }

  void open(bool salvaged = false) {
    replica.reset();
    store = std::make_unique<MemoryKvStore>(disk);
    journal = std::make_unique<MemoryJournal>(disk);
    auto opened = Replica::open(*store, *journal, random, clock(), salvaged);
    ASSERT_TRUE(opened) << to_string(opened.error());
    replica = std::move(*opened);
  }

  ClockReading clock() {
    ++now;
    return {.wall = {kStart + now}, .monotonic = {now}, .boot = boot};
  }

  /// Field 3 of record `record` becomes `text`; the first save creates the record.
  Intent intent(char record, std::string text, std::uint32_t field = 3) {
    Intent intent;
    intent.record = record_id(record);
    intent.type = kType;
    const auto known = replica->record(intent.record);
    EXPECT_TRUE(known);
    intent.creates = !known || !*known;
    if (intent.creates) intent.scope = kScope;
    intent.person = "wang";
    intent.rank = 2;
    intent.writes = {{{field, {}}, std::move(text)}};
    return intent;
  }
  Result<std::vector<Dot>> save(char record, std::string text) {
    return replica->save({intent(record, std::move(text))}, clock());
  }
  void save_all(const std::string& records) {
    for (const char record : records) ASSERT_TRUE(save(record, std::string("text ") + record));
  }

  /// The live values of field 3, in dot order; empty: no such record.
  std::vector<std::string> texts(char record) {
    std::vector<std::string> all;
    auto state = replica->record(record_id(record));
    EXPECT_TRUE(state);
    if (!state || !*state) return all;
    const Register* reg = (*state)->find({3, {}});
    if (reg == nullptr) return all;
    for (const RegisterWrite& write : reg->live) all.push_back(write.value.value_or("(cleared)"));
    return all;
  }

  std::uint64_t head() const { return replica->state().head(); }
  std::uint64_t acknowledged() const { return replica->state().acknowledged(); }

  MemoryDisk disk;
  SeededRandom random;
  DeviceIdentity identity;
  std::unique_ptr<MemoryKvStore> store;
  std::unique_ptr<MemoryJournal> journal;
  std::unique_ptr<Replica> replica;
  std::int64_t now = 0;
  std::uint32_t boot = 1;
};

/// Own ops [first, last] of `device` as the hub would send or take them.
inline sync::v1::Batch run_of(TestDevice& device, std::uint64_t first, std::uint64_t last) {
  sync::v1::Batch batch;
  auto ops = device.replica->own_ops(first, 1 << 20, static_cast<std::uint32_t>(last - first + 1));
  EXPECT_TRUE(ops && ops->size() == last - first + 1);
  std::vector<std::string_view> views;
  for (const Replica::OwnOp& own : *ops) views.push_back(own.op);
  PayloadCodec codec;
  batch.set_origin(device.replica->origin().str());
  batch.set_first_seq(first);
  codec.pack(views, kEveryPacking, &batch);
  batch.set_chain(ops->back().chain);
  return batch;
}

inline sync::v1::FeedPage page_of(std::vector<sync::v1::Batch> runs, std::uint64_t after) {
  sync::v1::FeedPage page;
  page.set_scope(kScope);
  page.set_after(after);
  std::uint64_t through = after;
  for (sync::v1::Batch& run : runs) {
    through += run.count();
    *page.add_runs() = std::move(run);
  }
  page.set_through(through);
  page.set_hub_time_ms(kStart + 500);
  return page;
}

inline sync::v1::Ack ack_of(TestDevice& device, std::uint64_t through) {
  sync::v1::Ack ack;
  ack.set_origin(device.replica->origin().str());
  ack.set_through(through);
  auto chain = device.replica->chain_at(through);
  EXPECT_TRUE(chain);
  ack.set_chain(chain && *chain ? **chain : std::string(32, 'c'));
  ack.set_hub_time_ms(kStart + 1000);
  return ack;
}

inline std::vector<sync::v1::Frame> sent(const std::vector<Effect>& effects) {
  std::vector<sync::v1::Frame> frames;
  for (const Effect& effect : effects) {
    const auto* send = std::get_if<Send>(&effect);
    if (send == nullptr) continue;
    auto frame = decode_frame(send->frame);
    EXPECT_TRUE(frame);
    if (frame) frames.push_back(std::move(*frame));
  }
  return frames;
}

inline const CloseLink* closing(const std::vector<Effect>& effects) {
  for (const Effect& effect : effects) {
    if (const auto* close = std::get_if<CloseLink>(&effect)) return close;
  }
  return nullptr;
}

}  // namespace duhui::agent

// How batches wait, are checked ahead, and go in together.

#include <gtest/gtest.h>

#include "tests/hub/core/test_hub.h"

namespace duhui::hub {
namespace {

/// Writers of one op each, greeted; jobs wait until they are run by hand.
struct Rush {
  explicit Rush(int count, HubLimits limits = {}) : hub(limits) {
    for (int n = 0; n < count; ++n) {
      writers.emplace_back(static_cast<std::uint64_t>(n + 1));
      hub.enrol(writers.back());
      ids.push_back(hub.connect(writers.back()));
      writers.back().write(TestWriter::creating(static_cast<char>('a' + n)));
    }
    hub.jobs_run = false;
  }

  void say(std::size_t n) { hub.say_batch(ids[n], writers[n].batch(1, writers[n].head())); }
  std::uint64_t acknowledged(std::size_t n) { return hub.ack(ids[n]).through(); }
  /// The only job of its kind that waits; null: none.
  template <typename Kind>
  Kind* waiting() {
    const std::size_t at = place_of<Kind>();
    return at == hub.waiting.size() ? nullptr : dynamic_cast<Kind*>(hub.waiting[at].get());
  }
  template <typename Kind>
  void run() {
    hub.run_waiting(place_of<Kind>());
  }
  template <typename Kind>
  std::size_t place_of() {
    std::size_t place = hub.waiting.size();
    for (std::size_t at = 0; at < hub.waiting.size(); ++at) {
      if (dynamic_cast<Kind*>(hub.waiting[at].get()) == nullptr) continue;
      EXPECT_EQ(place, hub.waiting.size()) << "two at a time";
      place = at;
    }
    return place;
  }
  void run_all() {
    hub.jobs_run = true;
    hub.perform({});
  }

  TestHub hub;
  std::vector<TestWriter> writers;
  std::vector<SessionId> ids;
};

TEST(Commit, BeginsAtOnceWhenNoneIsUnderWay) {
  Rush rush(1);
  rush.say(0);
  EXPECT_NE(rush.waiting<CommitJob>(), nullptr);
  EXPECT_EQ(rush.waiting<CheckJob>(), nullptr);
}

TEST(Commit, LeavesTheWorkWithoutDatabaseToACheckWhileAnotherIsUnderWay) {
  Rush rush(3);
  for (const std::size_t n : {0u, 1u, 2u}) rush.say(n);
  ASSERT_NE(rush.waiting<CheckJob>(), nullptr);
  EXPECT_EQ(rush.waiting<CheckJob>()->lane(), Job::Lane::checks);
  rush.run<CheckJob>();  // the third follows as soon as it is back
  ASSERT_NE(rush.waiting<CheckJob>(), nullptr);
  rush.run<CheckJob>();
  rush.run<CommitJob>();
  EXPECT_EQ(rush.acknowledged(0), 1u);
  EXPECT_EQ(rush.acknowledged(1), 0u);
  ASSERT_NE(rush.waiting<CommitJob>(), nullptr);
  ASSERT_EQ(rush.waiting<CommitJob>()->items.size(), 2u);
  for (const auto& item : rush.waiting<CommitJob>()->items) EXPECT_TRUE(item->checked);
  rush.run_all();
  for (const std::size_t n : {0u, 1u, 2u}) EXPECT_EQ(rush.acknowledged(n), 1u);
}

TEST(Commit, WaitsForWhatIsBeingCheckedSoThatNothingOvertakesIt) {
  Rush rush(2);
  rush.say(0);
  rush.writers[0].write(TestWriter::creating('x'));
  rush.hub.say_batch(rush.ids[0], rush.writers[0].batch(2, 2));  // goes to a check
  rush.run<CommitJob>();                                         // the commit is done before it
  ASSERT_NE(rush.waiting<CheckJob>(), nullptr);
  rush.writers[0].write(TestWriter::creating('y'));
  rush.hub.say_batch(rush.ids[0], rush.writers[0].batch(3, 3));
  EXPECT_EQ(rush.waiting<CommitJob>(), nullptr);
  rush.run<CheckJob>();
  ASSERT_NE(rush.waiting<CommitJob>(), nullptr);
  EXPECT_EQ(rush.waiting<CommitJob>()->items.size(), 2u);
  rush.run_all();
  EXPECT_EQ(rush.acknowledged(0), 3u);
}

TEST(Commit, RefusesWhatACheckFoundBroken) {
  Rush rush(2);
  rush.say(0);
  sync::v1::Batch forged = rush.writers[1].batch(1, 1);
  forged.set_signature(std::string(64, 'x'));
  rush.hub.say_batch(rush.ids[1], forged);
  rush.run_all();
  EXPECT_EQ(rush.acknowledged(0), 1u);
  EXPECT_EQ(rush.hub.goodbye(rush.ids[1]).reason(), sync::v1::Goodbye::REASON_PROTOCOL);
  EXPECT_EQ(rush.hub.record('b'), nullptr);
}

TEST(Commit, TakesNoMoreOpsThanMayBeInMemory) {
  HubLimits limits;
  limits.commit_ops_max = 3;
  Rush rush(5, limits);
  for (std::size_t n = 0; n < 5; ++n) rush.say(n);
  while (rush.waiting<CheckJob>() != nullptr) rush.run<CheckJob>();
  rush.run<CommitJob>();
  ASSERT_NE(rush.waiting<CommitJob>(), nullptr);
  EXPECT_EQ(rush.waiting<CommitJob>()->items.size(), 3u);
  rush.run_all();
  for (std::size_t n = 0; n < 5; ++n) EXPECT_EQ(rush.acknowledged(n), 1u);
}

TEST(Commit, TakesABatchThatIsLargerThanTheLimitAlone) {
  HubLimits limits;
  limits.commit_ops_max = 3;
  limits.commit_bytes_max = 10;
  Rush rush(2, limits);
  for (char record = 'k'; record < 'q'; ++record)
    rush.writers[0].write(TestWriter::creating(record));
  rush.say(0);
  rush.say(1);
  rush.run_all();
  EXPECT_EQ(rush.acknowledged(0), 7u);
  EXPECT_EQ(rush.acknowledged(1), 1u);
}

TEST(Commit, CountsWhatABatchUnfoldsTo) {
  HubLimits limits;
  limits.check_bytes_max = 750 << 10;
  limits.checked_bytes_max = 1250 << 10;
  Rush rush(9, limits);
  const std::string zeros(120 << 10, '\0');  // a few bytes on the wire
  for (TestWriter& writer : rush.writers) {
    sync::v1::Op op = TestWriter::creating('z');
    op.set_record_type(60'000);
    op.mutable_writes(0)->set_value(zeros);
    writer.write(op);
    writer.write(op);
  }
  for (std::size_t n = 0; n < 9; ++n) rush.say(n);
  rush.run<CheckJob>();
  ASSERT_NE(rush.waiting<CheckJob>(), nullptr);
  EXPECT_EQ(rush.waiting<CheckJob>()->items.size(), 3u);  // of a quarter of a megabyte each
  rush.run<CheckJob>();
  ASSERT_NE(rush.waiting<CheckJob>(), nullptr);
  rush.run<CheckJob>();
  EXPECT_EQ(rush.waiting<CheckJob>(), nullptr);  // enough
  rush.run_all();
  for (std::size_t n = 0; n < 9; ++n) EXPECT_EQ(rush.acknowledged(n), 3u);
}

TEST(Commit, RefusesABatchOverTheLimitsBeforeItWaits) {
  const auto wrong = std::to_array<void (*)(sync::v1::Batch&)>(
      {[](sync::v1::Batch& batch) { batch.set_count(0); },
       [](sync::v1::Batch& batch) { batch.set_count(sync_limits::kBatchOpsMax + 1); },
       [](sync::v1::Batch& batch) { batch.set_raw_bytes(sync_limits::kBatchRawBytesMax + 1); },
       [](sync::v1::Batch& batch) { batch.add_stamps(); }});
  for (const auto& make_wrong : wrong) {
    Rush rush(1);
    sync::v1::Batch batch = rush.writers[0].batch(1, 1);
    make_wrong(batch);
    rush.hub.say_batch(rush.ids[0], batch);
    EXPECT_EQ(rush.waiting<CommitJob>(), nullptr);
    EXPECT_EQ(rush.hub.goodbye(rush.ids[0]).reason(), sync::v1::Goodbye::REASON_PROTOCOL);
  }
}

TEST(Commit, GoesOnWhenASessionEndsWhileItsBatchIsChecked) {
  Rush rush(2);
  rush.say(0);
  rush.say(1);
  rush.hub.core.closed(rush.ids[1]);
  rush.run_all();
  EXPECT_EQ(rush.acknowledged(0), 1u);
  EXPECT_NE(rush.hub.record('b'), nullptr);  // what came is kept all the same
  EXPECT_TRUE(rush.hub.core.idle());
}

TEST(Commit, ChecksOnlySoMuchAhead) {
  HubLimits limits;
  limits.checked_bytes_max = 1;
  Rush rush(3, limits);
  for (std::size_t n = 0; n < 3; ++n) rush.say(n);
  EXPECT_NE(rush.waiting<CommitJob>(), nullptr);
  EXPECT_EQ(rush.waiting<CheckJob>(), nullptr);
  rush.run_all();
  for (std::size_t n = 0; n < 3; ++n) EXPECT_EQ(rush.acknowledged(n), 1u);
}

}  // namespace
}  // namespace duhui::hub

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/agent/store/script_device.h"
#include "tests/support/faulty_file_system.h"

namespace duhui::agent {
namespace {

using Effect = FaultyFileSystem::Effect;

constexpr std::uint64_t kScriptOps = 2000;
// The script restarts the agent this often; the disk image at a restart is all of the state there
// is, so that a fault behind it can be tried without running what came before again.
constexpr std::uint64_t kOpsPerLife = 50;
constexpr std::uint64_t kAcknowledgeEvery = 25;
constexpr std::uint64_t kPageEvery = 4;
// Sanitizers make each crash point ten times dearer: they look at a sample.
#if defined(DUHUI_SANITIZED)
constexpr std::uint64_t kStep = 23;
constexpr std::uint64_t kWorlds = 12;
constexpr std::uint64_t kFaultPointsMin = 500;
constexpr std::uint64_t kPowerCutsMin = 1'200;
#else
constexpr std::uint64_t kStep = 1;
constexpr std::uint64_t kWorlds = 120;
// What is promised: a store that makes fewer calls one day needs a longer script.
constexpr std::uint64_t kFaultPointsMin = 12'000;
constexpr std::uint64_t kPowerCutsMin = 12'000;
static_assert(kFaultPointsMin + kPowerCutsMin >= 20'000);
#endif

AgentStoreOptions small_options() {
  return {.now = {1'700'000'000'000},
          .database = {.write_buffer_bytes = 64 * 1024,
                       .table_bytes = 1 << 20,
                       .compaction = Compaction::between_calls},
          .journal = {.segment_bytes = 2000},
          .reserve_bytes = 4096};
}

/// Saves the ops (`from`, `to`] of the script; an op that fails is tried again as a person would.
/// Empty: all went well. Gives up when the power is off.
std::string run_ops(ScriptDevice& device,
                    FaultyFileSystem& disk,
                    std::uint64_t from,
                    std::uint64_t to) {
  for (std::uint64_t number = from + 1; number <= to; ++number) {
    Status saved = device.save(script_op(1, number));
    for (int again = 0; !saved && again < 3 && !disk.power_is_off(); ++again) {
      saved = device.save(script_op(1, number));
    }
    if (!saved) return to_string(saved.error());
    if (number % kPageEvery == 0 && !device.take_page() && !device.take_page() &&
        !disk.power_is_off()) {
      return "a page is refused twice";
    }
    if (number % kAcknowledgeEvery == 0 && !device.acknowledge() && !device.acknowledge()) {
      return "acknowledge failed twice";
    }
  }
  return {};
}

/// The disk and the ledger where one life of the script begins, and the calls of that life.
struct Life {
  FaultyFileSystem disk;
  Ledger ledger;
  std::uint64_t first_op = 0;
  std::uint64_t calls = 0;
  std::vector<std::uint64_t> calls_after{};  // by op of this life
};

std::vector<Life> run_script_without_faults() {
  std::vector<Life> lives;
  FaultyFileSystem disk;
  Ledger ledger;
  for (std::uint64_t first = 0; first < kScriptOps; first += kOpsPerLife) {
    disk.forget_nameless();
    Life life{.disk = disk, .ledger = ledger, .first_op = first};
    const std::uint64_t calls_before = disk.calls();
    ScriptDevice device(disk, ledger, small_options());
    const auto started = device.start();
    if (!started) ADD_FAILURE() << to_string(started.error());
    if (!started) return {};
    for (std::uint64_t op = first; op < first + kOpsPerLife; ++op) {
      EXPECT_EQ(run_ops(device, disk, op, op + 1), "");
      life.calls_after.push_back(disk.calls() - calls_before);
    }
    device.stop();
    life.calls = disk.calls() - calls_before;
    lives.push_back(std::move(life));
  }
  return lives;
}

/// Cuts the power, brings it back, starts again: what is wrong then, if anything.
std::string crash_and_check(ScriptDevice& device, FaultyFileSystem& disk, Random& random) {
  disk.cut_power_at(disk.calls(), Effect::none);
  device.stop();
  disk.restore_power(random);
  if (const auto started = device.start(); !started) return to_string(started.error());
  return device.check();
}

struct Tally {
  std::uint64_t crash_points = 0;
  std::uint64_t failures = 0;
  std::uint64_t salvages = 0;

  void count(const std::string& wrong, const std::string& where, ScriptDevice& device) {
    ++crash_points;
    if (device.is_started()) salvages += device.opened().report.rebuilt();
    if (wrong.empty()) return;
    if (++failures <= 10) ADD_FAILURE() << where << ": " << wrong;
  }
};

void try_fault(const Life& life, std::uint64_t call, Effect effect, Tally& tally) {
  // On from the fault for some ops, so that a dead handle that lies is found out.
  constexpr std::uint64_t kOpsBehindFault = 5;
  const std::uint64_t op = static_cast<std::uint64_t>(
      std::lower_bound(life.calls_after.begin(), life.calls_after.end(), call) -
      life.calls_after.begin());
  FaultyFileSystem disk = life.disk;
  Ledger ledger = life.ledger;
  const std::uint64_t begin = disk.calls();
  disk.fail_calls(begin + call, 1, effect);
  ScriptDevice device(disk, ledger, small_options());
  const auto started = device.start();
  std::string wrong = started ? "" : "start: " + to_string(started.error());
  if (wrong.empty()) {
    wrong = run_ops(device, disk, life.first_op,
                    life.first_op + std::min(kOpsPerLife, op + kOpsBehindFault));
  }
  if (wrong.empty() && device.opened().store->health().commits_lost > 0) wrong = "commits lost";
  if (wrong.empty()) wrong = device.check();
  SeededRandom random(call * 2 + (effect == Effect::first));
  if (wrong.empty()) wrong = crash_and_check(device, disk, random);
  tally.count(wrong,
              "life at op " + std::to_string(life.first_op) + ", call " + std::to_string(call) +
                  (effect == Effect::first ? " with" : " without") + " effect",
              device);
}

TEST(CrashPoints, AnErrorAtAnyCallOfTheScriptLosesNothing) {
  const std::vector<Life> lives = run_script_without_faults();
  Tally tally;
  std::uint64_t calls = 0;
  for (const Life& life : lives) {
    calls += life.calls;
    for (std::uint64_t call = 0; call < life.calls; call += kStep) {
      try_fault(life, call, (call / kStep) % 2 == 0 ? Effect::none : Effect::first, tally);
    }
  }
  std::printf(
      "script of %llu ops: %llu file-system calls, each failed once (every other "
      "after its effect), then power cut: %llu crash points, %llu failures, %llu salvages\n",
      static_cast<unsigned long long>(kScriptOps), static_cast<unsigned long long>(calls),
      static_cast<unsigned long long>(tally.crash_points),
      static_cast<unsigned long long>(tally.failures),
      static_cast<unsigned long long>(tally.salvages));
  EXPECT_GE(tally.crash_points, kFaultPointsMin);
  EXPECT_EQ(tally.failures, 0u);
}

/// One disk through many short lives, each ended by a power cut at a random call, also while the
/// agent is starting.
void run_world(std::uint64_t seed, std::uint64_t cuts, Tally& tally) {
  FaultyFileSystem disk;
  Ledger ledger;
  SeededRandom random(seed);
  std::uint64_t number = 0;
  ScriptDevice device(disk, ledger, small_options());
  for (std::uint64_t cut = 0; cut < cuts; ++cut) {
    disk.cut_power_at(disk.calls() + random.below(120),
                      random.below(2) == 0 ? Effect::none : Effect::first);
    if (device.is_started() || device.start()) {
      while (!disk.power_is_off()) {
        ++number;
        if (!device.save(script_op(seed, number))) continue;
        if (number % kPageEvery == 0) static_cast<void>(device.take_page().has_value());
        if (number % kAcknowledgeEvery == 0) static_cast<void>(device.acknowledge().has_value());
      }
    }
    if (!disk.power_is_off()) ADD_FAILURE() << "seed " << seed << ": did not start with power on";
    device.stop();
    disk.restore_power(random);
    // Every other time the check itself runs into the next cut.
    const auto started = device.start();
    std::string wrong = started ? device.check() : "start: " + to_string(started.error());
    tally.count(wrong, "seed " + std::to_string(seed) + ", cut " + std::to_string(cut), device);
    if (random.below(2) == 0) device.stop();
    disk.forget_nameless();
  }
}

TEST(CrashPoints, PowerCutsLoseNothingThatWasSaved) {
  constexpr std::uint64_t kCutsPerWorld = 100;
  Tally tally;
  for (std::uint64_t seed = 1; seed <= kWorlds; ++seed) run_world(seed, kCutsPerWorld, tally);
  std::printf(
      "power cuts at random calls, unsynced data dropped or torn: %llu crash points, %llu "
      "failures, %llu salvages\n",
      static_cast<unsigned long long>(tally.crash_points),
      static_cast<unsigned long long>(tally.failures),
      static_cast<unsigned long long>(tally.salvages));
  EXPECT_GE(tally.crash_points, kPowerCutsMin);
  EXPECT_EQ(tally.failures, 0u);
}

}  // namespace
}  // namespace duhui::agent

#include "tests/agent/store/script_device.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "shared/base/bytes.h"
#include "shared/base/random.h"

namespace duhui::agent {
namespace {

constexpr std::uint64_t kViews = 40;
constexpr std::uint64_t kDeletedEvery = 7;
constexpr int kRecoveriesMax = 5;
constexpr const char* kHeadKey = "head";
constexpr const char* kPagesKey = "pages";

Origin script_origin() {
  Origin origin;
  origin.bytes.fill('s');
  return origin;
}

std::string numbered(const char* prefix, std::uint64_t number) {
  std::string key = prefix;
  append_big_endian_64(key, number);
  return key;
}

std::string op_key(std::uint64_t seq) { return numbered("o/", seq); }

}  // namespace

std::string script_op(std::uint64_t seed, std::uint64_t number) {
  SeededRandom random(seed * 1'000'003 + number);
  std::string op(60 + static_cast<std::size_t>(random.below(100)), '\0');
  random.fill(op.data(), op.size());
  return op;
}

std::uint64_t Ledger::hash(std::string_view op) {
  const std::uint64_t hash = std::hash<std::string_view>{}(op);
  return hash == 0 ? 1 : hash;
}

void Ledger::attempted(std::uint64_t seq, std::string_view op) {
  if (first_attempts_.size() <= seq) first_attempts_.resize(seq + 1);
  if (first_attempts_[seq] == 0) {
    first_attempts_[seq] = hash(op);
  } else {
    more_attempts_.emplace(seq, hash(op));
  }
}

void Ledger::saved(std::uint64_t seq, std::string_view op) {
  if (saved_.size() <= seq) saved_.resize(seq + 1);
  saved_[seq] = hash(op);
}

bool Ledger::was_attempted(std::uint64_t seq, std::uint64_t hash) const {
  if (seq < first_attempts_.size() && first_attempts_[seq] == hash) return true;
  return more_attempts_.contains({seq, hash});
}

KvBatch ScriptDevice::batch_for(std::uint64_t seq, const std::string& op) const {
  KvBatch batch;
  batch.put(op_key(seq), op);
  if (seq % kDeletedEvery == 0) {
    batch.erase(numbered("v/", seq % kViews));
  } else {
    batch.put(numbered("v/", seq % kViews), op);
  }
  batch.put(kHeadKey, numbered("", seq));
  return batch;
}

Status ScriptDevice::read_head() {
  DUHUI_TRY(head, opened_->store->get(kHeadKey));
  head_ = head ? read_big_endian_64(*head) : 0;
  DUHUI_TRY(pages, opened_->store->get(kPagesKey));
  pages_ = pages ? read_big_endian_64(*pages) : 0;
  return Done{};
}

Status ScriptDevice::rebuild_view() {
  // After a salvage the head may be behind the ops or ahead of them: the ops are the truth.
  std::map<std::uint64_t, std::string> ops;
  DUHUI_CHECK_OK(opened_->store->scan("o/", "", [&](std::string_view key, std::string_view op) {
    ops[read_big_endian_64(key.substr(2))] = op;
    return true;
  }));
  KvBatch batch;
  for (std::uint64_t view = 0; view < kViews; ++view) batch.erase(numbered("v/", view));
  for (const auto& [seq, op] : ops) {
    for (auto& change : batch_for(seq, op).changes) {
      if (change.key.starts_with("v/")) batch.changes.push_back(std::move(change));
    }
  }
  batch.put(kHeadKey, numbered("", ops.empty() ? 0 : ops.rbegin()->first));
  // Every page is asked for again.
  DUHUI_CHECK_OK(opened_->store->scan("p/", "", [&](std::string_view key, std::string_view) {
    batch.erase(std::string(key));
    return true;
  }));
  batch.put(kPagesKey, numbered("", 0));
  return opened_->store->commit(batch);
}

Status ScriptDevice::catch_up() {
  DUHUI_CHECK_OK(read_head());
  std::map<std::uint64_t, std::string> in_journal;
  DUHUI_TRY(damaged, opened_->journal->replay([&](const Journal::Entry& entry) {
    in_journal[entry.dot.seq] = entry.op;
  }));
  static_cast<void>(damaged);
  for (const auto& [seq, op] : in_journal) {
    DUHUI_TRY(stored, opened_->store->get(op_key(seq)));
    if (stored) continue;
    auto batch = batch_for(seq, op);
    // An op older than the head fills a hole; head and view are newer than it.
    if (seq <= head_) batch.changes.resize(1);
    DUHUI_CHECK_OK(opened_->store->commit(batch));
    head_ = std::max(head_, seq);
  }
  return Done{};
}

Status ScriptDevice::start() {
  stop();
  DUHUI_TRY(opened, open_agent_store(files_, "agent", options_));
  opened_ = std::move(opened);
  DUHUI_CHECK_OK(recover());
  if (!opened_->report.rebuilt()) return Done{};
  if (!rebuild_view()) DUHUI_CHECK_OK(rebuild_view());
  return recover();
}

Status ScriptDevice::recover() {
  Status done = Done{};
  for (int i = 0; i < kRecoveriesMax; ++i) {
    done = catch_up();
    if (done) break;
  }
  in_doubt_ = !done.has_value();
  return done;
}

Status ScriptDevice::save(const std::string& op) {
  // As long as it is unknown what the last failure left on disk, no seq is free to be given away.
  if (in_doubt_) DUHUI_CHECK_OK(recover());
  const std::uint64_t seq = head_ + 1;
  ledger_.attempted(seq, op);
  const std::string chain(32, static_cast<char>(seq));
  auto done = opened_->journal->append(
      {{.dot = {.origin = script_origin(), .seq = seq}, .op = op, .chain = chain}});
  if (done) done = opened_->store->commit(batch_for(seq, op));
  if (!done) {
    DUHUI_CHECK_OK(recover());
    if (head_ < seq) return done;
  }
  head_ = seq;
  ledger_.saved(seq, op);
  return Done{};
}

Status ScriptDevice::take_page() {
  if (in_doubt_) DUHUI_CHECK_OK(recover());
  KvBatch batch;
  batch.put(numbered("p/", pages_ + 1), std::string(100, 'p'));
  batch.put(kPagesKey, numbered("", pages_ + 1));
  if (auto done = opened_->store->commit_unsynced(batch); !done) return recover();
  ++pages_;
  return Done{};
}

Status ScriptDevice::acknowledge() {
  return opened_->journal->drop_through({.origin = script_origin(), .seq = ledger_.last_saved()});
}

std::string ScriptDevice::check(std::uint64_t forgiven) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ops;  // seq, hash
  const auto read = opened_->store->scan("o/", "", [&](std::string_view key, std::string_view op) {
    ops.emplace_back(read_big_endian_64(key.substr(2)), Ledger::hash(op));
    return true;
  });
  if (!read) return "ops: " + to_string(read.error());

  std::uint64_t expected_seq = 1;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> views(kViews);  // newest seq and its hash
  for (const auto& [seq, hash] : ops) {
    for (; expected_seq < seq; ++expected_seq) {
      if (expected_seq > forgiven) return "op " + std::to_string(expected_seq) + " is lost";
    }
    ++expected_seq;
    const std::uint64_t saved = ledger_.saved_hash(seq);
    if (saved != 0 && saved != hash) return "saved op " + std::to_string(seq) + " is another now";
    if (!ledger_.was_attempted(seq, hash)) return "op " + std::to_string(seq) + " is invented";
    views[seq % kViews] = {seq, hash};
  }
  const std::uint64_t last = ops.empty() ? 0 : ops.back().first;
  if (last < ledger_.last_saved() && ledger_.last_saved() > forgiven) return "last ops are lost";
  if (head_ != last) return "the head is not the last op";
  if (auto wrong = check_pages(); !wrong.empty()) return wrong;
  return check_view(views);
}

std::string ScriptDevice::check_pages() const {
  std::uint64_t held = 0;
  bool in_order = true;
  const auto read = opened_->store->scan("p/", "", [&](std::string_view key, std::string_view) {
    in_order = in_order && read_big_endian_64(key.substr(2)) == ++held;
    return true;
  });
  if (!read) return "pages: " + to_string(read.error());
  return in_order && held == pages_ ? "" : "the pages are not those up to the cursor";
}

std::string ScriptDevice::check_view(
    std::vector<std::pair<std::uint64_t, std::uint64_t>> expected) const {
  bool as_expected = true;
  const auto read = opened_->store->scan("v/", "", [&](std::string_view key, std::string_view op) {
    auto& [seq, hash] = expected[read_big_endian_64(key.substr(2))];
    as_expected = as_expected && seq % kDeletedEvery != 0 && hash == Ledger::hash(op);
    seq = 0;
    return true;
  });
  if (!read) return "view: " + to_string(read.error());
  for (const auto& [seq, hash] : expected) {
    as_expected = as_expected && seq % kDeletedEvery == 0;  // seen above, deleted, or never there
  }
  return as_expected ? "" : "the view is not that of the ops";
}

}  // namespace duhui::agent

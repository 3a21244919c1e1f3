#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/store/agent_store.h"

namespace duhui::agent {

/// What a script did, remembered outside of the device so that no crash can touch it. Ops are kept
/// as 64-bit hashes: a ledger is copied for every crash point.
class Ledger {
 public:
  void attempted(std::uint64_t seq, std::string_view op);
  /// "Saved" was said.
  void saved(std::uint64_t seq, std::string_view op);

  bool was_attempted(std::uint64_t seq, std::uint64_t hash) const;
  /// Zero: "saved" was not said for this seq.
  std::uint64_t saved_hash(std::uint64_t seq) const {
    return seq < saved_.size() ? saved_[seq] : 0;
  }
  std::uint64_t last_saved() const { return saved_.empty() ? 0 : saved_.size() - 1; }

  static std::uint64_t hash(std::string_view op);

 private:
  std::vector<std::uint64_t> saved_;
  std::vector<std::uint64_t> first_attempts_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> more_attempts_;
};

/// The least agent that keeps the rule of saving: journal first, then one batch, only then "saved".
/// Ops lie under "o/<seq>"; each also overwrites one of a few "v/<n>" keys, as a view would.
class ScriptDevice {
 public:
  ScriptDevice(FileSystem& files, Ledger& ledger, AgentStoreOptions options)
      : files_(files), ledger_(ledger), options_(options) {}

  /// Opens the folder, replays the journal, reads the head.
  Status start();
  /// Closes everything, as the end of the process does.
  void stop() { opened_.reset(); }
  /// Saves one op, with recovery in place if the storage fails. Error: not saved, or not known.
  Status save(const std::string& op);
  /// A page of the hub's feed comes: a value under "p/<n>" and the cursor, not synced.
  Status take_page();
  /// The hub acknowledges all that is saved.
  Status acknowledge();
  /// What is wrong with the content, seen against the ledger; empty: nothing. `forgiven`: seqs up
  /// to here may be missing, because the hub has them.
  std::string check(std::uint64_t forgiven = 0);

  OpenedStore& opened() { return *opened_; }
  bool is_started() const { return opened_.has_value(); }
  std::uint64_t head() const { return head_; }

 private:
  std::string check_view(std::vector<std::pair<std::uint64_t, std::uint64_t>> expected) const;
  /// Without a hole up to the cursor, and nothing behind it.
  std::string check_pages() const;
  Status catch_up();
  Status recover();
  Status rebuild_view();
  KvBatch batch_for(std::uint64_t seq, const std::string& op) const;
  Status read_head();

  FileSystem& files_;
  Ledger& ledger_;
  const AgentStoreOptions options_;
  std::optional<OpenedStore> opened_;
  std::uint64_t head_ = 0;
  std::uint64_t pages_ = 0;
  bool in_doubt_ = false;
};

/// A pseudo-random op of a hundred bytes or so.
std::string script_op(std::uint64_t seed, std::uint64_t number);

}  // namespace duhui::agent

#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/ports/file_system.h"
#include "shared/base/random.h"

namespace duhui::agent {

/// A disk in memory that fails as real ones do, at a chosen call or for good.
///
/// Every call counts. What was written is readable at once and safe only after sync(); names are
/// safe only after sync_folder(). A power cut keeps an arbitrary part of what was not synced: a
/// prefix of a file's tail, perhaps with zeros or garbage up to the size it had, any of the
/// unsynced names. After a failed sync the tail never becomes safe, though a later sync answers OK.
///
/// A value: a copy is an image of the disk (open files stay with the original). One thread.
class FaultyFileSystem final : public FileSystem {
 public:
  /// Whether a failing call has its effect before it fails (a write: half of it).
  enum class Effect : std::uint8_t { none, first };

  /// The calls [`first`, `first` + `count`), counted from 0 by calls(), fail.
  void fail_calls(std::uint64_t first, std::uint64_t count, Effect effect);
  /// From this call on everything fails, until restore_power().
  void cut_power_at(std::uint64_t call, Effect effect);
  /// Decides what survived and lets calls work again. Files opened before fail for ever.
  void restore_power(Random& random);
  void set_capacity(std::uint64_t bytes) { capacity_ = bytes; }
  /// Forgets the content of files that no name, not even an unsafe one, leads to.
  void forget_nameless();
  /// Reading any byte of the file fails, as over a bad sector.
  void make_unreadable(const std::string& path);

  std::uint64_t calls() const { return calls_; }
  bool power_is_off() const { return power_off_; }
  std::uint64_t used_bytes() const { return used_; }
  /// Every file below `folder`, as paths.
  std::vector<std::string> files_below(const std::string& folder) const;
  /// The content, past all faults. Precondition: the file exists.
  std::string& content(const std::string& path);

  Result<std::unique_ptr<AppendFile>> open_to_append(const std::string& path,
                                                     Existing existing) override;
  Result<std::unique_ptr<ReadFile>> open_to_read(const std::string& path) override;
  Result<std::optional<FileInfo>> info(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& folder) override;
  Status make_folder(const std::string& path) override;
  Status remove(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status sync_folder(const std::string& folder) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& folder) override;

 private:
  using NodeId = std::size_t;
  using Names = std::map<std::string, NodeId>;
  /// Names that appear or (no node) disappear together.
  using NameChange = std::vector<std::pair<std::string, std::optional<NodeId>>>;

  struct Node {
    bool is_folder = false;
    bool is_locked = false;
    bool is_unreadable = false;
    std::string data{};
    std::size_t synced = 0;                    // this much of `data` is safe
    std::optional<std::size_t> never_safe{};   // from here on, since a sync failed
    std::optional<std::string> safe_before{};  // the safe content that was replaced, until a sync
    Names names{};
    Names safe_names{};
    std::vector<NameChange> unsafe_changes{};
  };

  /// What to do with the call that just began.
  enum class Verdict : std::uint8_t { go, fail, fail_after_effect };

  class OpenToAppend;
  class OpenToRead;
  class Held;

  Verdict begin_call();
  std::optional<NodeId> find(const std::string& path) const;
  std::optional<NodeId> find_folder_of(const std::string& path) const;
  void change_names(NodeId folder, NameChange change);
  Status append_to(NodeId node, std::uint64_t life, std::string_view bytes);
  Status write_half(NodeId node, std::string_view bytes);
  Status sync_node(NodeId node, std::uint64_t life);
  Result<std::string> read_from(NodeId node,
                                std::uint64_t life,
                                std::uint64_t offset,
                                std::size_t size);
  void settle_names(Node& folder, Random& random);
  void settle_content(Node& file, Random& random);
  void collect_files(NodeId folder, const std::string& path, std::vector<std::string>& paths) const;

  std::deque<Node> nodes_{Node{.is_folder = true}};
  std::uint64_t calls_ = 0;
  std::uint64_t fail_first_ = ~std::uint64_t{0};
  std::uint64_t fail_count_ = 0;
  Effect fail_effect_ = Effect::none;
  std::uint64_t cut_at_ = ~std::uint64_t{0};
  Effect cut_effect_ = Effect::none;
  bool power_off_ = false;
  std::uint64_t life_ = 0;  // power cuts so far: files and locks of an earlier life are gone
  std::uint64_t capacity_ = ~std::uint64_t{0} / 4;
  std::uint64_t used_ = 0;
};

}  // namespace duhui::agent

#include "tests/support/faulty_file_system.h"

#include <algorithm>

#include "shared/base/check.h"

namespace duhui::agent {
namespace {

Error injected(const char* action) {
  return {ErrorCode::storage_failed, std::string(action) + ": injected error"};
}

Error absent(const std::string& path) { return {ErrorCode::not_found, path + ": absent"}; }

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

class FaultyFileSystem::OpenToAppend final : public AppendFile {
 public:
  OpenToAppend(FaultyFileSystem& disk, NodeId node) : disk_(disk), node_(node), life_(disk.life_) {}
  Status append(std::string_view bytes) override { return disk_.append_to(node_, life_, bytes); }
  Status sync() override { return disk_.sync_node(node_, life_); }

 private:
  FaultyFileSystem& disk_;
  const NodeId node_;
  const std::uint64_t life_;
};

class FaultyFileSystem::OpenToRead final : public ReadFile {
 public:
  OpenToRead(FaultyFileSystem& disk, NodeId node) : disk_(disk), node_(node), life_(disk.life_) {}
  Result<std::string> read(std::uint64_t offset, std::size_t size) override {
    return disk_.read_from(node_, life_, offset, size);
  }

 private:
  FaultyFileSystem& disk_;
  const NodeId node_;
  const std::uint64_t life_;
};

class FaultyFileSystem::Held final : public FileLock {
 public:
  Held(FaultyFileSystem& disk, NodeId node) : disk_(disk), node_(node), life_(disk.life_) {
    disk_.nodes_[node_].is_locked = true;
  }
  ~Held() override {
    if (life_ == disk_.life_) disk_.nodes_[node_].is_locked = false;
  }

 private:
  FaultyFileSystem& disk_;
  const NodeId node_;
  const std::uint64_t life_;
};

void FaultyFileSystem::fail_calls(std::uint64_t first, std::uint64_t count, Effect effect) {
  fail_first_ = first;
  fail_count_ = count;
  fail_effect_ = effect;
}

void FaultyFileSystem::cut_power_at(std::uint64_t call, Effect effect) {
  cut_at_ = call;
  cut_effect_ = effect;
}

void FaultyFileSystem::restore_power(Random& random) {
  for (Node& node : nodes_) {
    node.is_locked = false;
    if (node.is_folder) {
      settle_names(node, random);
    } else {
      settle_content(node, random);
    }
  }
  power_off_ = false;
  cut_at_ = ~std::uint64_t{0};
  ++life_;
  used_ = 0;
  for (const std::string& path : files_below("")) used_ += nodes_[*find(path)].data.size();
}

void FaultyFileSystem::settle_names(Node& folder, Random& random) {
  const std::uint64_t style = random.below(3);  // all lost, all kept, each by itself
  for (const NameChange& change : folder.unsafe_changes) {
    if (style == 0 || (style == 2 && random.below(2) == 0)) continue;
    for (const auto& [name, node] : change) {
      folder.safe_names.erase(name);
      if (node) folder.safe_names[name] = *node;
    }
  }
  folder.unsafe_changes.clear();
  folder.names = folder.safe_names;
}

void FaultyFileSystem::settle_content(Node& file, Random& random) {
  if (file.safe_before && random.below(2) == 0) {
    file.data = *file.safe_before;
  } else {
    const std::size_t end = std::min(file.data.size(), file.never_safe.value_or(file.data.size()));
    const std::size_t tail = end - std::min(end, file.synced);
    const std::size_t kept = file.synced + static_cast<std::size_t>(random.below(tail + 1));
    switch (random.below(4)) {
      case 0:
        file.data.resize(std::min(end, file.synced));
        break;
      case 1:
        file.data.resize(kept);
        break;
      case 2:
        std::fill(file.data.begin() + static_cast<std::ptrdiff_t>(kept), file.data.end(), '\0');
        break;
      case 3:
        random.fill(file.data.data() + kept, file.data.size() - kept);
        break;
    }
  }
  file.safe_before.reset();
  file.never_safe.reset();
  file.synced = file.data.size();
}

void FaultyFileSystem::forget_nameless() {
  std::vector<bool> named(nodes_.size());
  for (const Node& node : nodes_) {
    for (const Names* names : {&node.names, &node.safe_names}) {
      for (const auto& [name, target] : *names) named[target] = true;
    }
    for (const NameChange& change : node.unsafe_changes) {
      for (const auto& [name, target] : change) {
        if (target) named[*target] = true;
      }
    }
  }
  for (NodeId node = 1; node < nodes_.size(); ++node) {
    if (!named[node]) nodes_[node] = Node{};
  }
}

void FaultyFileSystem::make_unreadable(const std::string& path) {
  const auto node = find(path);
  DUHUI_CHECK(node.has_value());
  nodes_[*node].is_unreadable = true;
}

std::vector<std::string> FaultyFileSystem::files_below(const std::string& folder) const {
  std::vector<std::string> paths;
  if (const auto node = find(folder)) collect_files(*node, folder, paths);
  return paths;
}

void FaultyFileSystem::collect_files(NodeId folder,
                                     const std::string& path,
                                     std::vector<std::string>& paths) const {
  for (const auto& [name, node] : nodes_[folder].names) {
    const std::string child = path.empty() ? name : path + "/" + name;
    if (nodes_[node].is_folder) {
      collect_files(node, child, paths);
    } else {
      paths.push_back(child);
    }
  }
}

std::string& FaultyFileSystem::content(const std::string& path) {
  const auto node = find(path);
  DUHUI_CHECK(node.has_value());
  return nodes_[*node].data;
}

FaultyFileSystem::Verdict FaultyFileSystem::begin_call() {
  const std::uint64_t call = calls_++;
  if (power_off_) return Verdict::fail;
  if (call >= cut_at_) {
    power_off_ = true;
    return cut_effect_ == Effect::first ? Verdict::fail_after_effect : Verdict::fail;
  }
  if (call >= fail_first_ && call - fail_first_ < fail_count_) {
    return fail_effect_ == Effect::first ? Verdict::fail_after_effect : Verdict::fail;
  }
  return Verdict::go;
}

std::optional<FaultyFileSystem::NodeId> FaultyFileSystem::find(const std::string& path) const {
  NodeId node = 0;
  if (path == ".") return node;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    const auto found = nodes_[node].names.find(path.substr(at, slash - at));
    if (found == nodes_[node].names.end()) return std::nullopt;
    node = found->second;
    at = slash + 1;
  }
  return node;
}

std::optional<FaultyFileSystem::NodeId> FaultyFileSystem::find_folder_of(
    const std::string& path) const {
  const auto slash = path.rfind('/');
  const auto folder =
      slash == std::string::npos ? std::optional<NodeId>(0) : find(path.substr(0, slash));
  if (!folder || !nodes_[*folder].is_folder) return std::nullopt;
  return folder;
}

void FaultyFileSystem::change_names(NodeId folder, NameChange change) {
  Node& node = nodes_[folder];
  for (const auto& [name, target] : change) {
    const auto old = node.names.find(name);
    if (old != node.names.end()) {
      // A rename takes its own name away first: only what is really gone gives space back.
      const bool still_named = std::any_of(change.begin(), change.end(), [&](const auto& other) {
        return other.second == old->second;
      });
      if (!still_named) used_ -= nodes_[old->second].data.size();
      node.names.erase(old);
    }
    if (target) node.names[name] = *target;
  }
  node.unsafe_changes.push_back(std::move(change));
}

Result<std::unique_ptr<AppendFile>> FaultyFileSystem::open_to_append(const std::string& path,
                                                                     Existing existing) {
  const Verdict verdict = begin_call();
  if (verdict == Verdict::fail) return injected("create");
  auto node = find(path);
  if (!node) {
    const auto folder = find_folder_of(path);
    if (!folder) return absent(path);
    node = nodes_.size();
    nodes_.emplace_back();
    change_names(*folder, {{name_of(path), *node}});
  } else if (existing == Existing::replaced) {
    Node& file = nodes_[*node];
    used_ -= file.data.size();
    if (!file.safe_before) file.safe_before = file.data.substr(0, file.synced);
    file.data.clear();
    file.synced = 0;
    file.never_safe.reset();
  }
  if (verdict == Verdict::fail_after_effect) return injected("create");
  return std::unique_ptr<AppendFile>(std::make_unique<OpenToAppend>(*this, *node));
}

Result<std::unique_ptr<ReadFile>> FaultyFileSystem::open_to_read(const std::string& path) {
  if (begin_call() != Verdict::go) return injected("open");
  const auto node = find(path);
  if (!node) return absent(path);
  return std::unique_ptr<ReadFile>(std::make_unique<OpenToRead>(*this, *node));
}

Status FaultyFileSystem::write_half(NodeId node, std::string_view bytes) {
  nodes_[node].data += bytes.substr(0, bytes.size() / 2);
  used_ += bytes.size() / 2;
  return injected("append");
}

Status FaultyFileSystem::append_to(NodeId node, std::uint64_t life, std::string_view bytes) {
  const Verdict verdict = begin_call();
  if (life != life_) return injected("append");
  if (verdict == Verdict::fail) return injected("append");
  if (verdict == Verdict::fail_after_effect) return write_half(node, bytes);
  const std::uint64_t room = capacity_ - std::min(capacity_, used_);
  const std::size_t taken = static_cast<std::size_t>(std::min<std::uint64_t>(room, bytes.size()));
  nodes_[node].data += bytes.substr(0, taken);
  used_ += taken;
  if (taken < bytes.size()) return Error{ErrorCode::limit_exceeded, "append: no space left"};
  return Done{};
}

Status FaultyFileSystem::sync_node(NodeId node, std::uint64_t life) {
  const Verdict verdict = begin_call();
  if (life != life_) return injected("sync");
  Node& file = nodes_[node];
  if (verdict == Verdict::fail) {
    // The power being off is no failure of the sync: the tail is then lost by chance, not for sure.
    if (!power_off_ && !file.never_safe) file.never_safe = file.synced;
    return injected("sync");
  }
  file.synced = std::min(file.data.size(), file.never_safe.value_or(file.data.size()));
  if (!file.never_safe) file.safe_before.reset();
  if (verdict == Verdict::fail_after_effect) return injected("sync");
  return Done{};
}

Result<std::string> FaultyFileSystem::read_from(NodeId node,
                                                std::uint64_t life,
                                                std::uint64_t offset,
                                                std::size_t size) {
  if (begin_call() != Verdict::go || life != life_) return injected("read");
  const Node& file = nodes_[node];
  if (file.is_unreadable) return Error{ErrorCode::storage_failed, "read: bad sector"};
  if (offset >= file.data.size()) return std::string();
  return file.data.substr(static_cast<std::size_t>(offset), size);
}

Result<std::optional<FileInfo>> FaultyFileSystem::info(const std::string& path) {
  if (begin_call() != Verdict::go) return injected("look at");
  const auto node = find(path);
  if (!node) return std::optional<FileInfo>{};
  return std::optional<FileInfo>{
      {.size = nodes_[*node].data.size(), .is_folder = nodes_[*node].is_folder}};
}

Result<std::vector<std::string>> FaultyFileSystem::list(const std::string& folder) {
  if (begin_call() != Verdict::go) return injected("list");
  const auto node = find(folder);
  if (!node) return absent(folder);
  std::vector<std::string> names;
  for (const auto& [name, child] : nodes_[*node].names) names.push_back(name);
  return names;
}

Status FaultyFileSystem::make_folder(const std::string& path) {
  const Verdict verdict = begin_call();
  if (verdict == Verdict::fail) return injected("make folder");
  if (!find(path)) {
    const auto parent = find_folder_of(path);
    if (!parent) return absent(path);
    nodes_.push_back(Node{.is_folder = true});
    change_names(*parent, {{name_of(path), nodes_.size() - 1}});
  }
  if (verdict == Verdict::fail_after_effect) return injected("make folder");
  return Done{};
}

Status FaultyFileSystem::remove(const std::string& path) {
  const Verdict verdict = begin_call();
  if (verdict == Verdict::fail) return injected("remove");
  const auto node = find(path);
  if (!node) return absent(path);
  if (!nodes_[*node].names.empty()) return injected("remove: folder is not empty");
  change_names(*find_folder_of(path), {{name_of(path), std::nullopt}});
  if (verdict == Verdict::fail_after_effect) return injected("remove");
  return Done{};
}

Status FaultyFileSystem::rename(const std::string& from, const std::string& to) {
  const Verdict verdict = begin_call();
  if (verdict == Verdict::fail) return injected("rename");
  const auto node = find(from);
  const auto source = find_folder_of(from);
  const auto target = find_folder_of(to);
  if (!node || !source || !target) return absent(from);
  if (source == target) {
    change_names(*source, {{name_of(from), std::nullopt}, {name_of(to), *node}});
  } else {
    change_names(*target, {{name_of(to), *node}});
    change_names(*source, {{name_of(from), std::nullopt}});
    used_ += nodes_[*node].data.size();
  }
  if (verdict == Verdict::fail_after_effect) return injected("rename");
  return Done{};
}

Status FaultyFileSystem::sync_folder(const std::string& folder) {
  const Verdict verdict = begin_call();
  if (verdict == Verdict::fail) return injected("sync folder");
  const auto node = find(folder);
  if (!node) return absent(folder);
  nodes_[*node].unsafe_changes.clear();
  nodes_[*node].safe_names = nodes_[*node].names;
  if (verdict == Verdict::fail_after_effect) return injected("sync folder");
  return Done{};
}

Result<std::unique_ptr<FileLock>> FaultyFileSystem::lock(const std::string& path) {
  if (begin_call() != Verdict::go) return injected("lock");
  auto node = find(path);
  if (!node) {
    const auto folder = find_folder_of(path);
    if (!folder) return absent(path);
    node = nodes_.size();
    nodes_.emplace_back();
    change_names(*folder, {{name_of(path), *node}});
  }
  if (nodes_[*node].is_locked) {
    return Error{ErrorCode::unavailable, "lock " + path + ": another process holds it"};
  }
  return std::unique_ptr<FileLock>(std::make_unique<Held>(*this, *node));
}

Result<std::uint64_t> FaultyFileSystem::free_bytes(const std::string& /*folder*/) {
  if (begin_call() != Verdict::go) return injected("measure");
  return capacity_ - std::min(capacity_, used_);
}

}  // namespace duhui::agent

#include "agent/store/paths.h"

#include <utility>

namespace duhui::agent {
namespace {

constexpr std::size_t kCopyChunk = 256 * 1024;

// A bad sector must cost what lies on it, not the rest of the file.
constexpr std::size_t kSector = 4096;

/// Copies one file; what cannot be read becomes zeros. Empty: every byte was readable.
Result<std::string> copy_file(FileSystem& files, const std::string& from, const std::string& to) {
  DUHUI_TRY(found, files.info(from));
  if (!found) return Error{ErrorCode::not_found, from};
  DUHUI_TRY(target, files.open_to_append(to, FileSystem::Existing::replaced));
  std::string damage;
  auto source = files.open_to_read(from);
  if (!source) damage = to_string(source.error());
  for (std::uint64_t at = 0; source && at < found->size;) {
    auto chunk = (*source)->read(at, kCopyChunk);
    if (!chunk) {
      damage = to_string(chunk.error());
      chunk = (*source)->read(at, kSector);
      if (!chunk) chunk = std::string(kSector, '\0');
    }
    if (chunk->empty()) break;
    DUHUI_CHECK_OK(target->append(*chunk));
    at += chunk->size();
  }
  DUHUI_CHECK_OK(target->sync());
  return damage;
}

}  // namespace

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string(".") : path.substr(0, slash);
}

Result<std::string> read_file(FileSystem& files, const std::string& path, std::uint64_t size_max) {
  DUHUI_TRY(found, files.info(path));
  if (!found) return Error{ErrorCode::not_found, path};
  if (found->size > size_max) {
    return Error{ErrorCode::corrupt_data, path + ": larger than it can be"};
  }
  DUHUI_TRY(file, files.open_to_read(path));
  return file->read(0, static_cast<std::size_t>(found->size));
}

Status remove_folder(FileSystem& files, const std::string& path) {
  DUHUI_TRY(found, files.info(path));
  if (!found) return Done{};
  DUHUI_TRY(names, files.list(path));
  for (const std::string& name : names) {
    const std::string child = path + "/" + name;
    DUHUI_TRY(kind, files.info(child));
    if (kind && kind->is_folder) {
      DUHUI_CHECK_OK(remove_folder(files, child));
    } else {
      DUHUI_CHECK_OK(files.remove(child));
    }
  }
  DUHUI_CHECK_OK(files.remove(path));
  return files.sync_folder(folder_of(path));
}

Result<std::vector<std::string>> copy_folder(FileSystem& files,
                                             const std::string& from,
                                             const std::string& to) {
  DUHUI_TRY(names, files.list(from));
  DUHUI_CHECK_OK(files.make_folder(to));
  std::vector<std::string> damaged;
  for (const std::string& name : names) {
    DUHUI_TRY(kind, files.info(from + "/" + name));
    if (!kind || kind->is_folder) continue;
    DUHUI_TRY(damage, copy_file(files, from + "/" + name, to + "/" + name));
    if (!damage.empty()) damaged.push_back(name + ": " + damage);
  }
  DUHUI_CHECK_OK(files.sync_folder(to));
  return damaged;
}

Status rename_durably(FileSystem& files, const std::string& from, const std::string& to) {
  DUHUI_CHECK_OK(files.rename(from, to));
  return files.sync_folder(folder_of(to));
}

}  // namespace duhui::agent

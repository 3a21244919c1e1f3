#include "shared/blobs/file_blob_store.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "duhui/store/v1/store.pb.h"
#include "shared/base/bytes.h"
#include "shared/sync/limits.h"

namespace duhui {
namespace {

constexpr std::size_t kReadBytes = 256 << 10;

Error system_error(const char* action, const std::string& path, int number) {
  ErrorCode code = ErrorCode::storage_failed;
  if (number == ENOENT) code = ErrorCode::not_found;
  if (number == ENOSPC || number == EDQUOT) code = ErrorCode::limit_exceeded;
  return {code, std::string(action) + " " + path + ": " + std::strerror(number)};
}

/// Owns a file descriptor.
class Descriptor {
 public:
  static Result<Descriptor> open(const std::string& path, int flags) {
    for (;;) {
      const int number = ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600);
      if (number >= 0) return Descriptor(number);
      if (errno != EINTR) return system_error("open", path, errno);
    }
  }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

 private:
  explicit Descriptor(int number) : number_(number) {}
  int number_;
};

Status write_at(const Descriptor& file,
                const std::string& path,
                std::uint64_t offset,
                std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n =
        ::pwrite(file.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("write", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return Done{};
}

Result<std::string> read_at(const Descriptor& file,
                            const std::string& path,
                            std::uint64_t offset,
                            std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t have = 0;
  while (have < count) {
    const ssize_t n = ::pread(file.number(), bytes.data() + have, count - have,
                              static_cast<off_t>(offset + have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("read", path, errno);
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  bytes.resize(have);
  return bytes;
}

Status sync_file(const Descriptor& file, const std::string& path) {
  if (::fsync(file.number()) != 0) return system_error("sync", path, errno);
  return Done{};
}

Status sync_folder(const std::string& path) {
  DUHUI_TRY(folder, Descriptor::open(path, O_RDONLY | O_DIRECTORY));
  return sync_file(folder, path);
}

Status make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return Done{};
  return system_error("make folder", path, errno);
}

Result<std::optional<std::uint64_t>> size_of(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode)) {
    return std::optional<std::uint64_t>(static_cast<std::uint64_t>(found.st_size));
  }
  if (errno == ENOENT) return std::optional<std::uint64_t>{};
  return system_error("look at", path, errno);
}

Result<FileBlobStore::Adopted> hash_of(const Descriptor& file, const std::string& path) {
  DigestStream digest;
  FileBlobStore::Adopted found;
  for (;;) {
    DUHUI_TRY(bytes, read_at(file, path, found.size, kReadBytes));
    digest.add(bytes);
    found.size += bytes.size();
    if (bytes.size() < kReadBytes) break;
  }
  found.sha256 = digest.take();
  return found;
}

/// Nothing: there is none, or it is torn or of another file.
std::optional<store::v1::BlobPart> stored_map(const std::string& path, const Digest& sha256) {
  auto file = Descriptor::open(path, O_RDONLY);
  if (!file) return std::nullopt;
  constexpr std::size_t kMapBytesMax = 1 << 20;
  const auto bytes = read_at(*file, path, 0, kMapBytesMax);
  store::v1::BlobPart stored;
  if (!bytes || !stored.ParseFromString(*bytes) || stored.sha256() != sha256.view()) {
    return std::nullopt;
  }
  return stored;
}

/// The map as it was written last.
std::optional<BlobStore::Part> read_map(const std::string& path, const BlobName& name) {
  const auto stored = stored_map(path, name.sha256);
  if (!stored || stored->size() != name.size ||
      stored->begun().size() >= sync_limits::kChunkBytes + 16) {
    return std::nullopt;
  }
  auto held = ChunkMap::from_runs(name.size, stored->runs());
  if (!held) return std::nullopt;
  return BlobStore::Part{std::move(*held), stored->begun()};
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

/// Names in a folder; none if there is no such folder.
Result<std::vector<std::string>> names_in(const std::string& path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, CloseFolder> folder(::opendir(path.c_str()));
  if (!folder) {
    if (errno == ENOENT || errno == ENOTDIR) return names;
    return system_error("list", path, errno);
  }
  for (errno = 0; const dirent* entry = ::readdir(folder.get()); errno = 0) {
    names.emplace_back(entry->d_name);
  }
  if (errno != 0) return system_error("list", path, errno);
  return names;
}

std::optional<Digest> digest_of(std::string_view hex) {
  if (hex.size() != 64) return std::nullopt;
  const auto bytes = from_hex(hex);
  return bytes ? Digest::from_bytes(*bytes) : std::nullopt;
}

}  // namespace

Result<std::unique_ptr<FileBlobStore>> FileBlobStore::open(const std::string& folder, Names names) {
  DUHUI_CHECK_OK(make_folder(folder));
  DUHUI_CHECK_OK(make_folder(folder + "/parts"));
  DUHUI_CHECK_OK(sync_folder(folder));
  return std::unique_ptr<FileBlobStore>(new FileBlobStore(folder, names));
}

std::string FileBlobStore::path_of(const Digest& sha256) const {
  const std::string hex = to_hex(sha256.view());
  return folder_ + "/" + hex.substr(0, 2) + "/" + hex;
}

std::string FileBlobStore::part_path(const Digest& sha256, const RecordId& record) const {
  return folder_ + "/parts/" + to_hex(sha256.view()) + "-" + to_hex(record.view());
}

Result<std::optional<std::uint64_t>> FileBlobStore::size(const Digest& sha256) {
  return size_of(path_of(sha256));
}

Result<std::string> FileBlobStore::read(const Digest& sha256,
                                        std::uint64_t offset,
                                        std::size_t count) {
  const std::string path = path_of(sha256);
  DUHUI_TRY(file, Descriptor::open(path, O_RDONLY));
  return read_at(file, path, offset, count);
}

Result<BlobStore::Part> FileBlobStore::part(const BlobName& name) {
  const std::string path = part_path(name);
  DUHUI_TRY(there, size_of(path + ".part"));
  if (there) {
    if (auto known = read_map(path + ".map", name)) return std::move(*known);
  }
  return Part{ChunkMap(name.size), {}};
}

Status FileBlobStore::write_chunk(const BlobName& name,
                                  std::uint32_t chunk,
                                  std::string_view bytes) {
  const std::string path = part_path(name) + ".part";
  DUHUI_TRY(file, Descriptor::open(path, O_WRONLY | O_CREAT));
  return write_at(file, path, std::uint64_t{chunk} * sync_limits::kChunkBytes, bytes);
}

Status FileBlobStore::save_part(const BlobName& name, const Part& part) {
  const std::string path = part_path(name);
  {
    DUHUI_TRY(chunks, Descriptor::open(path + ".part", O_WRONLY | O_CREAT));
    DUHUI_CHECK_OK(sync_file(chunks, path));
  }
  store::v1::BlobPart stored;
  stored.set_sha256(name.sha256.str());
  stored.set_size(name.size);
  *stored.mutable_runs() = part.held.runs();
  stored.set_begun(part.begun);
  {
    DUHUI_TRY(map, Descriptor::open(path + ".tmp", O_WRONLY | O_CREAT | O_TRUNC));
    DUHUI_CHECK_OK(write_at(map, path, 0, stored.SerializeAsString()));
    DUHUI_CHECK_OK(sync_file(map, path));
  }
  if (std::rename((path + ".tmp").c_str(), (path + ".map").c_str()) != 0) {
    return system_error("rename", path, errno);
  }
  return sync_folder(folder_ + "/parts");
}

Result<bool> FileBlobStore::finish(const BlobName& name) {
  const std::string path = part_path(name);
  bool same = false;
  {
    DUHUI_TRY(file, Descriptor::open(path + ".part", O_RDWR));
    if (names_ == Names::hash_of_content) {
      DUHUI_TRY(found, hash_of(file, path));
      same = found.sha256 == name.sha256 && found.size == name.size;
    } else {
      DUHUI_TRY(size, size_of(path + ".part"));
      same = size == name.size;
    }
    if (same) DUHUI_CHECK_OK(sync_file(file, path));
  }
  if (same) DUHUI_CHECK_OK(move_in(path + ".part", name.sha256));
  DUHUI_CHECK_OK(drop(path));
  return same;
}

Status FileBlobStore::move_in(const std::string& from, const Digest& sha256) {
  const std::string to = path_of(sha256);
  const std::string shelf = to.substr(0, to.rfind('/'));
  DUHUI_CHECK_OK(make_folder(shelf));
  DUHUI_CHECK_OK(sync_folder(folder_));
  if (std::rename(from.c_str(), to.c_str()) != 0) return system_error("rename", to, errno);
  return sync_folder(shelf);
}

Status FileBlobStore::drop(const std::string& path) {
  for (const char* kind : {".map", ".tmp", ".part"}) {
    if (::unlink((path + kind).c_str()) != 0 && errno != ENOENT) {
      return system_error("remove", path, errno);
    }
  }
  return Done{};
}

Status FileBlobStore::remove(const Digest& sha256) {
  const std::string path = path_of(sha256);
  if (::unlink(path.c_str()) != 0) {
    return errno == ENOENT ? Status(Done{}) : system_error("remove", path, errno);
  }
  return sync_folder(path.substr(0, path.rfind('/')));
}

Status FileBlobStore::each_whole(const std::function<bool(const Whole&)>& visit) {
  DUHUI_TRY(shelves, names_in(folder_));
  for (const std::string& shelf : shelves) {
    if (shelf.size() != 2 || !from_hex(shelf)) continue;
    DUHUI_TRY(names, names_in(folder_ + "/" + shelf));
    for (const std::string& name : names) {
      const auto sha256 = digest_of(name);
      if (!sha256 || !name.starts_with(shelf)) continue;
      DUHUI_TRY(found, size(*sha256));
      if (found && !visit({*sha256, *found})) return Done{};
    }
  }
  return Done{};
}

Status FileBlobStore::each_part(const std::function<bool(const Begun&)>& visit) {
  DUHUI_TRY(names, names_in(folder_ + "/parts"));
  std::set<std::string> bases;  // a part, a map, or both
  for (const std::string& name : names) {
    if (const auto dot = name.rfind('.'); dot != std::string::npos)
      bases.insert(name.substr(0, dot));
  }
  for (const std::string& base : bases) {
    if (base.size() != 64 + 1 + 32 || base[64] != '-') continue;
    const auto sha256 = digest_of(base.substr(0, 64));
    const auto record_bytes = from_hex(base.substr(65));
    const auto record = record_bytes ? RecordId::from_bytes(*record_bytes) : std::nullopt;
    if (!sha256 || !record) continue;
    const std::string path = folder_ + "/parts/" + base;
    Begun begun{*sha256, *record, 0, 0};
    if (const auto map = stored_map(path + ".map", *sha256)) begun.size = map->size();
    struct stat found {};
    constexpr std::uint64_t kBlock = 512;  // what st_blocks counts in
    if (::lstat((path + ".part").c_str(), &found) == 0) {
      begun.bytes = static_cast<std::uint64_t>(found.st_blocks) * kBlock;
    }
    if (!visit(begun)) return Done{};
  }
  return Done{};
}

Status FileBlobStore::remove_part(const Digest& sha256, const RecordId& record) {
  DUHUI_CHECK_OK(drop(part_path(sha256, record)));
  return sync_folder(folder_ + "/parts");
}

Result<FileBlobStore::Adopted> FileBlobStore::adopt(const std::string& path) {
  Adopted found;
  {
    DUHUI_TRY(file, Descriptor::open(path, O_RDWR));
    DUHUI_TRY(hashed, hash_of(file, path));
    found = hashed;
    if (found.size == 0 || found.size > sync_limits::kBlobBytesMax) {
      return Error{ErrorCode::limit_exceeded, "file: " + std::to_string(found.size) + " bytes"};
    }
    if (::fchmod(file.number(), 0600) != 0) return system_error("protect", path, errno);
    DUHUI_CHECK_OK(sync_file(file, path));
  }
  DUHUI_CHECK_OK(move_in(path, found.sha256));
  return found;
}

}  // namespace duhui

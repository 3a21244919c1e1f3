#include "agent/store/upload_shelf.h"

#include <algorithm>
#include <utility>

#include "agent/store/locked_segments.h"
#include "shared/base/bytes.h"
#include "shared/crypto/digest.h"
#include "shared/sync/locked_file.h"

namespace duhui::agent {
namespace {

constexpr std::size_t kTokenDigits = kSegmentNameBytes;
constexpr std::size_t kHashDigits = 64;
constexpr std::size_t kReadStep = 1 << 20;
/// Records come first: files leave them this much room.
constexpr std::uint64_t kRoomForRecords = 256ull << 20;
constexpr std::string_view kLockedEnding = ".locked";

/// `invalid_input`: not of `digits` hexadecimal digits; it is used in a path.
Status check_name(std::string_view name, std::size_t digits) {
  const bool right = name.size() == digits && std::ranges::all_of(name, [](char c) {
                       return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                     });
  if (right) return Done{};
  return Error{ErrorCode::invalid_input,
               "files: not a name of " + std::to_string(digits) + " hexadecimal digits"};
}

Result<Digest> hash_named(const std::string& sha256) {
  DUHUI_CHECK_OK(check_name(sha256, kHashDigits));
  const auto bytes = from_hex(sha256);
  const auto digest = bytes ? Digest::from_bytes(*bytes) : std::nullopt;
  if (digest) return *digest;
  return Error{ErrorCode::invalid_input, "files: not a hash"};
}

class PlainFile final : public BlobReader {
 public:
  PlainFile(std::unique_ptr<ReadFile> file, std::uint64_t size)
      : file_(std::move(file)), size_(size) {}

  std::uint64_t size() const override { return size_; }
  Result<std::string> read(std::uint64_t offset, std::size_t size) override {
    if (offset >= size_) return std::string();
    const auto most = std::min<std::uint64_t>(size, size_ - offset);
    return file_->read(offset, static_cast<std::size_t>(most));
  }

 private:
  const std::unique_ptr<ReadFile> file_;
  const std::uint64_t size_;
};

class StoredFile final : public BlobReader {
 public:
  StoredFile(BlobStore& store, const Digest& sha256, std::uint64_t size)
      : store_(store), sha256_(sha256), size_(size) {}

  std::uint64_t size() const override { return size_; }
  Result<std::string> read(std::uint64_t offset, std::size_t size) override {
    if (offset >= size_) return std::string();
    return store_.read(sha256_, offset, size);
  }

 private:
  BlobStore& store_;
  const Digest sha256_;
  const std::uint64_t size_;
};

/// Who began to read it while the vault was open reads it to the end.
class LockedFile final : public BlobReader {
 public:
  LockedFile(BlobStore& store, const Digest& sha256, std::uint64_t size, const VaultKey& key)
      : store_(store), sha256_(sha256), size_(size), key_(key) {}

  std::uint64_t size() const override { return size_; }
  Result<std::string> read(std::uint64_t offset, std::size_t size) override {
    return read_locked(key_, sha256_, size_, store_, offset, size);
  }

 private:
  BlobStore& store_;
  const Digest sha256_;
  const std::uint64_t size_;
  const VaultKey key_;
};

Result<Digest> hash_of(BlobReader& reader) {
  DigestStream digest;
  for (std::uint64_t at = 0; at < reader.size();) {
    DUHUI_TRY(piece, reader.read(at, kReadStep));
    if (piece.empty()) return Error{ErrorCode::storage_failed, "files: shorter than it was"};
    digest.add(piece);
    at += piece.size();
  }
  return digest.take();
}

}  // namespace

Result<std::unique_ptr<UploadShelf>> UploadShelf::open(const Parts& parts, std::string folder) {
  std::unique_ptr<UploadShelf> shelf(new UploadShelf(parts, std::move(folder)));
  DUHUI_CHECK_OK(parts.files.make_folder(shelf->folder_));
  DUHUI_CHECK_OK(parts.files.make_folder(shelf->incoming()));
  DUHUI_CHECK_OK(parts.files.sync_folder(shelf->folder_));
  return shelf;
}

void UploadShelf::set_key(std::optional<VaultKey> key) {
  const std::lock_guard held(mutex_);
  key_ = std::move(key);
}

bool UploadShelf::can_hide() const {
  const std::lock_guard held(mutex_);
  return key_.has_value();
}

Result<VaultKey> UploadShelf::key() const {
  const std::lock_guard held(mutex_);
  if (key_) return *key_;
  return Error{ErrorCode::unavailable, "file: locked until a supervisor signs in here"};
}

Result<std::string> UploadShelf::lock_note(const std::string& token, std::string_view note) {
  DUHUI_TRY(secret, key());
  return secret.lock(note, "note/" + token, parts_.random);
}

Result<std::string> UploadShelf::open_note(const std::string& token, std::string_view locked) {
  DUHUI_TRY(secret, key());
  return secret.open(locked, "note/" + token);
}

Result<std::string> UploadShelf::path_of(const std::string& token) const {
  DUHUI_CHECK_OK(check_name(token, kTokenDigits));
  for (const std::string& path :
       {incoming() + "/" + token, incoming() + "/" + token + std::string(kLockedEnding)}) {
    DUHUI_TRY(found, parts_.files.info(path));
    if (found) return path;
  }
  return Error{ErrorCode::not_found, "files: nothing begun: " + token};
}

Status UploadShelf::begin(const std::string& token, std::uint64_t size, bool hidden) {
  if (path_of(token)) return Error{ErrorCode::conflict, "files: begun already: " + token};
  DUHUI_CHECK_OK(check_name(token, kTokenDigits));
  DUHUI_TRY(free, parts_.files.free_bytes(folder_));
  if (free < kRoomForRecords || free - kRoomForRecords < size) {
    return Error{ErrorCode::limit_exceeded,
                 "file_disk: " + std::to_string(free) + " bytes are free"};
  }
  if (hidden) DUHUI_CHECK_OK(key());
  const std::string path =
      incoming() + "/" + token + (hidden ? std::string(kLockedEnding) : std::string());
  DUHUI_TRY(file, parts_.files.open_to_append(path, FileSystem::Existing::kept));
  if (hidden) DUHUI_CHECK_OK(file->append(token));
  DUHUI_CHECK_OK(file->sync());
  return parts_.files.sync_folder(incoming());
}

Status UploadShelf::append(const std::string& token, std::string_view bytes) {
  DUHUI_TRY(path, path_of(token));
  if (!path.ends_with(kLockedEnding)) {
    DUHUI_TRY(file, parts_.files.open_to_append(path, FileSystem::Existing::kept));
    DUHUI_CHECK_OK(file->append(bytes));
    return file->sync();
  }
  DUHUI_TRY(secret, key());
  DUHUI_TRY(there, LockedSegments::open(parts_.files, path, secret));
  // A full disk tore it: nothing that is added behind could be read again.
  if (there->torn()) return Error{ErrorCode::limit_exceeded, "file_disk: begin it again"};
  DUHUI_TRY(file, parts_.files.open_to_append(path, FileSystem::Existing::kept));
  DUHUI_CHECK_OK(append_locked(*file, token, there->segments(), secret, parts_.random, bytes));
  return file->sync();
}

Result<std::unique_ptr<BlobReader>> UploadShelf::read_path(const std::string& path) {
  if (path.ends_with(kLockedEnding)) {
    DUHUI_TRY(secret, key());
    DUHUI_TRY(segments, LockedSegments::open(parts_.files, path, secret));
    return std::unique_ptr<BlobReader>(std::move(segments));
  }
  DUHUI_TRY(found, parts_.files.info(path));
  if (!found || found->is_folder) return Error{ErrorCode::not_found, "files: not here"};
  DUHUI_TRY(file, parts_.files.open_to_read(path));
  return std::unique_ptr<BlobReader>(std::make_unique<PlainFile>(std::move(file), found->size));
}

Result<std::unique_ptr<BlobReader>> UploadShelf::look(const std::string& token) {
  DUHUI_TRY(path, path_of(token));
  return read_path(path);
}

Result<ShelvedBlob> UploadShelf::finish(const std::string& token) {
  DUHUI_TRY(path, path_of(token));
  if (!path.ends_with(kLockedEnding)) {
    DUHUI_TRY(adopted, parts_.shown.adopt(path));
    DUHUI_CHECK_OK(parts_.files.sync_folder(incoming()));
    return ShelvedBlob{.sha256 = to_hex(adopted.sha256.view()), .size = adopted.size};
  }
  DUHUI_TRY(secret, key());
  DUHUI_TRY(reader, read_path(path));
  if (reader->size() == 0) return Error{ErrorCode::limit_exceeded, "file_size: empty"};
  DUHUI_TRY(sha256, hash_of(*reader));
  // What the school may read already needs no lock.
  DUHUI_TRY(shown, parts_.shown.size(sha256));
  if (!shown) {
    const ReadPlain read = [&reader](std::uint64_t offset, std::size_t count) {
      return reader->read(offset, count);
    };
    DUHUI_CHECK_OK(lock_file(secret, sha256, reader->size(), read, parts_.locked));
  }
  const ShelvedBlob blob{.sha256 = to_hex(sha256.view()), .size = reader->size()};
  DUHUI_CHECK_OK(drop(token));
  return blob;
}

Result<std::unique_ptr<BlobReader>> UploadShelf::open(const std::string& sha256) {
  DUHUI_TRY(hash, hash_named(sha256));
  DUHUI_TRY(size, parts_.shown.size(hash));
  if (size) {
    return std::unique_ptr<BlobReader>(std::make_unique<StoredFile>(parts_.shown, hash, *size));
  }
  DUHUI_TRY(locked, parts_.locked.size(hash));
  if (!locked) return Error{ErrorCode::not_found, "files: not here"};
  DUHUI_TRY(secret, key());
  return std::unique_ptr<BlobReader>(
      std::make_unique<LockedFile>(parts_.locked, hash, unlocked_size(*locked), secret));
}

Status UploadShelf::drop(const std::string& token) {
  for (;;) {
    const auto path = path_of(token);
    if (!path && path.error().code == ErrorCode::not_found) return Done{};
    if (!path) return path.error();
    DUHUI_CHECK_OK(parts_.files.remove(*path));
    DUHUI_CHECK_OK(parts_.files.sync_folder(incoming()));
  }
}

}  // namespace duhui::agent

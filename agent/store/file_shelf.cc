#include "agent/store/file_shelf.h"

#include <algorithm>
#include <utility>

#include "shared/base/bytes.h"
#include "shared/crypto/running_digest.h"

namespace duhui::agent {
namespace {

constexpr std::size_t kTokenDigits = 32;
constexpr std::size_t kHashDigits = 64;
constexpr std::size_t kReadStep = 1 << 20;
/// Records come first: files leave them this much room.
constexpr std::uint64_t kRoomForRecords = 256ull << 20;
constexpr std::string_view kOriginalEnding = ".original";

class FileReader final : public BlobReader {
 public:
  FileReader(std::unique_ptr<ReadFile> file, std::uint64_t size)
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

}  // namespace

Result<std::unique_ptr<FileShelf>> FileShelf::open(FileSystem& files, std::string folder) {
  std::unique_ptr<FileShelf> shelf(new FileShelf(files, std::move(folder)));
  DUHUI_CHECK_OK(files.make_folder(shelf->folder_));
  DUHUI_CHECK_OK(files.make_folder(shelf->incoming()));
  DUHUI_CHECK_OK(files.sync_folder(shelf->folder_));
  return shelf;
}

Status FileShelf::check_name(std::string_view name, std::size_t digits) {
  const bool right = name.size() == digits && std::ranges::all_of(name, [](char c) {
                       return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                     });
  if (right) return Done{};
  return Error{ErrorCode::invalid_input,
               "files: not a name of " + std::to_string(digits) + " hexadecimal digits"};
}

Status FileShelf::begin(const std::string& token, std::uint64_t size) {
  DUHUI_CHECK_OK(check_name(token, kTokenDigits));
  const std::string path = incoming() + "/" + token;
  DUHUI_TRY(found, files_.info(path));
  if (found) return Error{ErrorCode::conflict, "files: begun already: " + token};
  DUHUI_TRY(free, files_.free_bytes(folder_));
  if (free < kRoomForRecords || free - kRoomForRecords < size) {
    return Error{ErrorCode::limit_exceeded,
                 "file_disk: " + std::to_string(free) + " bytes are free"};
  }
  DUHUI_TRY(file, files_.open_to_append(path, FileSystem::Existing::kept));
  DUHUI_CHECK_OK(file->sync());
  return files_.sync_folder(incoming());
}

Status FileShelf::append(const std::string& token, std::string_view bytes) {
  DUHUI_CHECK_OK(check_name(token, kTokenDigits));
  const std::string path = incoming() + "/" + token;
  DUHUI_TRY(found, files_.info(path));
  if (!found) return Error{ErrorCode::not_found, "files: nothing begun: " + token};
  DUHUI_TRY(file, files_.open_to_append(path, FileSystem::Existing::kept));
  DUHUI_CHECK_OK(file->append(bytes));
  return file->sync();
}

Result<std::unique_ptr<BlobReader>> FileShelf::read_path(const std::string& path) {
  DUHUI_TRY(found, files_.info(path));
  if (!found || found->is_folder) return Error{ErrorCode::not_found, "files: not here"};
  DUHUI_TRY(file, files_.open_to_read(path));
  return std::unique_ptr<BlobReader>(std::make_unique<FileReader>(std::move(file), found->size));
}

Result<std::unique_ptr<BlobReader>> FileShelf::look(const std::string& token) {
  DUHUI_CHECK_OK(check_name(token, kTokenDigits));
  return read_path(incoming() + "/" + token);
}

Result<std::string> FileShelf::place_of(const std::string& sha256) {
  const std::string first = folder_ + "/" + sha256.substr(0, 2);
  const std::string second = first + "/" + sha256.substr(2, 2);
  DUHUI_TRY(found, files_.info(second));
  if (found) return second;
  DUHUI_CHECK_OK(files_.make_folder(first));
  DUHUI_CHECK_OK(files_.sync_folder(folder_));
  DUHUI_CHECK_OK(files_.make_folder(second));
  DUHUI_CHECK_OK(files_.sync_folder(first));
  return second;
}

Status FileShelf::move(const std::string& token,
                       const std::string& sha256,
                       std::string_view ending) {
  DUHUI_TRY(place, place_of(sha256));
  DUHUI_CHECK_OK(
      files_.rename(incoming() + "/" + token, place + "/" + sha256 + std::string(ending)));
  DUHUI_CHECK_OK(files_.sync_folder(place));
  return files_.sync_folder(incoming());
}

Result<ShelvedBlob> FileShelf::finish(const std::string& token) {
  DUHUI_TRY(reader, look(token));
  RunningDigest digest;
  for (std::uint64_t at = 0; at < reader->size();) {
    DUHUI_TRY(piece, reader->read(at, kReadStep));
    if (piece.empty()) return Error{ErrorCode::storage_failed, "files: shorter than it was"};
    digest.add(piece);
    at += piece.size();
  }
  ShelvedBlob blob{.sha256 = to_hex(digest.take().view()), .size = reader->size()};
  DUHUI_CHECK_OK(move(token, blob.sha256, {}));
  return blob;
}

Status FileShelf::keep_original(const std::string& token, const std::string& sha256) {
  DUHUI_CHECK_OK(check_name(sha256, kHashDigits));
  DUHUI_TRY(begun, look(token));
  DUHUI_TRY(shown, open(sha256, Copy::shown));
  return move(token, sha256, kOriginalEnding);
}

Result<std::unique_ptr<BlobReader>> FileShelf::open(const std::string& sha256, Copy copy) {
  DUHUI_CHECK_OK(check_name(sha256, kHashDigits));
  const std::string_view ending = copy == Copy::original ? kOriginalEnding : std::string_view{};
  return read_path(folder_ + "/" + sha256.substr(0, 2) + "/" + sha256.substr(2, 2) + "/" + sha256 +
                   std::string(ending));
}

Status FileShelf::drop(const std::string& token) {
  DUHUI_CHECK_OK(check_name(token, kTokenDigits));
  const std::string path = incoming() + "/" + token;
  DUHUI_TRY(found, files_.info(path));
  if (!found) return Done{};
  DUHUI_CHECK_OK(files_.remove(path));
  return files_.sync_folder(incoming());
}

}  // namespace duhui::agent

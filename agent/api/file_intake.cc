#include "agent/api/file_intake.h"

#include <memory>
#include <utility>

#include "shared/base/bytes.h"
#include "shared/crypto/digest.h"
#include "shared/media/bare_copy.h"
#include "shared/media/file_name.h"
#include "shared/media/known_type.h"
#include "shared/record/base64.h"

namespace duhui::agent {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kReadStep = 1 << 20;

class ShelfSource final : public media::Source {
 public:
  explicit ShelfSource(BlobReader& reader) : reader_(reader) {}
  std::uint64_t size() const override { return reader_.size(); }
  Result<std::string> read(std::uint64_t offset, std::size_t size) const override {
    return reader_.read(offset, size);
  }

 private:
  BlobReader& reader_;
};

Status check_hash(BlobReader& reader, const std::string& wanted) {
  if (wanted.empty()) return Done{};
  DigestStream digest;
  for (std::uint64_t at = 0; at < reader.size();) {
    DUHUI_TRY(piece, reader.read(at, kReadStep));
    if (piece.empty()) return Error{ErrorCode::storage_failed, "files: shorter than it was"};
    digest.add(piece);
    at += piece.size();
  }
  const std::string found = to_hex(digest.take().view());
  if (found == wanted) return Done{};
  return Error{ErrorCode::refused, "file_hash: it is " + found};
}

Status write(BlobShelf& shelf, const std::string& token, std::string_view bytes, bool hidden) {
  DUHUI_CHECK_OK(shelf.begin(token, bytes.size(), hidden));
  return shelf.append(token, bytes);
}

void describe(Json& file, const media::Shrunk& shrunk) {
  file["width"] = shrunk.width;
  file["height"] = shrunk.height;
  file["thumbnail"] = to_base64(shrunk.thumbnail);
  if (shrunk.taken_at) file["taken_at"] = *shrunk.taken_at;
  if (shrunk.geo) {
    file["geo"] = {{"lat", shrunk.geo->latitude}, {"lon", shrunk.geo->longitude}};
  }
}

Json file_json(const ShelvedBlob& blob, const media::FileType& type, const std::string& name) {
  return {{"sha256", blob.sha256},
          {"size", blob.size},
          {"mime", media::full_mime(type)},
          {"file_name", media::safe_file_name(name, type)},
          {"kind", to_string(type.kind)}};
}

/// What a person handed in, without what its camera wrote into it; null: nothing is left to keep.
Result<Json> keep_original(BlobShelf& shelf,
                           const std::string& token,
                           std::string_view bytes,
                           const std::string& mime,
                           bool hidden) {
  const auto bare = media::bare_copy(bytes);
  if (!bare) return Json();
  DUHUI_CHECK_OK(write(shelf, token, *bare, hidden));
  DUHUI_TRY(blob, shelf.finish(token));
  return Json{{"sha256", blob.sha256}, {"size", blob.size}, {"mime", mime}};
}

Result<Json> take_picture(BlobShelf& shelf,
                          BlobReader& reader,
                          const SpareTokens& spare,
                          const FilePromise& promise,
                          const FileSettings& settings,
                          const media::FileType& whole) {
  DUHUI_TRY(bytes, reader.read(0, static_cast<std::size_t>(reader.size())));
  DUHUI_TRY(shrunk, media::shrink(bytes, {.bytes_max = std::size_t{1024} * settings.photo_kib,
                                          .side_max = settings.photo_side,
                                          .keep_location = promise.keep_location}));
  DUHUI_CHECK_OK(write(shelf, spare.shown, shrunk.bytes, promise.hidden));
  DUHUI_TRY(blob, shelf.finish(spare.shown));
  const media::FileType type{.mime = shrunk.mime,
                             .extension = shrunk.extension,
                             .kind = media::Kind::photo,
                             .shrinks = true};
  Json file = file_json(blob, type, promise.name);
  describe(file, shrunk);
  if (!settings.keep_original) return file;
  DUHUI_TRY(original,
            keep_original(shelf, spare.original, bytes, media::full_mime(whole), promise.hidden));
  if (!original.is_null() && original["sha256"] != blob.sha256)
    file["original"] = std::move(original);
  return file;
}

Result<Json> take_whole(BlobShelf& shelf,
                        const std::string& token,
                        const SpareTokens& spare,
                        const FilePromise& promise,
                        const FileSettings& settings) {
  DUHUI_TRY(reader, shelf.look(token));
  DUHUI_CHECK_OK(check_hash(*reader, promise.sha256));
  DUHUI_TRY(type, media::sniff(ShelfSource(*reader)));
  if (!type.shrinks) {
    DUHUI_TRY(blob, shelf.finish(token));
    return file_json(blob, type, promise.name);
  }
  DUHUI_TRY(file, take_picture(shelf, *reader, spare, promise, settings, type));
  DUHUI_CHECK_OK(shelf.drop(token));
  return file;
}

/// Whether trying again would find the same.
bool is_final(const Error& error) {
  if (error.code == ErrorCode::refused) return true;
  return error.code == ErrorCode::limit_exceeded && error.detail.starts_with("file_size");
}

}  // namespace

std::string_view to_string(media::Kind kind) {
  switch (kind) {
    case media::Kind::photo:
      return "photo";
    case media::Kind::document:
      return "document";
    case media::Kind::audio:
      return "audio";
    case media::Kind::video:
      return "video";
    case media::Kind::archive:
      return "archive";
  }
  return {};
}

Result<Json> take_in(BlobShelf& shelf,
                     const std::string& token,
                     const SpareTokens& spare,
                     const FilePromise& promise,
                     const FileSettings& settings) {
  auto file = take_whole(shelf, token, spare, promise, settings);
  if (file) return file;
  for (const std::string& left : {spare.shown, spare.original}) {
    if (auto dropped = shelf.drop(left); !dropped) return std::move(dropped).error();
  }
  if (is_final(file.error())) DUHUI_CHECK_OK(shelf.drop(token));
  return file;
}

}  // namespace duhui::agent

#include "agent/api/file_desk.h"

#include <algorithm>
#include <charconv>
#include <new>
#include <utility>

#include "shared/api/file_answer.h"
#include "shared/api/named_file.h"
#include "shared/base/bytes.h"
#include "shared/media/file_name.h"
#include "shared/media/limits.h"
#include "shared/record/base64.h"
#include "shared/record/json_text.h"

namespace duhui::agent {
namespace {

using Json = nlohmann::json;
using api::ApiRequest;
using api::ApiResponse;

constexpr std::size_t kTokenBytes = 16;
constexpr std::size_t kUploadsMax = 64;
constexpr std::size_t kUploadsOfOneMax = 16;
constexpr Duration kUnfinishedLife = hours(7 * 24);
constexpr Duration kFinishedLife = hours(24);
constexpr std::size_t kNameBytesMax = 1024;

std::string person_of(const Subject& subject) {
  return subject.kind == Subject::Kind::person ? subject.person : std::string();
}

/// Whose files may be of what the school is not to read (yet).
bool is_of_the_office(const Subject& subject) {
  return std::ranges::none_of(subject.grants,
                              [](const Grant& grant) { return is_school_role(grant.role); });
}

bool is_hash(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Result<FilePromise> promise_of(const ApiRequest& request) {
  FilePromise promise;
  DUHUI_TRY(name, request.body_text("name"));
  if (name.size() > kNameBytesMax) return Error{ErrorCode::invalid_input, "name: too long"};
  promise.name = std::move(name);
  const auto size = request.body.find("size");
  if (size == request.body.end() || !size->is_number_unsigned() || *size == 0) {
    return Error{ErrorCode::invalid_input, "size: a number of bytes, at least 1"};
  }
  promise.size = size->get<std::uint64_t>();
  if (promise.size > media::kFileBytesMax) {
    return Error{ErrorCode::limit_exceeded, "file_size: over 2 GiB"};
  }
  if (request.body.contains("sha256")) {
    DUHUI_TRY(sha256, request.body_text("sha256"));
    if (!is_hash(sha256)) {
      return Error{ErrorCode::invalid_input, "sha256: 64 hexadecimal digits in lower case"};
    }
    promise.sha256 = std::move(sha256);
  }
  const Json location = request.body.value("keep_location", Json(false));
  if (!location.is_boolean()) {
    return Error{ErrorCode::invalid_input, "wrong_type: keep_location: true or false"};
  }
  promise.keep_location = location.get<bool>();
  return promise;
}

Result<std::uint64_t> offset_of(const std::string& text) {
  std::uint64_t offset = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size()) {
    return Error{ErrorCode::invalid_input, "missing: the header Upload-Offset"};
  }
  return offset;
}

Json promise_json(const FilePromise& promise) {
  return {{"name", promise.name},
          {"size", promise.size},
          {"sha256", promise.sha256},
          {"keep_location", promise.keep_location},
          {"hidden", promise.hidden}};
}

bool wants(const ApiRequest& request, const char* what) { return request.query_text(what) == "1"; }

}  // namespace

/// One piece on its way to the disk, and what became of it.
struct FileDesk::Step {
  BlobShelf& shelf;
  FileSettings settings{};
  std::string id{};
  SpareTokens spare{};
  FilePromise promise{};
  std::string bytes{};
  std::uint64_t offset = 0;  // before, then behind the piece
  Status written = Done{};
  std::optional<Result<Json>> file{};  // nothing: not whole yet

  void run() {
    try {
      if (!bytes.empty()) written = shelf.append(id, bytes);
      if (!written) {
        // Some of it may be there.
        if (auto reader = shelf.look(id)) offset = (*reader)->size();
        return;
      }
      offset += bytes.size();
      if (offset == promise.size) file = take_in(shelf, id, spare, promise, settings);
    } catch (const std::bad_alloc&) {
      written = Error{ErrorCode::unavailable, "files: no memory"};
    }
  }
};

FileDesk::FileDesk(Parts parts) : parts_(std::move(parts)) { load(); }

void FileDesk::add_to(api::Router& router) {
  const auto bind = [this](Result<ApiResponse> (FileDesk::*handler)(const ApiRequest&)) {
    return [this, handler](const ApiRequest& request) { return (this->*handler)(request); };
  };
  const api::Need writes{Verb::edit, Thing::records};
  const api::Need reads{Verb::read, Thing::records};
  router.add("POST", "/files", writes, bind(&FileDesk::begin));
  router.add("GET", "/files/uploads/{id}", writes, bind(&FileDesk::look));
  router.add("HEAD", "/files/uploads/{id}", writes, bind(&FileDesk::look));
  router.add("PATCH", "/files/uploads/{id}", writes, bind(&FileDesk::append), api::Body::bytes);
  router.add("DELETE", "/files/uploads/{id}", writes, bind(&FileDesk::drop));
  router.add("GET", "/files/{sha256}", reads, bind(&FileDesk::read));
  router.add("HEAD", "/files/{sha256}", reads, bind(&FileDesk::read));
}

// --- uploads ---

std::string FileDesk::mint_token() {
  std::string bytes(kTokenBytes, '\0');
  parts_.random.fill(bytes.data(), bytes.size());
  return to_hex(bytes);
}

Result<FileDesk::Upload*> FileDesk::find(const ApiRequest& request) {
  wake();
  const auto found = uploads_.find(request.names.at("id"));
  if (found == uploads_.end() || found->second.asleep ||
      found->second.person != person_of(request.subject)) {
    return Error{ErrorCode::not_found, "no such upload: " + request.names.at("id")};
  }
  return &found->second;
}

ApiResponse FileDesk::state_of(const std::string& id, const Upload& upload, int status) const {
  ApiResponse answer{status,
                     {{"id", id},
                      {"name", media::safe_file_name(upload.promise.name)},
                      {"size", upload.promise.size},
                      {"offset", upload.offset},
                      {"file", upload.file}}};
  answer.headers = {{"Upload-Offset", std::to_string(upload.offset)},
                    {"Upload-Length", std::to_string(upload.promise.size)},
                    {"Location", std::string(api::kBasePath) + "/files/uploads/" + id}};
  return answer;
}

/// What is too old goes; then, what is finished. Nobody keeps others from beginning.
Status FileDesk::make_room(const std::string& person) {
  const WallTime now = parts_.now();
  const auto gives_up = [&](const std::string& id, const Upload& upload) -> Result<bool> {
    if (upload.busy) return false;
    const Duration life = upload.file.is_null() ? kUnfinishedLife : kFinishedLife;
    // A clock that was set back makes nothing younger than it is.
    if (now - upload.begun < life && upload.begun - now < life) return false;
    if (upload.file.is_null()) DUHUI_CHECK_OK(parts_.shelf.drop(id));
    return true;
  };
  for (auto at = uploads_.begin(); at != uploads_.end();) {
    DUHUI_TRY(gone, gives_up(at->first, at->second));
    at = gone ? uploads_.erase(at) : std::next(at);
  }
  const auto count = [&] {
    return static_cast<std::size_t>(std::ranges::count_if(
        uploads_, [&](const auto& one) { return one.second.person == person; }));
  };
  for (auto at = uploads_.begin(); at != uploads_.end();) {
    const bool crowded = uploads_.size() >= kUploadsMax ||
                         (count() >= kUploadsOfOneMax && at->second.person == person);
    const bool done = !at->second.file.is_null() && !at->second.busy;
    at = crowded && done ? uploads_.erase(at) : std::next(at);
  }
  if (uploads_.size() < kUploadsMax && count() < kUploadsOfOneMax) return Done{};
  return Error{ErrorCode::limit_exceeded,
               "uploads: " + std::to_string(count()) + " are unfinished"};
}

Result<ApiResponse> FileDesk::begin(const ApiRequest& request) {
  wake();
  DUHUI_TRY(promise, promise_of(request));
  promise.hidden = is_of_the_office(request.subject) && parts_.shelf.can_hide();
  Upload upload{
      .person = person_of(request.subject), .promise = std::move(promise), .begun = parts_.now()};
  // Begun before and cut off: it goes on, though whoever sends it has forgotten where.
  for (const auto& [id, other] : uploads_) {
    const bool same = !other.asleep && !upload.promise.sha256.empty() &&
                      other.person == upload.person && other.promise == upload.promise;
    if (same) return state_of(id, other);
  }
  DUHUI_CHECK_OK(make_room(upload.person));
  std::uint64_t room = upload.promise.size;
  for (const auto& [id, other] : uploads_) {
    if (other.file.is_null()) room += other.promise.size - other.offset;
  }
  const std::string id = mint_token();
  const bool upload_hidden = upload.promise.hidden;
  // Known of before it is there: nothing is on the disk that nobody knows of.
  uploads_[id] = std::move(upload);
  lock_away(id, uploads_[id]);
  Status begun = save();
  if (begun) begun = parts_.shelf.begin(id, room, upload_hidden);
  if (!begun) {
    uploads_.erase(id);
    return std::move(begun).error();
  }
  return state_of(id, uploads_[id], 201);
}

Result<ApiResponse> FileDesk::look(const ApiRequest& request) {
  DUHUI_TRY(upload, find(request));
  return state_of(request.names.at("id"), *upload);
}

Result<ApiResponse> FileDesk::append(const ApiRequest& request) {
  DUHUI_TRY(upload, find(request));
  const std::string& id = request.names.at("id");
  DUHUI_TRY(offset, offset_of(request.upload_offset));
  if (upload->busy) return Error{ErrorCode::conflict, "upload_busy: " + id};
  if (offset != upload->offset) {
    ApiResponse answer = api::error_answer(
        {ErrorCode::conflict, "upload_offset: it goes on at " + std::to_string(upload->offset)});
    answer.headers.emplace_back("Upload-Offset", std::to_string(upload->offset));
    return answer;
  }
  if (request.bytes.size() > upload->promise.size - offset) {
    return Error{ErrorCode::limit_exceeded, "file_size: more than was said"};
  }
  if (!upload->file.is_null()) return state_of(id, *upload);
  const auto step = std::make_shared<Step>(Step{.shelf = parts_.shelf,
                                                .settings = parts_.settings,
                                                .id = id,
                                                .spare = {mint_token(), mint_token()},
                                                .promise = upload->promise,
                                                .bytes = std::string(request.bytes),
                                                .offset = offset});
  upload->busy = true;
  ApiResponse answer;
  answer.deferred = std::make_shared<api::Deferred>(api::Deferred{
      .work = [step] { step->run(); }, .finish = [this, step] { return settle(*step); }});
  return answer;
}

ApiResponse FileDesk::settle(const Step& step) {
  Upload& upload = uploads_[step.id];
  upload.busy = false;
  upload.offset = step.offset;
  if (!step.written) return api::error_answer(step.written.error());
  if (!step.file) return state_of(step.id, upload);
  if (!*step.file) {
    const Error& error = step.file->error();
    // Whole and not taken: there is nothing left to go on with.
    if (!parts_.shelf.look(step.id)) uploads_.erase(step.id);
    if (auto saved = save(); !saved) return api::error_answer(saved.error());
    return api::error_answer(error);
  }
  upload.file = **step.file;
  lock_away(step.id, upload);
  if (auto saved = save(); !saved) return api::error_answer(saved.error());
  return state_of(step.id, upload);
}

Result<ApiResponse> FileDesk::drop(const ApiRequest& request) {
  DUHUI_TRY(upload, find(request));
  const std::string id = request.names.at("id");
  if (upload->busy) return Error{ErrorCode::conflict, "upload_busy: " + id};
  DUHUI_CHECK_OK(parts_.shelf.drop(id));
  uploads_.erase(id);
  DUHUI_CHECK_OK(save());
  return ApiResponse{200, {{"dropped", true}}};
}

// --- reading ---

Result<ApiResponse> FileDesk::read(const ApiRequest& request) {
  const std::string& sha256 = request.names.at("sha256");
  DUHUI_TRY(named,
            api::find_named_file(parts_.source, request.subject, request.query_text("record"),
                                 request.query_text("type"), sha256));
  ApiResponse answer{200, nullptr};
  if (wants(request, "thumbnail")) {
    if (!named.thumbnail) return Error{ErrorCode::not_found, "no such file: a thumbnail"};
    answer.file = api::thumbnail_answer(std::move(*named.thumbnail), sha256);
    return answer;
  }
  auto opened = parts_.shelf.open(sha256);
  if (!opened && opened.error().code == ErrorCode::not_found) {
    return Error{ErrorCode::unavailable, "file_absent: " + sha256};
  }
  if (!opened) return std::move(opened).error();
  const std::shared_ptr<BlobReader> reader = std::move(*opened);
  const auto read = [reader](std::uint64_t offset, std::size_t size) {
    return reader->read(offset, size);
  };
  answer.file = api::file_answer(named, {.size = reader->size(), .read = read}, sha256);
  return answer;
}

// --- what survives a restart ---

void FileDesk::load() {
  const auto text = parts_.kept.load();
  if (!text) return;
  const Json kept = Json::parse(*text, nullptr, false);
  if (!kept.is_object() || !kept.contains("uploads")) return;
  for (const auto& [id, one] : kept["uploads"].items()) {
    const Json locked = one.is_object() ? one.value("locked", Json()) : Json();
    if (!locked.is_string()) {
      if (auto upload = revive(id, one)) uploads_[id] = std::move(*upload);
      continue;
    }
    const Json begun = one.value("begun_ms", Json());
    uploads_[id] = {.begun = WallTime{begun.is_number_integer() ? begun.get<std::int64_t>() : 0},
                    .locked = locked,
                    .asleep = true};
  }
}

void FileDesk::wake() {
  if (!parts_.shelf.can_hide()) return;
  for (auto at = uploads_.begin(); at != uploads_.end();) {
    const auto here = at++;
    if (!here->second.asleep) continue;
    const auto locked = from_base64(here->second.locked);
    const auto note = locked ? parts_.shelf.open_note(here->first, *locked)
                             : Result<std::string>(Error{ErrorCode::corrupt_data, "uploads"});
    if (!note && note.error().code == ErrorCode::unavailable) return;
    auto upload = note ? revive(here->first, Json::parse(*note, nullptr, false)) : std::nullopt;
    if (!upload) {
      static_cast<void>(parts_.shelf.drop(here->first).has_value());
      uploads_.erase(here);
      continue;
    }
    upload->locked = std::move(here->second.locked);
    here->second = std::move(*upload);
  }
}

std::optional<FileDesk::Upload> FileDesk::revive(const std::string& id, const Json& kept) {
  auto upload = upload_of(kept);
  if (!upload) return {};
  upload->offset = upload->promise.size;
  if (!upload->file.is_null()) return upload;
  const auto reader = parts_.shelf.look(id);
  // Cut off between being known of and being there, or all of it is shelved under its hash.
  if (!reader || (*reader)->size() > upload->promise.size) return {};
  upload->offset = (*reader)->size();
  return upload;
}

void FileDesk::lock_away(const std::string& id, Upload& upload) {
  if (!upload.promise.hidden) return;
  // Locked meanwhile: what lies there stays as it is.
  if (auto note = parts_.shelf.lock_note(id, json_text(kept_json(upload)))) {
    upload.locked = to_base64(*note);
  }
}

std::optional<FileDesk::Upload> FileDesk::upload_of(const Json& kept) {
  try {
    const Json& promise = kept.at("promise");
    return Upload{.person = kept.at("person"),
                  .promise = {.name = promise.at("name"),
                              .size = promise.at("size"),
                              .sha256 = promise.at("sha256"),
                              .keep_location = promise.at("keep_location"),
                              .hidden = promise.at("hidden")},
                  .begun = WallTime{kept.at("begun_ms").get<std::int64_t>()},
                  .file = kept.at("file")};
  } catch (const Json::exception&) {
    return {};
  }
}

Json FileDesk::kept_json(const Upload& upload) {
  return {{"person", upload.person},
          {"promise", promise_json(upload.promise)},
          {"begun_ms", upload.begun.ms},
          {"file", upload.file}};
}

Status FileDesk::save() {
  Json uploads = Json::object();
  for (const auto& [id, upload] : uploads_) {
    // Of what is hidden the name and the thumbnail must not lie open either.
    uploads[id] = upload.locked.empty()
                      ? kept_json(upload)
                      : Json{{"begun_ms", upload.begun.ms}, {"locked", upload.locked}};
  }
  return parts_.kept.save(json_text({{"uploads", std::move(uploads)}}));
}

}  // namespace duhui::agent

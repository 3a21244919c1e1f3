#include "hub/api/file_desk.h"

#include <optional>
#include <string>

#include "hub/core/blob_links.h"
#include "shared/api/audit_actor.h"
#include "shared/api/file_answer.h"
#include "shared/api/named_file.h"
#include "shared/base/bytes.h"
#include "shared/sync/blob_store.h"

namespace duhui::hub {

void FileDesk::add_to(api::Router& router) {
  const api::Need reads{Verb::read, Thing::records};
  for (const char* method : {"GET", "HEAD"}) {
    router.add(method, "/files/{sha256}", reads,
               [this](const api::ApiRequest& request) { return read(request); });
  }
}

Result<api::ApiResponse> FileDesk::read(const api::ApiRequest& request) {
  const std::string& sha256 = request.names.at("sha256");
  DUHUI_TRY(named, api::find_named_file(records_, request.subject, request.query_text("record"),
                                        request.query_text("type"), sha256));
  if (!named.restricted.empty()) {
    DUHUI_CHECK_OK(hub_.audit(api::audit_entry({.subject = request.subject,
                                                .action = "read_restricted",
                                                .type = named.type,
                                                .id = std::string(request.query_text("record")),
                                                .detail = named.restricted})));
  }
  api::ApiResponse answer{200, nullptr};
  if (request.query_text("thumbnail") == "1") {
    if (!named.thumbnail) return Error{ErrorCode::not_found, "no such file: a thumbnail"};
    answer.file = api::thumbnail_answer(std::move(*named.thumbnail), sha256);
    return answer;
  }
  const Error absent{ErrorCode::unavailable, "file_absent: " + sha256};
  BlobStore* files = hub_.files();
  const auto bytes = from_hex(sha256);
  const auto digest = bytes ? Digest::from_bytes(*bytes) : std::nullopt;
  if (files == nullptr || !digest) return absent;
  // To name a hash is no right to what it is of: somebody has to have brought it for this record.
  bool brought = false;
  DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
    DUHUI_TRY(known, was_brought_for(tx, *digest, named.record));
    brought = known;
    return Done{};
  }));
  if (!brought) return absent;
  DUHUI_TRY(size, files->size(*digest));
  if (!size) return absent;
  answer.file =
      api::file_answer(named,
                       {.size = *size,
                        .read =
                            [files, hash = *digest](std::uint64_t offset, std::size_t count) {
                              return files->read(hash, offset, count);
                            }},
                       sha256);
  return answer;
}

}  // namespace duhui::hub

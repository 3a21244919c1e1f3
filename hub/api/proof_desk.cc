#include "hub/api/proof_desk.h"

#include <utility>

#include "hub/api/audit_file.h"
#include "shared/api/audit_actor.h"
#include "shared/api/record_ids.h"
#include "shared/api/time_text.h"
#include "shared/base/bytes.h"
#include "shared/crypto/text.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

constexpr std::uint32_t kPagesMax = 1'000'000;

}  // namespace

void ProofDesk::add_to(api::Router& router) {
  router.add("POST", "/proofs", {Verb::export_, Thing::integrity},
             [this](const api::ApiRequest& request) { return begin(request); });
  router.add("GET", "/proofs/{id}", {Verb::export_, Thing::integrity},
             [this](const api::ApiRequest& request) { return page(request); });
}

Result<RecordId> record_of(const api::ApiRequest& request) {
  DUHUI_TRY(text, request.body_text("record"));
  const auto type = request.body.find("type");
  return api::parse_record_id(
      text, type != request.body.end() && type->is_string() ? type->get<std::string>() : "");
}

Result<api::ApiResponse> ProofDesk::begin(const api::ApiRequest& request) {
  RecordId record;
  if (request.body.is_object() && request.body.contains("record")) {
    DUHUI_TRY(named, record_of(request));
    record = named;
  }
  const std::string id = record.is_zero() ? "" : to_uuid_text(record.view());
  DUHUI_CHECK_OK(hub_.audit({.actor = api::audit_actor(request.subject),
                             .action = "proof.export",
                             .target_type = record.is_zero() ? "hub" : "record",
                             .target_id = id,
                             .outcome = "begun"}));
  making_.reset();
  DUHUI_TRY(making, ProofMaking::begin(hub_, record));
  making_ = std::move(making);
  std::string random(8, '\0');
  hub_.random().fill(random.data(), random.size());
  number_ = to_hex(random);
  pages_ = 0;
  newest_page_.clear();
  return api::ApiResponse{201,
                          {{"id", number_},
                           {"record", id},
                           {"key_fingerprint", key_fingerprint(hub_.key().public_key())}}};
}

Result<api::ApiResponse> ProofDesk::page(const api::ApiRequest& request) {
  if (!making_ || request.names.at("id") != number_) {
    return Error{ErrorCode::not_found, "no such archive, or a newer one has begun"};
  }
  DUHUI_TRY(page, request.query_number("page", 1, kPagesMax));
  if (page == pages_ + 1 && !making_->done()) {
    DUHUI_TRY(bytes, making_->next());
    newest_page_ = std::move(bytes);
    ++pages_;
  }
  if (page != pages_) return Error{ErrorCode::invalid_input, "page: the next one"};
  return api::ApiResponse{
      200, {{"page", pages_}, {"bytes", to_base64url(newest_page_)}, {"last", making_->done()}}};
}

Json findings_json(const ProofFindings& found) {
  const ProofFault fault = found.fault.value_or(ProofFault{});
  const auto uuid = [](const RecordId& id) {
    return id.is_zero() ? std::string() : to_uuid_text(id.view());
  };
  return {{"ok", !found.fault.has_value()},
          {"problem", fault.problem},
          {"stream", fault.origin.is_zero() ? "" : to_hex(fault.origin.view())},
          {"seq", fault.seq},
          {"damaged_record", uuid(fault.record)},
          {"record", uuid(found.record)},
          {"made_at", found.made_at.ms == 0 ? "" : api::time_text(found.made_at)},
          {"streams", found.streams},
          {"batches", found.batches},
          {"ops", found.ops},
          {"records", found.records},
          {"key_fingerprint", found.hub_key ? key_fingerprint(*found.hub_key) : ""}};
}

Result<ProofFindings> verify_record(HubAccess& hub, const RecordId& record) {
  DUHUI_TRY(making, ProofMaking::begin(hub, record));
  std::string archive;
  while (!making->done()) {
    DUHUI_TRY(bytes, making->next());
    archive += bytes;
  }
  const ProofSource source{
      .size = archive.size(),
      .read = [&](std::uint64_t offset, std::size_t count) -> Result<std::string> {
        return archive.substr(static_cast<std::size_t>(offset), count);
      }};
  return ProofReader(source, hub.key().public_key()).run();
}

}  // namespace duhui::hub

#include "agent/api/delivery_desk.h"

#include <utility>
#include <vector>

#include "shared/api/domain_lookup.h"
#include "shared/api/record_access.h"
#include "shared/api/record_answer.h"
#include "shared/api/record_ids.h"
#include "shared/api/time_text.h"
#include "shared/base/bytes.h"
#include "shared/crypto/receipt_code.h"

namespace duhui::agent {
namespace {

using Json = nlohmann::json;
using Stage = Delivery::Stage;

/// Fetches that are remembered; the oldest answers go first.
constexpr std::size_t kAskedMax = 256;

struct Words {
  const char* state;
  const char* zh;
  const char* en;
};

Words words_of(Stage stage) {
  switch (stage) {
    case Stage::from_hub:
      return {"from_hub", "来自中心，本机没有修改", "from the hub, nothing was changed here"};
    case Stage::saved:
      return {"saved", "已存本机，尚未送达中心", "saved here, not at the hub yet"};
    case Stage::delivered:
      return {"delivered", "已送达中心，等中心人员处理",
              "delivered to the hub, waits for a person there"};
    case Stage::merged:
      return {"merged", "中心已处理", "delivered to the hub and part of its record"};
  }
  return {};
}

Words words_of_file(const std::optional<store::v1::NamedBlob>& known, bool here) {
  if (!known) {
    return here ? Words{"from_hub", "由其他设备提供，本机有副本", "of another device; here, too"}
                : Words{"elsewhere", "由其他设备提供，本机没有", "of another device, not here"};
  }
  if (known->has_receipt()) return {"delivered", "已送达中心", "delivered to the hub"};
  if (!known->refused().empty()) return {"refused", "中心不收", "the hub does not take it"};
  if (!here) return {"absent", "本机没有这个文件", "the file is not on this device"};
  return {"saved", "已存本机，尚未送达中心", "saved here, not at the hub yet"};
}

Json receipt_json(const std::string& signature, std::int64_t hub_time_ms) {
  return {{"code", receipt_code(signature)},
          {"at", api::time_text(WallTime{hub_time_ms})},
          {"signature", to_hex(signature)}};
}

Json held_json(const Delivery& delivery) {
  Json list = Json::array();
  for (const HubNotes::Held& held : delivery.held) {
    const bool orphan = held.what.kind() == sync::v1::Note::KIND_ORPHAN;
    list.push_back({{"dot", to_string(held.dot)},
                    {"kind", orphan ? "orphan" : "quarantined"},
                    {"detail", held.what.detail()}});
  }
  for (const Dot& dot : delivery.proposals) {
    list.push_back({{"dot", to_string(dot)}, {"kind", "proposal"}, {"detail", ""}});
  }
  return list;
}

/// Whatever in a shown record names a file, once each, in its order.
void collect_files(const Json& value, std::vector<Json>* found) {
  if (value.is_object() && value.contains("sha256") && value["sha256"].is_string() &&
      value.contains("size") && value["size"].is_number_unsigned()) {
    for (const Json& known : *found) {
      if (known["sha256"] == value["sha256"]) return;
    }
    found->push_back(value);
    return;
  }
  if (!value.is_structured()) return;
  for (const Json& part : value) collect_files(part, found);
}

std::optional<BlobName> name_of(const Json& named, const RecordId& record) {
  const auto hash = from_hex(named["sha256"].get<std::string>());
  if (!hash) return std::nullopt;
  return blob_name(*hash, named["size"].get<std::uint64_t>(), record.view());
}

}  // namespace

struct DeliveryDesk::Found {
  RecordId id;
  RecordState state;
  std::string id_text;
  std::string type;
  std::vector<Json> files;  // as this subject may see the record
};

void DeliveryDesk::add_to(api::Router& router) {
  const api::Need reads{Verb::read, Thing::records};
  router.add("GET", "/records/{id}/delivery", reads,
             [this](const api::ApiRequest& request) { return show(request); });
  router.add("POST", "/records/{id}/fetch", reads,
             [this](const api::ApiRequest& request) { return fetch(request); });
}

Result<DeliveryDesk::Found> DeliveryDesk::find(const api::ApiRequest& request) {
  const std::string& text = request.names.at("id");
  DUHUI_TRY(id, api::parse_record_id(text, request.query_text("type")));
  DUHUI_TRY(state, records_.state(id));
  api::RecordAccess access(records_, request.subject);
  // The same answer, to the letter, whether there is none or it is not for them.
  if (!state || !access.check_read(id, *state)) {
    return Error{ErrorCode::not_found, "no such record: " + text};
  }
  Found found{id, std::move(*state), text, {}, {}};
  found.type = api::type_name(found.state.type());
  api::DomainLookup lookup(records_);
  if (const auto shown = lookup.present_record(id, found.state)) {
    Json answer = api::record_answer(id, found.state, *shown, {});
    access.redact_answer(id, found.state, answer);
    collect_files(answer["value"], &found.files);
  }
  return found;
}

Result<Json> DeliveryDesk::file_json(const RecordId& record, const Json& named) {
  const auto name = name_of(named, record);
  if (!name) return Json();
  std::optional<std::uint64_t> size;
  if (replica_.files() != nullptr) {
    DUHUI_TRY(found, replica_.files()->size(name->sha256));
    size = found;
  }
  const bool here = size == name->size;
  DUHUI_TRY(known, replica_.blobs().find(name->sha256, record));
  Json hub_bytes;
  if (known) {
    DUHUI_TRY(bytes, replica_.blobs().hub_bytes(*name, *known));
    hub_bytes = bytes;
  }
  const Words words = words_of_file(known, here);
  Json file = {
      {"sha256", named["sha256"]},
      {"size", name->size},
      {"file_name", named.value("file_name", "")},
      {"here", here},
      {"state", words.state},
      {"words", {{"zh", words.zh}, {"en", words.en}}},
      {"hub_bytes", std::move(hub_bytes)},
      {"receipt", Json()},
      {"refused", known ? Json(known->refused()) : Json("")},
      {"fetch", Json()},
  };
  if (known && known->has_receipt()) {
    file["receipt"] = receipt_json(known->receipt().signature(), known->receipt().hub_time_ms());
  }
  if (const auto asked = asked_.find(*name); asked != asked_.end()) {
    file["fetch"] = {{"state", asked->second ? "failed" : "asked"},
                     {"detail", asked->second ? asked->second->detail : ""}};
  }
  return file;
}

Result<api::ApiResponse> DeliveryDesk::show(const api::ApiRequest& request) {
  DUHUI_TRY(found, find(request));
  DUHUI_TRY(delivery, replica_.delivery(found.id, found.state));
  Json files = Json::array();
  for (const Json& named : found.files) {
    DUHUI_TRY(file, file_json(found.id, named));
    if (!file.is_null()) files.push_back(std::move(file));
  }
  const Words words = words_of(delivery.stage);
  Json receipt;
  if (delivery.receipt) {
    receipt = receipt_json(delivery.receipt->signature(), delivery.receipt->hub_time_ms());
    receipt["seq"] = delivery.receipt->seq();
  }
  return api::ApiResponse{
      200,
      {{"id", found.id_text},
       {"uuid", to_uuid_text(found.id.view())},
       {"type", found.type},
       {"state", words.state},
       {"words", {{"zh", words.zh}, {"en", words.en}}},
       {"ops", {{"own", delivery.own}, {"unsent", delivery.unsent}, {"unsigned", delivery.said}}},
       {"receipt", std::move(receipt)},
       {"held", held_json(delivery)},
       {"files", std::move(files)}}};
}

Result<api::ApiResponse> DeliveryDesk::fetch(const api::ApiRequest& request) {
  DUHUI_TRY(found, find(request));
  DUHUI_TRY(sha256, request.body_text("sha256"));
  for (const Json& named : found.files) {
    if (named["sha256"] != Json(sha256)) continue;
    const auto name = name_of(named, found.id);
    if (!name) break;
    DUHUI_TRY(file, file_json(found.id, named));
    if (file["here"] == Json(true)) return api::ApiResponse{200, std::move(file)};
    while (asked_.size() >= kAskedMax) asked_.erase(asked_.begin());
    asked_[*name] = std::nullopt;
    // It may be refused at once; then fetched() has said so.
    if (!fetch_ || !fetch_(*name)) {
      asked_.erase(*name);
      return Error{ErrorCode::unavailable, "fetch: not connected to the hub"};
    }
    DUHUI_TRY(asked, file_json(found.id, named));
    return api::ApiResponse{202, std::move(asked)};
  }
  return Error{ErrorCode::not_found, "no such file: " + sha256};
}

void DeliveryDesk::fetched(const BlobName& name, const Status& how) {
  const auto asked = asked_.find(name);
  if (asked == asked_.end()) return;
  if (how) {
    asked_.erase(asked);
  } else {
    asked->second = how.error();
  }
}

}  // namespace duhui::agent

#include "hub/api/hub_nouns.h"

#include <map>
#include <set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "hub/api/audit_desk.h"
#include "hub/api/file_tally.h"
#include "hub/api/proof_desk.h"
#include "hub/api/reach.h"
#include "hub/api/registry_import.h"
#include "hub/api/ticket_desk.h"
#include "hub/api/verification.h"
#include "hub/core/blob_links.h"
#include "shared/api/audit_actor.h"
#include "shared/api/time_text.h"
#include "shared/base/bytes.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

constexpr std::uint32_t kListDefault = 100;
constexpr std::uint32_t kListMax = 1000;
constexpr std::uint32_t kCountMax = 10'000;  // what one query returns
constexpr std::string_view kEpochKey = "hub/epoch";

std::string time_or_empty(WallTime time) {
  return time.ms == 0 ? std::string() : api::time_text(time);
}

bool moves_people(const std::string& kind) {
  const auto schema = schema_of_kind(kind);
  const std::string type = schema ? (*schema)->rule.name() : std::string();
  return type == "user" || type == "assignment" || type == "school" || type == "org";
}

Json flags_json(const std::string& flags) {
  Json list = Json::array();
  for (std::size_t from = 0; from < flags.size();) {
    const std::size_t comma = std::min(flags.find(',', from), flags.size());
    if (comma > from) list.push_back(flags.substr(from, comma - from));
    from = comma + 1;
  }
  return list;
}

/// The device, with the head of the stream it writes now.
Result<Json> device_json(HubTransaction& tx,
                         const DeviceRow& row,
                         bool connected,
                         const std::map<DeviceId, FileCounters>& counted) {
  DUHUI_TRY(brought, brought_by(tx, row.id));
  const auto counters = counted.find(row.id);
  DUHUI_TRY(stream, tx.streams().get(row.current_origin));
  DUHUI_TRY(streams, tx.streams().of_device(row.id));
  return Json{{"id", to_uuid_text(row.id.view())},
              {"name", row.name},
              {"scopes", row.scopes},
              {"flags", flags_json(row.flags)},
              {"enrolled_at", time_or_empty(row.enrolled_at)},
              {"last_seen_at", time_or_empty(row.last_seen_at)},
              {"connected", connected},
              {"head", stream ? stream->head : 0},
              {"backed_up", stream ? stream->backed_up : 0},
              {"origin", to_hex(row.current_origin.view())},
              {"streams", streams.size()},
              {"clock_offset_ms", row.clock_offset_ms},
              {"software", row.software},
              {"files",
               {{"brought", brought.files()},
                {"bytes", brought.bytes()},
                {"counters",
                 counters_json(counters == counted.end() ? FileCounters{} : counters->second)}}},
              {"revoked", row.revoked}};
}

Result<DeviceId> device_id(const api::ApiRequest& request) {
  const std::string& text = request.names.at("id");
  const auto bytes = from_uuid_text(text);
  const auto id = bytes ? DeviceId::from_bytes(*bytes) : std::nullopt;
  if (!id) return Error{ErrorCode::invalid_input, "id: not a UUID: " + text};
  return *id;
}

}  // namespace

void HubNouns::add_to(api::Router& router) {
  using Handler = Result<api::ApiResponse> (HubNouns::*)(const api::ApiRequest&);
  const auto bind = [this](Handler handler) {
    return [this, handler](const api::ApiRequest& request) { return (this->*handler)(request); };
  };
  router.add("GET", "/status", {Verb::read, Thing::status}, bind(&HubNouns::status));
  router.add("GET", "/devices", {Verb::read, Thing::devices}, bind(&HubNouns::devices));
  router.add("GET", "/devices/{id}", {Verb::read, Thing::devices}, bind(&HubNouns::device));
  router.add("POST", "/devices/{id}/revoke", {Verb::manage, Thing::devices},
             bind(&HubNouns::revoke));
  router.add("POST", "/devices/{id}/restore", {Verb::manage, Thing::devices},
             bind(&HubNouns::restore));
  router.add("GET", "/tickets", {Verb::read, Thing::tickets}, bind(&HubNouns::tickets));
  router.add("POST", "/tickets", {Verb::manage, Thing::tickets}, bind(&HubNouns::create_ticket));
  router.add("POST", "/tickets/{id}/revoke", {Verb::manage, Thing::tickets},
             bind(&HubNouns::revoke_ticket));
  router.add("POST", "/import", {Verb::manage, Thing::registries}, bind(&HubNouns::import));
  router.add("POST", "/verify", {Verb::manage, Thing::integrity}, bind(&HubNouns::verify));
}

Result<api::ApiResponse> HubNouns::status(const api::ApiRequest&) {
  const HubFacts& facts = hub_.facts();
  const WallTime now = hub_.now();
  std::uint64_t ops = 0;
  std::size_t scopes = 0, enrolled = 0, revoked = 0, conflicts = 0, waiting = 0;
  std::string epoch;
  DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
    ops = scopes = enrolled = revoked = 0;
    DUHUI_TRY(names, tx.feed().scopes());
    scopes = names.size();
    for (const std::string& name : names) {
      DUHUI_TRY(head, tx.feed().head(name));
      ops += head.through;
    }
    DUHUI_TRY(rows, tx.devices().all());
    for (const DeviceRow& row : rows) ++(row.revoked ? revoked : enrolled);
    DUHUI_TRY(open, tx.review().conflicts({}, kCountMax));
    conflicts = open.size();
    DUHUI_TRY(quarantined, tx.review().quarantine(kCountMax));
    waiting = quarantined.size();
    DUHUI_TRY(stored_epoch, tx.settings().get(kEpochKey));
    epoch = to_hex(stored_epoch.value_or(""));
    return Done{};
  }));
  DUHUI_TRY(files, tally_.json());
  Json addresses = Json::object();
  if (facts.serving) {
    addresses = {
        {"devices",
         facts.addresses.devices_host + ":" + std::to_string(facts.addresses.devices_port)},
        {"http", "http://" + facts.addresses.http_host + ":" +
                     std::to_string(facts.addresses.http_port) + std::string(api::kBasePath)}};
  }
  return api::ApiResponse{200,
                          {{"program", "duhui-hub"},
                           {"version", facts.version},
                           {"id", to_uuid_text(facts.id.view())},
                           {"name", facts.name},
                           {"serving", facts.serving},
                           {"now", api::time_text(now)},
                           {"started_at", time_or_empty(facts.started_at)},
                           {"uptime_s", facts.serving ? (now - facts.started_at).ms / 1000 : 0},
                           {"epoch", epoch},
                           {"pin", to_hex(facts.pin)},
                           {"root_scope", records_.facts().root_scope},
                           {"addresses", std::move(addresses)},
                           {"scopes", scopes},
                           {"ops", ops},
                           {"devices",
                            {{"enrolled", enrolled},
                             {"revoked", revoked},
                             {"connected", hub_.connected_devices().size()}}},
                           {"files", std::move(files)},
                           {"open_conflicts", conflicts},
                           {"quarantine", waiting}}};
}

Result<api::ApiResponse> HubNouns::devices(const api::ApiRequest& request) {
  const Reach reach(request.subject, Verb::read, Thing::devices);
  const std::set<DeviceId> connected = hub_.connected_devices();
  Json list = Json::array();
  const std::map<DeviceId, FileCounters> counted = hub_.file_counters();
  DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
    list = Json::array();
    DUHUI_TRY(rows, tx.devices().all());
    for (const DeviceRow& row : rows) {
      if (!reach.covers_any(row.scopes)) continue;
      DUHUI_TRY(one, device_json(tx, row, connected.contains(row.id), counted));
      list.push_back(std::move(one));
    }
    return Done{};
  }));
  return api::ApiResponse{200, {{"devices", std::move(list)}}};
}

Result<api::ApiResponse> HubNouns::device(const api::ApiRequest& request) {
  DUHUI_TRY(id, device_id(request));
  const Reach reach(request.subject, Verb::read, Thing::devices);
  const bool connected = hub_.connected_devices().contains(id);
  const std::map<DeviceId, FileCounters> counted = hub_.file_counters();
  Json found;
  DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
    DUHUI_TRY(row, tx.devices().get(id));
    if (!row || !reach.covers_any(row->scopes)) {
      return Error{ErrorCode::not_found, "no such device"};
    }
    DUHUI_TRY(one, device_json(tx, *row, connected, counted));
    found = std::move(one);
    return Done{};
  }));
  return api::ApiResponse{200, std::move(found)};
}

Result<api::ApiResponse> HubNouns::set_revoked(const api::ApiRequest& request, bool revoked) {
  DUHUI_TRY(id, device_id(request));
  const AuditEntry entry{.at = hub_.now(),
                         .actor = api::audit_actor(request.subject),
                         .action = revoked ? "device.revoke" : "device.restore",
                         .target_type = "device",
                         .target_id = to_uuid_text(id.view()),
                         .outcome = "done"};
  const Status changed = hub_.change([&](HubTransaction& tx) -> Status {
    DUHUI_TRY(row, tx.devices().get(id));
    if (!row) return Error{ErrorCode::not_found, "no such device"};
    row->revoked = revoked;
    DUHUI_CHECK_OK(append_audit(tx, entry));
    return tx.devices().put(*row);
  });
  if (!changed) return changed.error();
  // Also when it was restored: it says hello again, and gets what it may read.
  hub_.drop_device(id, revoked ? "this device was revoked" : "this device was restored");
  return device(request);
}

Result<api::ApiResponse> HubNouns::revoke(const api::ApiRequest& request) {
  return set_revoked(request, true);
}

Result<api::ApiResponse> HubNouns::restore(const api::ApiRequest& request) {
  return set_revoked(request, false);
}

Result<api::ApiResponse> HubNouns::tickets(const api::ApiRequest&) {
  DUHUI_TRY(list, TicketDesk(hub_, records_).list());
  return api::ApiResponse{200, {{"tickets", std::move(list)}}};
}

Result<api::ApiResponse> HubNouns::create_ticket(const api::ApiRequest& request) {
  DUHUI_TRY(made,
            TicketDesk(hub_, records_).create(request.body, api::audit_actor(request.subject)));
  return api::ApiResponse{201, std::move(made)};
}

Result<api::ApiResponse> HubNouns::revoke_ticket(const api::ApiRequest& request) {
  DUHUI_TRY(
      revoked,
      TicketDesk(hub_, records_).revoke(request.names.at("id"), api::audit_actor(request.subject)));
  return api::ApiResponse{200, std::move(revoked)};
}

Result<api::ApiResponse> HubNouns::import(const api::ApiRequest& request) {
  DUHUI_TRY(kind, request.body_text("kind"));
  if (!request.body.contains("rows")) return Error{ErrorCode::invalid_input, "missing: rows"};
  DUHUI_CHECK_OK(hub_.audit({.actor = api::audit_actor(request.subject),
                             .action = "registry.import",
                             .target_type = kind,
                             .outcome = "begun",
                             .detail = "rows=" + std::to_string(request.body["rows"].size())}));
  DUHUI_TRY(counts, RegistryImport(hub_, records_).take(kind, request.body["rows"]));
  // Who sits where may be another now: so do the places of passwords.
  if (counts.created + counts.changed > 0 && moves_people(kind)) {
    DUHUI_TRY(moved, accounts_.refresh());
    static_cast<void>(moved);
  }
  return api::ApiResponse{200,
                          {{"kind", kind},
                           {"rows", counts.rows},
                           {"created", counts.created},
                           {"changed", counts.changed},
                           {"unchanged", counts.unchanged}}};
}

Result<api::ApiResponse> HubNouns::verify(const api::ApiRequest& request) {
  Json found;
  std::string target;
  if (request.body.is_object() && request.body.contains("record")) {
    DUHUI_TRY(record, record_of(request));
    DUHUI_TRY(proven, verify_record(hub_, record));
    found = findings_json(proven);
    target = to_uuid_text(record.view());
  } else {
    found = verify_hub(hub_);
  }
  const AuditEntry entry{.at = hub_.now(),
                         .actor = api::audit_actor(request.subject),
                         .action = "hub.verify",
                         .target_type = target.empty() ? "hub" : "record",
                         .target_id = target,
                         .outcome = "done",
                         .detail = found["ok"].get<bool>() ? "sound" : "damaged"};
  const Status told = hub_.change([&](HubTransaction& tx) -> Status {
    DUHUI_CHECK_OK(append_audit(tx, entry));
    DUHUI_TRY(made, sign_audit(tx, hub_.facts().id, hub_.key(), hub_.now()));
    static_cast<void>(made);
    return Done{};
  });
  if (!told) return told.error();
  return api::ApiResponse{200, std::move(found)};
}

}  // namespace duhui::hub

#include "hub/api/quarantine_desk.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "shared/api/audit_actor.h"
#include "shared/api/domain_lookup.h"
#include "shared/api/people.h"
#include "shared/api/record_access.h"
#include "shared/api/scopes.h"
#include "shared/api/time_text.h"
#include "shared/base/bytes.h"
#include "shared/domain/check_edit.h"
#include "shared/merge/schema.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

constexpr std::uint32_t kListDefault = 100;
constexpr std::uint32_t kListMax = 1000;
constexpr std::size_t kDotsMax = 1000;         // named one by one in a request
constexpr std::uint32_t kRowsMax = 10'000;     // looked through at a time
constexpr std::size_t kDecidedTogether = 500;  // ops in one transaction

/// What an op would write, in short: "creates, visit_date, remarks".
std::string summary_of(const sync::v1::Op& op) {
  const RecordSchema* schema = Schema::instance().find(op.record_type());
  std::string text = op.creates() ? "creates" : "";
  for (const sync::v1::Write& write : op.writes()) {
    std::string name = std::to_string(write.field());
    if (write.field() == kDeletedField) {
      name = "deleted";
    } else if (schema != nullptr) {
      const auto field = schema->fields.find(write.field());
      if (field != schema->fields.end()) name = field->second.field->name();
    }
    if (!write.key().empty()) name += "/" + write.key();
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

/// The inverse of to_string(Dot).
std::optional<Dot> parse_dot(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto bytes = from_hex(text.substr(0, slash));
  const auto origin = bytes ? Origin::from_bytes(*bytes) : std::nullopt;
  std::uint64_t seq = 0;
  const char* end = text.data() + text.size();
  const auto [at, failed] = std::from_chars(text.data() + slash + 1, end, seq);
  if (!origin || failed != std::errc() || at != end || seq == 0) return std::nullopt;
  return Dot{*origin, seq};
}

Json row_json(const QuarantineRow& row, const DeviceRow* device) {
  Json out = {{"dot", to_string(row.dot)},
              {"kind", row.kind},
              {"detail", row.detail},
              {"bytes", row.op.size()},
              {"device", device == nullptr ? "" : device->name},
              {"device_id", device == nullptr ? "" : to_uuid_text(device->id.view())},
              {"person", ""},
              {"record", ""},
              {"type", ""},
              {"writes", ""},
              {"received_at", api::time_text(row.received_at)}};
  sync::v1::Op op;
  if (!op.ParseFromString(row.op) || op.record_id().size() != 16) return out;
  const RecordSchema* schema = Schema::instance().find(op.record_type());
  out["person"] = op.person();
  out["record"] = to_uuid_text(op.record_id());
  out["type"] = schema == nullptr ? std::to_string(op.record_type()) : schema->rule.name();
  out["writes"] = summary_of(op);
  return out;
}

Result<std::optional<DeviceRow>> device_of(HubTransaction& tx, const Origin& origin) {
  DUHUI_TRY(stream, tx.streams().get(origin));
  if (!stream) return std::optional<DeviceRow>{};
  return tx.devices().get(stream->device);
}

/// Who asked for it; each op that it comes to has an entry of its own.
AuditEntry begun_entry(const api::ApiRequest& request,
                       Decision decision,
                       const std::string& person,
                       std::size_t ops) {
  AuditEntry entry{
      .actor = api::audit_actor(request.subject),
      .action = decision == Decision::accept ? "quarantine.accept" : "quarantine.set_aside",
      .target_type = "quarantine",
      .outcome = "begun",
      .detail = "as=" + person + ", ops=" + std::to_string(ops)};
  if (request.body.contains("device")) {
    entry.target_type = "device";
    entry.target_id = request.body["device"].get<std::string>();
  }
  return entry;
}

/// Where an op belongs: to its record if that stands in the tree, otherwise to the device's
/// schools.
Result<std::vector<std::string>> places_of(HubTransaction& tx,
                                           const QuarantineRow& row,
                                           const DeviceRow* device) {
  sync::v1::Op op;
  const bool parsed = op.ParseFromString(row.op);
  const auto id = parsed ? RecordId::from_bytes(op.record_id()) : std::nullopt;
  if (id) {
    DUHUI_TRY(record, tx.records().get(*id));
    if (record && !record->scope.empty() && record->scope != api::kHubScope) {
      return std::vector{record->scope};
    }
  }
  return device == nullptr ? std::vector<std::string>() : device->scopes;
}

Result<bool> is_covered(HubTransaction& tx,
                        const Reach& reach,
                        const QuarantineRow& row,
                        const DeviceRow* device) {
  if (reach.everywhere()) return true;
  DUHUI_TRY(places, places_of(tx, row, device));
  return reach.covers_any(places);
}

}  // namespace

void QuarantineDesk::add_to(api::Router& router) {
  router.add("GET", "/quarantine", {Verb::read, Thing::quarantine},
             [this](const api::ApiRequest& request) { return list(request); });
  router.add("POST", "/quarantine/accept", {Verb::manage, Thing::quarantine},
             [this](const api::ApiRequest& request) { return accept(request); });
  router.add("POST", "/quarantine/set-aside", {Verb::manage, Thing::quarantine},
             [this](const api::ApiRequest& request) { return set_aside(request); });
}

Result<api::ApiResponse> QuarantineDesk::list(const api::ApiRequest& request) {
  DUHUI_TRY(limit, request.query_number("limit", kListDefault, kListMax));
  const std::string kind = request.query_text("kind");
  const Reach reach(request.subject, Verb::read, Thing::quarantine);
  const std::uint32_t looked_at = reach.everywhere() ? limit : kRowsMax;
  Json found = Json::array();
  DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
    found = Json::array();
    std::map<Origin, std::optional<DeviceRow>> devices;
    DUHUI_TRY(rows, kind.empty() ? tx.review().quarantine(looked_at)
                                 : tx.review().quarantine_of(kind, looked_at));
    for (const QuarantineRow& row : rows) {
      if (found.size() == limit) break;
      if (!devices.contains(row.dot.origin)) {
        DUHUI_TRY(device, device_of(tx, row.dot.origin));
        devices[row.dot.origin] = std::move(device);
      }
      const auto& known = devices[row.dot.origin];
      const DeviceRow* device = known ? &*known : nullptr;
      DUHUI_TRY(covered, is_covered(tx, reach, row, device));
      if (covered) found.push_back(row_json(row, device));
    }
    return Done{};
  }));
  return api::ApiResponse{200, {{"quarantine", std::move(found)}}};
}

Result<std::vector<Dot>> QuarantineDesk::sent_by(const DeviceId& device, const Reach& reach) {
  std::vector<Dot> dots;
  DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
    dots.clear();
    DUHUI_TRY(known, tx.devices().get(device));
    if (!known || !reach.covers_any(known->scopes)) {
      return Error{ErrorCode::not_found, "no such device"};
    }
    DUHUI_TRY(streams, tx.streams().of_device(device));
    std::set<Origin> origins;
    for (const StreamRow& stream : streams) origins.insert(stream.origin);
    DUHUI_TRY(rows, tx.review().quarantine_of(kRevokedKind, kRowsMax));
    for (const QuarantineRow& row : rows) {
      if (origins.contains(row.dot.origin)) dots.push_back(row.dot);
    }
    return Done{};
  }));
  return dots;
}

Result<QuarantineDesk::Wanted> QuarantineDesk::wanted(const api::ApiRequest& request) {
  const Json& body = request.body;
  if (!body.is_object()) return Error{ErrorCode::invalid_input, "body: an object"};
  Wanted out;
  out.person = request.subject.person;
  if (request.subject.kind != Subject::Kind::person) {
    DUHUI_TRY(person, request.body_text("as"));
    out.person = std::move(person);
  } else if (body.contains("as") && body["as"] != Json(out.person)) {
    return Error{ErrorCode::forbidden, "as: " + out.person + " is signed in"};
  }
  if (body.contains("device") == body.contains("dots")) {
    return Error{ErrorCode::invalid_input, "either dots or device"};
  }
  if (body.contains("device")) {
    DUHUI_TRY(text, request.body_text("device"));
    const auto bytes = from_uuid_text(text);
    const auto id = bytes ? DeviceId::from_bytes(*bytes) : std::nullopt;
    if (!id) return Error{ErrorCode::invalid_input, "device: not a UUID: " + text};
    DUHUI_TRY(dots, sent_by(*id, {request.subject, Verb::manage, Thing::quarantine}));
    out.dots = std::move(dots);
    return out;
  }
  const Json& named = body["dots"];
  if (!named.is_array() || named.empty() || named.size() > kDotsMax) {
    return Error{ErrorCode::invalid_input,
                 "dots: a list of 1 to " + std::to_string(kDotsMax) + " dots"};
  }
  for (const Json& one : named) {
    const auto dot = one.is_string() ? parse_dot(one.get<std::string>()) : std::nullopt;
    if (!dot) return Error{ErrorCode::invalid_input, "dots: not a dot"};
    out.dots.push_back(*dot);
  }
  return out;
}

Result<api::ApiResponse> QuarantineDesk::accept(const api::ApiRequest& request) {
  return decide(request, Decision::accept);
}

Result<api::ApiResponse> QuarantineDesk::set_aside(const api::ApiRequest& request) {
  return decide(request, Decision::set_aside);
}

Status QuarantineDesk::leave_out_of_reach(const Reach& reach, std::vector<Dot>& dots, Json& left) {
  if (reach.everywhere()) return Done{};
  std::vector<Dot> covered;
  DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
    covered.clear();
    for (const Dot& dot : dots) {
      DUHUI_TRY(row, tx.review().quarantined(dot));
      if (!row) continue;
      DUHUI_TRY(device, device_of(tx, dot.origin));
      DUHUI_TRY(mine, is_covered(tx, reach, *row, device ? &*device : nullptr));
      if (mine) covered.push_back(dot);
    }
    return Done{};
  }));
  const std::set<Dot> mine(covered.begin(), covered.end());
  for (const Dot& dot : dots) {
    if (!mine.contains(dot)) left.push_back({{"dot", to_string(dot)}, {"kind", "unknown"}});
  }
  dots = std::move(covered);
  return Done{};
}

Result<api::ApiResponse> QuarantineDesk::decide(const api::ApiRequest& request, Decision decision) {
  DUHUI_TRY(asked, wanted(request));
  DUHUI_CHECK_OK(hub_.audit(begun_entry(request, decision, asked.person, asked.dots.size())));
  std::uint64_t done = 0;
  Json left = Json::array();
  const Reach reach(request.subject, Verb::manage, Thing::quarantine);
  DUHUI_CHECK_OK(leave_out_of_reach(reach, asked.dots, left));
  for (std::size_t from = 0; from < asked.dots.size(); from += kDecidedTogether) {
    const std::size_t end = std::min(asked.dots.size(), from + kDecidedTogether);
    DUHUI_TRY(decided, hub_.decide(decision,
                                   {asked.dots.begin() + static_cast<std::ptrdiff_t>(from),
                                    asked.dots.begin() + static_cast<std::ptrdiff_t>(end)},
                                   asked.person));
    done += decided.done;
    for (const auto& [dot, kind] : decided.left) {
      if (decision == Decision::accept && kind == kProposalKind) {
        std::optional<QuarantineRow> row;
        DUHUI_CHECK_OK(hub_.read([&, &at = dot](HubTransaction& tx, OpReader&) -> Status {
          DUHUI_TRY(known, tx.review().quarantined(at));
          row = std::move(known);
          return Done{};
        }));
        if (row) DUHUI_CHECK_OK(accept_proposal(request.subject, asked.person, *row));
        ++done;
        continue;
      }
      left.push_back({{"dot", to_string(dot)}, {"kind", kind.empty() ? "unknown" : kind}});
    }
  }
  return api::ApiResponse{200, {{"decided", done}, {"left", std::move(left)}}};
}

Status QuarantineDesk::accept_proposal(const Subject& subject,
                                       const std::string& person,
                                       const QuarantineRow& row) {
  sync::v1::Op op;
  if (!op.ParseFromString(row.op)) return Error{ErrorCode::corrupt_data, "op: not parsable"};
  const auto record = RecordId::from_bytes(op.record_id());
  const RecordSchema* schema = Schema::instance().find(op.record_type());
  if (!record || schema == nullptr) {
    return Error{ErrorCode::conflict, "proposal: of a type this program does not know"};
  }
  DUHUI_TRY(state, records_.state(*record));
  if (!state) return Error{ErrorCode::not_found, "no such record"};
  api::RecordAccess access(records_, subject);
  DUHUI_CHECK_OK(access.check(Verb::edit, *record, *state));
  api::People people(records_);
  DUHUI_TRY(rank, people.rank_of(person));
  if (rank == 0) return Error{ErrorCode::forbidden, "as: nobody the hub knows: " + person};
  api::DomainLookup lookup(records_);
  DUHUI_TRY(shown, lookup.present_record(*record, *state));
  RecordEdit edit{.writes = {}, .sees_all = op.sees_size() > 0};
  Intent intent{.record = *record,
                .type = op.record_type(),
                .creates = false,
                .scope = {},
                .writes = {},
                .person = person,
                .rank = rank,
                .reason = op.reason(),
                .seen = {},
                .sees_all = op.sees_size() > 0,
                .sign_in = subject.kind == Subject::Kind::operator_ ? sync::v1::SIGN_IN_OPERATOR
                                                                    : subject.sign_in};
  for (const sync::v1::Write& write : op.writes()) {
    auto value = write.has_value() ? std::optional<std::string>(write.value()) : std::nullopt;
    edit.writes.push_back({.key = {write.field(), write.key()}, .value = value});
    intent.writes.push_back({.key = {write.field(), write.key()}, .value = std::move(value)});
  }
  DUHUI_CHECK_OK(check_edit(shown, edit, person, static_cast<record::v1::Writer>(rank)));
  DUHUI_CHECK_OK(
      hub_.audit(decision_entry(Decision::accept, row.dot, row.kind, person, hub_.now())));
  DUHUI_TRY(dots, records_.save({std::move(intent)}));
  static_cast<void>(dots);
  return Done{};
}

}  // namespace duhui::hub

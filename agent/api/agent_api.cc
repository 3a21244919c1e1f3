#include "agent/api/agent_api.h"

#include <utility>

#include "agent/api/road_words.h"
#include "agent/api/transfer_json.h"
#include "shared/api/audit_actor.h"
#include "shared/api/record_ids.h"
#include "shared/api/time_text.h"
#include "shared/base/bytes.h"
#include "shared/crypto/receipt_code.h"

namespace duhui::agent {
namespace {

using Json = nlohmann::json;

/// Past this a device's clock is wrong, not late.
constexpr Duration kClockSkewMax = minutes(2);

WallTime hub_seen_time(const store::v1::AgentState& state) {
  return WallTime{static_cast<std::int64_t>(state.hub_seen_ms())};
}

/// Null: nothing is known to be wrong.
Json skew(WallTime wall, WallTime hub_seen, std::optional<Duration> offset) {
  if (offset && *offset > kClockSkewMax) return "ahead";
  if (offset && *offset < Duration{} - kClockSkewMax) return "behind";
  // Not connected: a clock behind a hub time it has seen is surely wrong; ahead it may be just
  // later.
  if (hub_seen.ms != 0 && hub_seen - wall > kClockSkewMax) return "behind";
  return nullptr;
}

Json storage_json(const Replica& replica, Json storage) {
  const Replica::OpenReport& report = replica.open_report();
  storage["fresh"] = report.fresh;
  storage["replayed_from_journal"] = report.replayed;
  storage["journal_damaged"] = report.journal_damaged;
  storage["lost"] = report.lost;
  return storage;
}

Json scopes_json(const Replica& replica, const std::vector<std::string>& granted) {
  Json scopes = Json::array();
  for (const auto& [name, scope] : replica.scopes()) {
    if (!name.empty()) scopes.push_back({{"scope", name}, {"through", scope.through()}});
  }
  for (const std::string& name : granted) {
    if (!replica.scopes().contains(name)) scopes.push_back({{"scope", name}, {"through", 0}});
  }
  return scopes;
}

/// The newest receipt that the hub signed: it had the own stream up to there. Null: none yet.
Json receipt_json(const store::v1::AgentState& state) {
  if (!state.has_receipt()) return nullptr;
  const sync::v1::Receipt& receipt = state.receipt();
  return {{"seq", receipt.seq()},
          {"chain", to_hex(receipt.chain())},
          {"at", api::time_text(WallTime{static_cast<std::int64_t>(receipt.hub_time_ms())})},
          {"code", receipt_code(receipt.signature())},
          {"signature", to_hex(receipt.signature())}};
}

Json roads_json(const LinkFacts& link) {
  Json roads = Json::object();
  for (const LinkFacts::OfRoad& road : link.roads) {
    roads[road.name] = {
        {"last_success", road.last_success ? Json(api::time_text(*road.last_success)) : Json()},
        {"bytes_read", road.bytes_read},
        {"bytes_written", road.bytes_written}};
  }
  return roads;
}

Json link_json(const LinkFacts& link) {
  return {{"state", to_string(link.state)},
          {"road", link.road.empty() ? Json() : Json(link.road)},
          {"road_problem", road_problem_json(link.road_problem)},
          {"roads", roads_json(link)},
          {"since", api::time_text(link.since)},
          {"last_error", link.last_error},
          {"caught_up", link.caught_up},
          {"revoked", link.revoked},
          {"bytes_read", link.bytes_read},
          {"bytes_written", link.bytes_written},
          {"bytes_read_total", link.bytes_read_total},
          {"bytes_written_total", link.bytes_written_total}};
}

}  // namespace

std::string to_string(LinkFacts::State state) {
  switch (state) {
    case LinkFacts::State::offline:
      return "offline";
    case LinkFacts::State::connecting:
      return "connecting";
    case LinkFacts::State::live:
      return "live";
    case LinkFacts::State::disabled:
      return "disabled";
  }
  return {};
}

AgentApi::AgentApi(Replica& replica,
                   AgentRecords& records,
                   ReadClock read_clock,
                   std::string version,
                   AgentHooks hooks,
                   api::SignInDesk* desk)
    : replica_(replica),
      records_(records),
      read_clock_(std::move(read_clock)),
      version_(std::move(version)),
      hooks_(std::move(hooks)),
      started_(read_clock_().monotonic),
      nouns_(
          records,
          [&records](const api::AuditedAct& act) { return records.audit(api::audit_entry(act)); }),
      delivery_(replica, records, hooks_.fetch) {
  router_.add("GET", "/status", {Verb::read, Thing::status},
              [this](const api::ApiRequest&) -> Result<api::ApiResponse> {
                DUHUI_TRY(body, status());
                return api::ApiResponse{200, std::move(body)};
              });
  router_.add("POST", "/link", {Verb::manage, Thing::link},
              [this](const api::ApiRequest& request) { return set_link(request); });
  nouns_.add_to(router_);
  delivery_.add_to(router_);
  if (desk == nullptr) return;
  session_nouns_.emplace(*desk, "duhui-agent", version_);
  session_nouns_->add_to(router_);
}

Result<Json> AgentApi::status() {
  DUHUI_TRY(index, records_.index());
  DUHUI_TRY(quarantined, replica_.quarantine());
  const DeviceFacts device = hooks_.device();
  const LinkFacts link = hooks_.link();
  DUHUI_TRY(transfer, transfer_json(replica_, link));
  const store::v1::AgentState& state = replica_.state();
  const ClockReading clock = read_clock_();

  Json counts = Json::object();
  std::size_t total = 0;
  for (const auto& [type, count] : index->counts()) {
    counts[api::type_name(type)] = count;
    total += count;
  }
  Json clock_json = {{"wall", api::time_text(clock.wall)},
                     {"skew", skew(clock.wall, hub_seen_time(state), link.clock_offset)}};
  return Json{{"program", "duhui-agent"},
              {"version", version_},
              {"id", device.id},
              {"name", device.name},
              {"hub", device.hub},
              {"uptime_ms", (clock.monotonic - started_).ms},
              {"addresses", device.addresses},
              {"device", {{"id", device.id}, {"name", device.name}, {"enrolled", device.enrolled}}},
              {"records", {{"total", total}, {"by_type", std::move(counts)}}},
              {"open_conflicts", index->open_conflicts()},
              {"origin", to_hex(state.origin())},
              {"head", state.head()},
              {"acknowledged", state.acknowledged()},
              {"unacknowledged", replica_.unacknowledged()},
              {"backed_up", state.backed_up()},
              {"receipt", receipt_json(state)},
              {"epoch", std::to_string(state.epoch())},
              {"incarnation", state.past_size() + 1},
              {"link", link_json(link)},
              {"transfer", std::move(transfer)},
              {"scopes", scopes_json(replica_, device.scopes)},
              {"storage", storage_json(replica_, device.storage)},
              {"vault", to_string(replica_.vault_state())},
              {"clock", std::move(clock_json)},
              {"quarantine", quarantined.size()}};
}

Result<api::ApiResponse> AgentApi::set_link(const api::ApiRequest& request) {
  const auto at = request.body.is_object() ? request.body.find("enabled") : request.body.end();
  if (at == request.body.end() || !at->is_boolean()) {
    return Error{ErrorCode::invalid_input, "missing: enabled: true or false"};
  }
  hooks_.enable_link(at->get<bool>());
  DUHUI_TRY(body, status());
  return api::ApiResponse{200, std::move(body)};
}

}  // namespace duhui::agent

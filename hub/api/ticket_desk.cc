#include "hub/api/ticket_desk.h"

#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "duhui/record/v1/org.pb.h"
#include "hub/core/tickets.h"
#include "shared/api/scopes.h"
#include "shared/api/time_text.h"
#include "shared/base/scope.h"
#include "shared/crypto/registry_id.h"
#include "shared/crypto/ticket.h"
#include "shared/merge/view.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kUsesMax = 1000;
constexpr std::int64_t kHoursDefault = 72;
constexpr std::int64_t kHoursMax = 366 * 24;
constexpr std::size_t kScopesMax = 64;

Error invalid(std::string detail) { return {ErrorCode::invalid_input, std::move(detail)}; }

Result<std::int64_t> number_of(const Json& body,
                               const char* name,
                               std::int64_t otherwise,
                               std::int64_t most) {
  const auto at = body.find(name);
  if (at == body.end() || at->is_null()) return otherwise;
  if (!at->is_number_integer() || at->get<std::int64_t>() < 1 || at->get<std::int64_t>() > most) {
    return invalid(std::string(name) + ": 1 to " + std::to_string(most));
  }
  return at->get<std::int64_t>();
}

std::string text_of(const Json& body, const char* name) {
  const auto at = body.find(name);
  return at != body.end() && at->is_string() ? at->get<std::string>() : std::string();
}

struct Place {
  std::vector<std::string> scopes;
  std::string name;
};

/// "host:port", or a host with the port the service has.
Status set_address(const HubAddresses& addresses, const std::string& asked, Ticket* ticket) {
  std::string address = asked.empty() ? addresses.public_address : asked;
  const bool any = addresses.devices_host.empty() || addresses.devices_host == "0.0.0.0";
  if (address.empty() && !any) address = addresses.devices_host;
  if (address.empty()) {
    return Error{ErrorCode::refused,
                 "no_address: say under which address devices reach this hub: "
                 "devices.public_address in hub.toml, or \"address\" in the request"};
  }
  ticket->port = addresses.devices_port;
  const auto colon = address.rfind(':');
  ticket->host = address.substr(0, colon);
  if (colon != std::string::npos) {
    const char* end = address.data() + address.size();
    const auto [rest, failed] = std::from_chars(address.data() + colon + 1, end, ticket->port);
    if (failed != std::errc() || rest != end) return invalid("address: not host:port: " + address);
  }
  if (ticket->host.empty() || ticket->port == 0) {
    return Error{ErrorCode::refused,
                 "no_address: the port is not known: start the service first, "
                 "or name host:port"};
  }
  return Done{};
}

Result<std::string> school_name(HubRecords& records, const std::string& id) {
  const RecordSchema& schema = *Schema::instance().find("school");
  DUHUI_TRY(state, records.state(registry_record_id("school", id)));
  record::v1::School school;
  if (!state || !school.ParseFromString(shown_message(schema, *state, {}).bytes)) return id;
  return school.name().empty() ? id : school.name();
}

Result<Place> place_of(HubRecords& records, const Json& body) {
  Place place;
  const std::string school = text_of(body, "school");
  if (!school.empty()) {
    api::ScopeFinder finder(records);
    DUHUI_TRY(scope, finder.of_school(school));
    DUHUI_TRY(name, school_name(records, school));
    place.scopes.push_back(std::move(scope));
    place.name = std::move(name);
  } else {
    const auto scopes = body.find("scopes");
    if (scopes == body.end() || !scopes->is_array() || scopes->empty()) {
      return invalid("missing: school, or scopes");
    }
    if (scopes->size() > kScopesMax) return invalid("scopes: too many");
    for (const Json& scope : *scopes) {
      if (!scope.is_string() || !is_scope(scope.get<std::string>())) {
        return invalid("scope: " + scope.dump());
      }
      // Complaints and letters between offices never leave the hub.
      if (scope == api::kHubScope) return Error{ErrorCode::refused, "scope: hub is for no device"};
      place.scopes.push_back(scope);
    }
    place.name = place.scopes.front();
  }
  const std::string name = text_of(body, "name");
  if (!name.empty()) place.name = name;
  return place;
}

}  // namespace

Result<Json> TicketDesk::create(const Json& body) {
  if (!body.is_object()) return invalid("body: an object");
  DUHUI_TRY(place, place_of(records_, body));
  DUHUI_TRY(uses, number_of(body, "uses", 1, kUsesMax));
  DUHUI_TRY(valid_hours, number_of(body, "expires_hours", kHoursDefault, kHoursMax));
  Ticket ticket = mint_ticket(hub_.random());
  DUHUI_CHECK_OK(set_address(hub_.facts().addresses, text_of(body, "address"), &ticket));
  ticket.hub_pin = hub_.facts().pin;
  ticket.scopes = place.scopes;
  ticket.expires = hub_.now() + hours(valid_hours);
  const TicketRow row{.id = ticket.id,
                      .secret_hash = ticket_secret_hash(ticket.id, ticket.secret_view()).str(),
                      .name = place.name,
                      .scopes = place.scopes,
                      .uses_left = static_cast<std::uint32_t>(uses),
                      .uses = 0,
                      .expires = ticket.expires,
                      .last_used = {},
                      .revoked = false};
  const std::string file = to_ticket_file(ticket);
  if (auto readable = parse_ticket(file); !readable) return invalid(readable.error().detail);
  DUHUI_CHECK_OK(hub_.change([&](HubTransaction& tx) { return put_ticket(tx, row); }));
  return Json{{"id", ticket.id},
              {"code", to_ticket_code(ticket)},
              {"file", file},
              {"name", place.name},
              {"scopes", place.scopes},
              {"uses", uses},
              {"address", ticket.host + ":" + std::to_string(ticket.port)},
              {"expires_at", api::time_text(ticket.expires)}};
}

Result<Json> TicketDesk::list() {
  Json list = Json::array();
  const WallTime now = hub_.now();
  DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
    list = Json::array();
    DUHUI_TRY(rows, list_tickets(tx));
    for (const TicketRow& row : rows) {
      const char* state = row.revoked          ? "revoked"
                          : row.uses_left == 0 ? "used"
                          : row.expires < now  ? "expired"
                                               : "open";
      list.push_back({{"id", row.id},
                      {"name", row.name},
                      {"scopes", row.scopes},
                      {"uses_left", row.uses_left},
                      {"uses", row.uses},
                      {"expires_at", api::time_text(row.expires)},
                      {"last_used_at", row.last_used.ms == 0 ? "" : api::time_text(row.last_used)},
                      {"state", state}});
    }
    return Done{};
  }));
  return list;
}

}  // namespace duhui::hub

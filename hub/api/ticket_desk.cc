#include "hub/api/ticket_desk.h"

#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "hub/api/ticket_place.h"
#include "hub/core/tickets.h"
#include "shared/api/time_text.h"
#include "shared/crypto/ticket.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kUsesMax = 1000;
constexpr std::int64_t kHoursDefault = 72;
constexpr std::int64_t kHoursMax = 366 * 24;

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

/// A ticket as lists show it.
Json ticket_json(const TicketRow& row, WallTime now) {
  const char* state = row.revoked          ? "revoked"
                      : row.uses_left == 0 ? "used"
                      : row.expires < now  ? "expired"
                                           : "open";
  return {{"id", row.id},
          {"name", row.name},
          {"scopes", row.scopes},
          {"uses_left", row.uses_left},
          {"uses", row.uses},
          {"expires_at", api::time_text(row.expires)},
          {"last_used_at", row.last_used.ms == 0 ? "" : api::time_text(row.last_used)},
          {"state", state}};
}

}  // namespace

Result<Json> TicketDesk::create(const Json& body, const std::string& actor) {
  if (!body.is_object()) return invalid("body: an object");
  DUHUI_TRY(place, ticket_place(records_, body, hub_.now()));
  DUHUI_TRY(uses, number_of(body, "uses", 1, kUsesMax));
  DUHUI_TRY(valid_hours, number_of(body, "expires_hours", kHoursDefault, kHoursMax));
  Ticket ticket = mint_ticket(hub_.random());
  DUHUI_CHECK_OK(set_address(hub_.facts().addresses, text_of(body, "address"), &ticket));
  ticket.hub_pin = hub_.facts().pin;
  ticket.hub_key = hub_.key().public_key().str();
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
  const AuditEntry entry{.at = hub_.now(),
                         .actor = actor,
                         .action = "ticket.create",
                         .target_type = "ticket",
                         .target_id = ticket.id,
                         .outcome = "done",
                         .detail = "uses=" + std::to_string(uses)};
  const Status made = hub_.change([&](HubTransaction& tx) -> Status {
    DUHUI_CHECK_OK(append_audit(tx, entry));
    return put_ticket(tx, row);
  });
  if (!made) return made.error();
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
      list.push_back(ticket_json(row, now));
    }
    return Done{};
  }));
  return list;
}

Result<Json> TicketDesk::revoke(const std::string& id, const std::string& actor) {
  TicketRow row;
  const AuditEntry entry{.at = hub_.now(),
                         .actor = actor,
                         .action = "ticket.revoke",
                         .target_type = "ticket",
                         .target_id = id,
                         .outcome = "done"};
  const Status revoked = hub_.change([&](HubTransaction& tx) -> Status {
    DUHUI_TRY(found, find_ticket(tx, id));
    if (!found) return Error{ErrorCode::not_found, "no such ticket"};
    row = std::move(*found);
    row.revoked = true;
    DUHUI_CHECK_OK(append_audit(tx, entry));
    return put_ticket(tx, row);
  });
  if (!revoked) return revoked.error();
  return ticket_json(row, hub_.now());
}

}  // namespace duhui::hub

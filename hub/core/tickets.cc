#include "hub/core/tickets.h"

#include "duhui/store/v1/store.pb.h"
#include "shared/crypto/digest.h"
#include "shared/crypto/text.h"
#include "shared/crypto/ticket.h"

namespace duhui::hub {
namespace {

constexpr std::string_view kPrefix = "ticket/";

Result<TicketRow> parse(std::string_view id, std::string_view bytes) {
  store::v1::TicketState stored;
  if (!stored.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Error{ErrorCode::corrupt_data, "ticket " + std::string(id)};
  }
  TicketRow row;
  row.id = std::string(id);
  row.secret_hash = stored.secret_hash();
  row.name = stored.name();
  row.scopes.assign(stored.scopes().begin(), stored.scopes().end());
  row.uses_left = stored.uses_left();
  row.uses = stored.uses();
  row.expires = {stored.expires_ms()};
  row.last_used = {stored.last_used_ms()};
  row.revoked = stored.revoked();
  return row;
}

}  // namespace

Result<std::optional<TicketRow>> find_ticket(HubTransaction& tx, std::string_view id) {
  DUHUI_TRY(bytes, tx.settings().get(std::string(kPrefix) + std::string(id)));
  if (!bytes) return std::optional<TicketRow>();
  DUHUI_TRY(row, parse(id, *bytes));
  return std::optional<TicketRow>(std::move(row));
}

Result<std::vector<TicketRow>> list_tickets(HubTransaction& tx) {
  DUHUI_TRY(entries, tx.settings().list(kPrefix));
  std::vector<TicketRow> rows;
  for (const auto& [key, bytes] : entries) {
    DUHUI_TRY(row, parse(std::string_view(key).substr(kPrefix.size()), bytes));
    rows.push_back(std::move(row));
  }
  return rows;
}

Status put_ticket(HubTransaction& tx, const TicketRow& ticket) {
  store::v1::TicketState stored;
  stored.set_secret_hash(ticket.secret_hash);
  stored.set_name(ticket.name);
  for (const std::string& scope : ticket.scopes) stored.add_scopes(scope);
  stored.set_uses_left(ticket.uses_left);
  stored.set_uses(ticket.uses);
  stored.set_expires_ms(ticket.expires.ms);
  stored.set_last_used_ms(ticket.last_used.ms);
  stored.set_revoked(ticket.revoked);
  return tx.settings().put(std::string(kPrefix) + ticket.id, stored.SerializeAsString());
}

std::string ticket_presentation(std::string_view id, std::string_view secret) {
  return std::string(id) + ":" + to_base64url(secret);
}

Result<TicketJudgement> judge_ticket(HubTransaction& tx, std::string_view presented, WallTime now) {
  const auto refuse = [](const char* why, bool wrong_try) {
    return TicketJudgement{.refused = why, .wrong_try = wrong_try, .ticket = {}};
  };
  if (presented.empty()) return refuse("unknown device, and no ticket", false);
  const auto colon = presented.find(':');
  const auto secret =
      colon == std::string_view::npos ? std::nullopt : from_base64url(presented.substr(colon + 1));
  if (!secret) return refuse("ticket: malformed", true);
  const std::string_view id = presented.substr(0, colon);
  DUHUI_TRY(found, find_ticket(tx, id));
  // The same words for an unknown id and a wrong secret: nothing to learn by guessing.
  if (!found || !constant_time_equal(ticket_secret_hash(id, *secret).view(), found->secret_hash)) {
    return refuse("ticket: unknown", true);
  }
  if (found->revoked) return refuse("ticket: revoked", false);
  if (found->uses_left == 0) return refuse("ticket: used up", false);
  if (found->expires.ms != 0 && found->expires < now) return refuse("ticket: expired", false);
  return TicketJudgement{.refused = {}, .wrong_try = false, .ticket = std::move(*found)};
}

Status take_use(HubTransaction& tx, TicketRow ticket, WallTime now) {
  --ticket.uses_left;
  ++ticket.uses;
  ticket.last_used = now;
  return put_ticket(tx, ticket);
}

}  // namespace duhui::hub

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/ports/store.h"
#include "shared/base/result.h"
#include "shared/base/time.h"

namespace duhui::hub {

/// An enrolment ticket as the hub keeps it: the secret only as a hash.
struct TicketRow {
  std::string id;
  std::string secret_hash;  // 32 bytes
  std::string name;         // the device's name after enrolment: school or supervisor
  std::vector<std::string> scopes;
  std::uint32_t uses_left = 0;
  std::uint32_t uses = 0;
  WallTime expires;
  WallTime last_used;
  bool revoked = false;
};

Result<std::optional<TicketRow>> find_ticket(HubTransaction& tx, std::string_view id);
Result<std::vector<TicketRow>> list_tickets(HubTransaction& tx);
Status put_ticket(HubTransaction& tx, const TicketRow& ticket);

struct TicketJudgement {
  std::string refused;     // the reason in words; empty: the ticket is good
  bool wrong_try = false;  // whoever shows it does not know the secret
  TicketRow ticket;        // of a good one
};
/// Judges the ticket presented in a Hello ("id:secret", base64url secret). Changes nothing.
Result<TicketJudgement> judge_ticket(HubTransaction& tx, std::string_view presented, WallTime now);

/// Takes one use off a ticket that was judged good in the same transaction.
Status take_use(HubTransaction& tx, TicketRow ticket, WallTime now);

/// What a device presents in its Hello.
std::string ticket_presentation(std::string_view id, std::string_view secret);

}  // namespace duhui::hub

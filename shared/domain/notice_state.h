#pragma once

#include "shared/domain/state_machine.h"

namespace duhui {

/// draft -> issued, shown as `open` -> closed (all its problems are) -> open again; only the office
/// withdraws, and a withdrawal overrules everything concurrent.
const StateMachine& notice_state_machine();
/// draft -> sent.
const StateMachine& response_state_machine();
/// open -> done | cancelled.
const StateMachine& escalation_state_machine();

}  // namespace duhui

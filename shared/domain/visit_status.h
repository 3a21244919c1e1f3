#pragma once

#include "shared/domain/state_machine.h"

namespace duhui {

/// draft -> submitted -> (returned -> submitted)* -> accepted -> archived; draft -> discarded;
/// submitted, accepted, archived or amended -> amended (a new version; also the way a pending
/// amendment is accepted). A return ends a revision.
const StateMachine& visit_status_machine();

/// Whether content written after the state was reached waits as an amendment.
bool is_frozen_visit(int status);

}  // namespace duhui

#pragma once

#include "shared/domain/state_machine.h"

namespace duhui {

/// The way of a problem to close-out. States are numbers of ProblemState, events of
/// ProblemEventKind; up to `waived` these are the same numbers. Later kinds (escalated, talked,
/// circulated, accountability) stand beside the state; `upheld` and `revised` answer an objection.
///
/// Concurrent verdicts of rechecks: the higher level wins, then the stricter; a failed one that
/// overrules a passed one reopens the problem. A school never closes, only the office withdraws.
const StateMachine& problem_state_machine();

/// Neither closed, withdrawn nor waived.
bool is_open_problem(int state);

}  // namespace duhui

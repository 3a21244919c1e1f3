#pragma once

#include "shared/domain/state_machine.h"

namespace duhui {

/// assigned -> delivered -> accepted -> in_progress -> done -> confirmed; steps may be skipped.
/// Until it is done a task may be cancelled or declined; a visit that was made beats a cancellation
/// that had not arrived.
const StateMachine& task_state_machine();

}  // namespace duhui

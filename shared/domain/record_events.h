#pragma once

#include <string>
#include <vector>

#include "shared/domain/state_machine.h"
#include "shared/merge/record_state.h"
#include "shared/merge/schema.h"

namespace duhui {

/// The machine that folds the events of a record type; for types whose events simply follow one
/// another (plans, letters, complaints), one in which the latest of the newest events counts.
/// Precondition: the type has a state.
const StateMachine& machine_of(const RecordSchema& schema);

/// The entries of the record's event list, with what each follows. Entries that cannot be read are
/// left out.
std::vector<StateEvent> events_of(const RecordSchema& schema, const RecordState& state);

/// Identifier of a state or of an event's target ("notice_issued").
std::string state_name(const RecordSchema& schema, int state);
std::string event_name(const RecordSchema& schema, int to);

}  // namespace duhui

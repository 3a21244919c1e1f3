#pragma once

#include <optional>
#include <vector>

#include "shared/domain/state_machine.h"
#include "shared/merge/record_state.h"
#include "shared/merge/schema.h"

namespace duhui {

/// A record's events and what they lead to.
struct Folding {
  std::vector<StateEvent> events;
  FoldedState folded;
  /// The state closes the content: what the freezing event's author saw, and that event itself.
  std::optional<std::vector<Dot>> frozen_at;
};

/// The first phase of presenting a record, without its values.
Folding fold_record(const RecordSchema& schema, const RecordState& state);

}  // namespace duhui

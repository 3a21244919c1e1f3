#pragma once

#include <nlohmann/json.hpp>

#include "shared/merge/schema.h"
#include "shared/record/record_edit.h"

namespace duhui {

/// A record that was made elsewhere, completed by the events behind what it tells.
///
/// Here such values follow from the events ("withdrawn", a response's "at", "cancelled_reason"); in
/// a file they often come without the list of events, or say more than it does. What is known of an
/// event goes into it, so that the record shows again what it came with. `value` may be anything:
/// what cannot be used stays as it is, for the reader to complain about.
nlohmann::json with_told_events(const RecordSchema& schema,
                                nlohmann::json value,
                                const EditAuthor& author);

}  // namespace duhui

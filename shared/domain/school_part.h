#pragma once

#include <cstdint>
#include <string_view>

#include "duhui/sync/v1/op.pb.h"
#include "shared/merge/record_state.h"
#include "shared/merge/schema.h"

namespace duhui {

/// What of a record and its ops the inspected school may know: the same rule for what its staff are
/// shown (authority.h) and for what its own PC can read while no supervisor is signed in
/// (docs/security.md, "The vault").

/// Whether a record in this state may be read by its school at all. `presented`: laid before the
/// school to be counter-signed. Does not ask whose record it is.
bool open_to_school(const RecordSchema& schema, std::string_view state, bool presented);
/// The same from the record itself.
bool open_to_school(const RecordSchema& schema, const RecordState& state);
/// Whether a supervisor has signed it.
bool is_presented(const RecordSchema& schema, const RecordState& state);

/// Whether records of this type are locked away from the school's PC as long as they are not open.
/// Null (of a newer program): nobody knows, so they are.
bool is_lockable(const RecordSchema* schema);

enum class SchoolPart : std::uint8_t { nothing, some, all };

/// How much of `op` the school may read. `open`: whether it may read the record. `some`: `part` is
/// the op without the fields hidden from the school and without what supervisors and office wrote
/// beside their steps.
SchoolPart school_part(const RecordSchema* schema,
                       bool open,
                       const sync::v1::Op& op,
                       sync::v1::Op* part);

/// Sub-fields of a step in a record's life that are not for the school.
bool is_step_note(std::string_view sub_field);

}  // namespace duhui

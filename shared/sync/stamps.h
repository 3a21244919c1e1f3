#pragma once

#include <cstdint>

#include <google/protobuf/repeated_field.h>

#include "duhui/sync/v1/op.pb.h"
#include "shared/merge/hybrid_clock.h"
#include "shared/merge/op_stamp.h"

namespace duhui {

using StampRuns = google::protobuf::RepeatedPtrField<sync::v1::Stamp>;

/// The stamp of an op that carries none: the time it says, good, its own rank, not at the hub.
OpStamp default_stamp(const sync::v1::Op& op);

/// The stamp of `seq` according to `runs`.
OpStamp stamp_of(const StampRuns& runs, std::uint64_t seq, const sync::v1::Op& op);

/// What an op adds to the additive checksum of its scope: its bytes and what ties are decided by.
std::uint64_t scope_checksum(std::uint64_t op_checksum, const OpStamp& stamp);

/// The hub's seal of `seq`, if the runs hold one.
std::string_view seal_of(const StampRuns& runs, std::uint64_t seq);

/// Appends `stamp` of op `seq` to `runs`, extending the last run where it continues; a default
/// stamp adds nothing.
void append_stamp(StampRuns* runs, std::uint64_t seq, const sync::v1::Op& op, const OpStamp& stamp);

}  // namespace duhui

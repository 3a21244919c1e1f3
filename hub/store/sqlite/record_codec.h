#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/ports/store.h"
#include "hub/store/sqlite/word_index.h"
#include "shared/base/result.h"

namespace duhui::hub {

/// The list of a record's ops in few bytes (docs/storage.md, "op list"):
///
///   head  := bit 0 another origin than the op before, bit 1 another (quality, rank, at_hub,
///            proposal),
///            bit 2 another effective time
///   op    := head [origin] seq [kind] [time]
///
/// origin, seq and kind are varints, time is the zigzag difference to the time before. The first
/// op compares with origin 0, the default stamp and the id's own time.
Result<std::string> encode_ops(const RecordId& id,
                               const std::vector<OpRef>& ops,
                               WordIndex& origins);
Result<std::vector<OpRef>> decode_ops(const RecordId& id,
                                      std::string_view bytes,
                                      WordIndex& origins);

/// Days since 2000-01-01 of a date written as "2025-09-01"; empty optional: anything else, which is
/// then kept as text.
std::optional<std::int32_t> to_day(std::string_view date);
std::string from_day(std::int64_t day);

/// The day numbers whose text is not below (not above) `bound`, which may be any text. Above the
/// last day (below the first): none.
std::int32_t first_day_from(std::string_view bound);
std::int32_t last_day_to(std::string_view bound);

}  // namespace duhui::hub

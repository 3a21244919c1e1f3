#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"

namespace duhui {

/// Ops turned from rows into columns: what stands in the same place of every op stands together, so
/// that a compressor sees times beside times, remarks beside remarks, and each op's structure only
/// as the number of a shape. docs/protocol.md, "Columns", has the grammar.
struct OpColumns {
  /// Shapes, shape numbers and values; compresses well.
  std::string fields;
  /// The random halves of record ids and origins; does not compress.
  std::string random;
};

/// Empty optional: an op is not protobuf in its shortest encoding (a hostile or future peer's), or
/// has more structure than a reader takes; such ops travel as rows.
std::optional<OpColumns> to_columns(const std::vector<std::string_view>& ops);

/// The rows again: (varint length, op bytes) x `count`, byte for byte what `to_columns` was given,
/// `raw_bytes` long. Never allocates more than a small multiple of its arguments. `corrupt_data`.
Result<std::string> from_columns(std::string_view fields,
                                 std::string_view random,
                                 std::uint32_t count,
                                 std::uint32_t raw_bytes);

}  // namespace duhui

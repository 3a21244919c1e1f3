#pragma once

#include <cstdint>
#include <string_view>

namespace duhui {

/// The zstd dictionary trained on supervision records. A dictionary, once shipped, never changes: a
/// better one gets the next number, and old payloads stay readable.
struct RecordDictionary {
  std::uint32_t id = 0;
  std::string_view bytes;
};

RecordDictionary record_dictionary();

}  // namespace duhui

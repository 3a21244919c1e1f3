#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace duhui::agent {

/// A value as it lies in the database: its checksum, the commit that wrote it, its bytes.
struct StoredValue {
  std::uint64_t commit = 0;
  std::string_view value;
};

std::string wrap_value(std::string_view key, std::string_view value, std::uint64_t commit);
/// Views into `stored`. Empty optional: not what was written under this key.
std::optional<StoredValue> unwrap_value(std::string_view key, std::string_view stored);

}  // namespace duhui::agent

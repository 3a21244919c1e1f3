#include "agent/store/stored_value.h"

#include "shared/base/bytes.h"

namespace duhui::agent {
namespace {

constexpr std::size_t kChecksumSize = 4;
constexpr std::size_t kHeadSize = kChecksumSize + 8;

// The key is part of what is summed up: a value must not turn up under another key.
std::uint32_t checksum(std::string_view key, std::string_view behind_checksum) {
  return crc32c(behind_checksum, crc32c(key));
}

}  // namespace

std::string wrap_value(std::string_view key, std::string_view value, std::uint64_t commit) {
  std::string number;
  append_big_endian_64(number, commit);
  std::string stored;
  stored.reserve(kHeadSize + value.size());
  append_big_endian_32(stored, crc32c(value, checksum(key, number)));
  stored += number;
  stored += value;
  return stored;
}

std::optional<StoredValue> unwrap_value(std::string_view key, std::string_view stored) {
  if (stored.size() < kHeadSize) return std::nullopt;
  if (read_big_endian_32(stored) != checksum(key, stored.substr(kChecksumSize)))
    return std::nullopt;
  return StoredValue{.commit = read_big_endian_64(stored.substr(kChecksumSize)),
                     .value = stored.substr(kHeadSize)};
}

}  // namespace duhui::agent

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/bytes.h"

/// What the two directions of op_columns share: shapes and the columns they name.
namespace duhui::columns {

// A shape is the op's tags in order, as varints. Protobuf's two group types, which no op uses, say
// where a message begins (with the field's number) and ends (number 0).
inline constexpr std::uint32_t kVarint = 0;
inline constexpr std::uint32_t kFixed64 = 1;
inline constexpr std::uint32_t kBytes = 2;
inline constexpr std::uint32_t kBegin = 3;
inline constexpr std::uint32_t kEnd = 4;
inline constexpr std::uint32_t kFixed32 = 5;

inline constexpr std::uint32_t tag_of(std::uint32_t field, std::uint32_t type) {
  return field << 3 | type;
}
inline constexpr std::uint32_t type_of(std::uint32_t tag) { return tag & 7; }

/// How a column's values stand.
enum class Mode : std::uint8_t {
  plain = 0,   // numbers: each as it is; bytes: all lengths, then all contents
  deltas = 1,  // numbers: zigzag difference to the one before
  ids = 2,     // 16 bytes each: 0 for a new one, else how many new ones ago it came; new ones:
               // zigzag difference of the first 6 bytes (a time, big endian), the rest in `random`
};

inline constexpr std::size_t kDepthMax = 16;
/// Tags of all shapes of one payload.
inline constexpr std::size_t kTokensMax = 1 << 16;
/// Different fields in one place.
inline constexpr std::size_t kFieldsMax = 512;
inline constexpr std::size_t kIdBytes = 16;
inline constexpr std::size_t kIdTimeBytes = 6;
inline constexpr std::size_t kIdRandomBytes = kIdBytes - kIdTimeBytes;

/// Numbers places in the tree of messages and the columns at its leaves, both in order of first
/// use.
class Paths {
 public:
  static constexpr std::uint32_t kRoot = 0;

  /// The message that begins with `tag` inside `node`.
  std::uint32_t inner(std::uint32_t node, std::uint32_t tag) {
    return look_up(node, tag, &next_node_);
  }
  /// The column of the value with `tag` inside `node`.
  std::uint32_t column(std::uint32_t node, std::uint32_t tag) {
    return look_up(node, tag, &next_column_);
  }
  std::uint32_t columns() const { return next_column_; }

 private:
  std::uint32_t look_up(std::uint32_t node, std::uint32_t tag, std::uint32_t* next) {
    const auto [at, fresh] = known_.try_emplace(std::uint64_t{node} << 32 | tag, *next);
    if (fresh) ++*next;
    return at->second;
  }

  // Ordered: a hostile payload could make a hash table slow.
  std::map<std::uint64_t, std::uint32_t> known_;
  std::uint32_t next_node_ = 1;
  std::uint32_t next_column_ = 0;
};

inline std::uint64_t zigzag(std::uint64_t difference) {
  return difference << 1 ^ (difference >> 63 != 0 ? ~std::uint64_t{0} : 0);
}
inline std::uint64_t unzigzag(std::uint64_t value) {
  return value >> 1 ^ ((value & 1) != 0 ? ~std::uint64_t{0} : 0);
}

inline void append_little_endian(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t n = 0; n < bytes; ++n) out.push_back(static_cast<char>(value >> (8 * n) & 0xff));
}

inline std::uint64_t read_little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t n = bytes.size(); n > 0; --n)
    value = value << 8 | static_cast<unsigned char>(bytes[n - 1]);
  return value;
}

inline std::size_t fixed_size(std::uint32_t type) { return type == kFixed64 ? 8 : 4; }

/// take_varint, quick where it is one byte.
inline std::optional<std::uint64_t> take_number(std::string_view& bytes) {
  if (!bytes.empty() && static_cast<unsigned char>(bytes.front()) < 0x80) {
    const auto value = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    return value;
  }
  return take_varint(bytes);
}

/// Takes a varint in its shortest encoding; empty optional: another encoding, or none.
inline std::optional<std::uint64_t> take_shortest(std::string_view& bytes) {
  const char* const start = bytes.data();
  const auto value = take_number(bytes);
  if (!value || (bytes.data() - start > 1 && bytes.data()[-1] == '\0')) return std::nullopt;
  return value;
}

}  // namespace duhui::columns

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace duhui {

/// One field of a protobuf encoding, not interpreted.
struct WireField {
  enum class Type : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };
  std::uint32_t number = 0;
  Type type = Type::varint;
  std::uint64_t value = 0;   // of the three numeric types
  std::string_view payload;  // of `bytes`
  std::string_view raw;      // the whole field, tag included
};

/// Takes the next field off the front of `bytes`. Empty optional: malformed, or one of the two
/// group types that no protobuf of ours uses.
std::optional<WireField> take_field(std::string_view& bytes);

/// Takes one element of a packed field off the front of `bytes`; empty optional: truncated.
std::optional<std::uint64_t> take_packed(std::string_view& bytes, WireField::Type type);

/// The last field `number` of `message`, as a parser would keep it; empty optional: absent.
std::optional<WireField> last_field(std::string_view message, std::uint32_t number);

bool is_valid_utf8(std::string_view text);

}  // namespace duhui

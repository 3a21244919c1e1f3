#include "shared/merge/wire_field.h"

#include "shared/base/bytes.h"
#include "shared/merge/limits.h"

namespace duhui {
namespace {

std::optional<std::uint64_t> take_little_endian(std::string_view& bytes, std::size_t size) {
  if (bytes.size() < size) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t at = 0; at < size; ++at) {
    value |= std::uint64_t{static_cast<unsigned char>(bytes[at])} << (8 * at);
  }
  bytes.remove_prefix(size);
  return value;
}

/// Length of the well-formed UTF-8 sequence at the front of `text` (Unicode 15, table 3-7); 0:
/// none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char lead = byte(0);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xc2 ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
  if (length == 0 || text.size() < length) return 0;
  if (length == 1) return 1;
  unsigned char low = 0x80, high = 0xbf;
  if (lead == 0xe0) low = 0xa0;   // overlong
  if (lead == 0xed) high = 0x9f;  // surrogates
  if (lead == 0xf0) low = 0x90;   // overlong
  if (lead == 0xf4) high = 0x8f;  // past U+10FFFF
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t at = 2; at < length; ++at) {
    if ((byte(at) & 0xc0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

std::optional<std::uint64_t> take_packed(std::string_view& bytes, WireField::Type type) {
  switch (type) {
    case WireField::Type::varint:
      return take_varint(bytes);
    case WireField::Type::fixed64:
      return take_little_endian(bytes, 8);
    case WireField::Type::fixed32:
      return take_little_endian(bytes, 4);
    case WireField::Type::bytes:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<WireField> take_field(std::string_view& bytes) {
  const std::string_view before = bytes;
  const auto tag = take_varint(bytes);
  if (!tag || (*tag >> 3) == 0 || (*tag >> 3) > kFieldNumberMax) return std::nullopt;
  WireField field;
  field.number = static_cast<std::uint32_t>(*tag >> 3);
  switch (*tag & 7) {
    case 0:
    case 1:
    case 5: {
      field.type = static_cast<WireField::Type>(*tag & 7);
      const auto value = take_packed(bytes, field.type);
      if (!value) return std::nullopt;
      field.value = *value;
      break;
    }
    case 2: {
      field.type = WireField::Type::bytes;
      const auto size = take_varint(bytes);
      if (!size || *size > bytes.size()) return std::nullopt;
      field.payload = bytes.substr(0, *size);
      bytes.remove_prefix(*size);
      break;
    }
    default:
      return std::nullopt;
  }
  field.raw = before.substr(0, before.size() - bytes.size());
  return field;
}

std::optional<WireField> last_field(std::string_view message, std::uint32_t number) {
  std::optional<WireField> last;
  while (!message.empty()) {
    const auto field = take_field(message);
    if (!field) break;
    if (field->number == number) last = field;
  }
  return last;
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace duhui

#include "shared/base/ids.h"

#include "shared/base/bytes.h"

namespace duhui {

RecordId mint_record_id(WallTime now, Random& random) {
  RecordId id = RecordId::random(random);
  const auto ms = static_cast<std::uint64_t>(now.ms < 0 ? 0 : now.ms);
  for (std::size_t at = 0; at < 6; ++at) id.bytes[at] = static_cast<char>(ms >> (40 - 8 * at));
  id.bytes[6] = static_cast<char>((id.bytes[6] & 0x0f) | 0x70);
  id.bytes[8] = static_cast<char>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

std::string to_uuid_text(std::string_view sixteen_bytes) {
  std::string text = to_hex(sixteen_bytes);
  if (text.size() != 32) return text;
  for (const std::size_t at : {20u, 16u, 12u, 8u}) text.insert(at, 1, '-');
  return text;
}

std::optional<std::string> from_uuid_text(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  std::string digits;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool dash = at == 8 || at == 13 || at == 18 || at == 23;
    if (dash != (text[at] == '-')) return std::nullopt;
    if (!dash) digits += text[at];
  }
  return from_hex(digits);
}

std::string to_string(const Dot& dot) {
  return to_hex(dot.origin.view()) + "/" + std::to_string(dot.seq);
}

}  // namespace duhui

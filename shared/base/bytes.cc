#include "shared/base/bytes.h"

#include <cassert>
#include <cstring>

namespace duhui {
namespace {

constexpr std::uint32_t kCastagnoli = 0x82f63b78u;  // reflected polynomial

constexpr std::array<std::array<std::uint32_t, 256>, 8> make_crc_tables() {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t n = 0; n < 256; ++n) {
    std::uint32_t crc = n;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? kCastagnoli : 0u);
    tables[0][n] = crc;
  }
  for (std::uint32_t n = 0; n < 256; ++n) {
    for (std::size_t k = 1; k < 8; ++k) {
      tables[k][n] = (tables[k - 1][n] >> 8) ^ tables[0][tables[k - 1][n] & 0xff];
    }
  }
  return tables;
}

constexpr auto kCrcTables = make_crc_tables();

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string to_hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t at = 0; at < text.size(); at += 2) {
    const int high = hex_digit(text[at]);
    const int low = hex_digit(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

void append_big_endian_64(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

void append_big_endian_32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

std::uint64_t read_big_endian_64(std::string_view bytes) {
  assert(bytes.size() >= 8);
  std::uint64_t value = 0;
  for (std::size_t at = 0; at < 8; ++at) value = value << 8 | byte_at(bytes, at);
  return value;
}

std::uint32_t read_big_endian_32(std::string_view bytes) {
  assert(bytes.size() >= 4);
  std::uint32_t value = 0;
  for (std::size_t at = 0; at < 4; ++at) value = value << 8 | byte_at(bytes, at);
  return value;
}

void append_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (std::size_t at = 0; at < bytes.size() && at < 10; ++at) {
    const std::uint8_t byte = byte_at(bytes, at);
    if (at == 9 && byte > 1) return std::nullopt;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * at);
    if ((byte & 0x80) == 0) {
      bytes.remove_prefix(at + 1);
      return value;
    }
  }
  return std::nullopt;
}

namespace {

std::uint32_t crc32c_by_tables(std::string_view bytes, std::uint32_t crc) {
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    const std::uint32_t low = crc ^ (static_cast<std::uint32_t>(byte_at(bytes, at)) |
                                     static_cast<std::uint32_t>(byte_at(bytes, at + 1)) << 8 |
                                     static_cast<std::uint32_t>(byte_at(bytes, at + 2)) << 16 |
                                     static_cast<std::uint32_t>(byte_at(bytes, at + 3)) << 24);
    crc = kCrcTables[7][low & 0xff] ^ kCrcTables[6][(low >> 8) & 0xff] ^
          kCrcTables[5][(low >> 16) & 0xff] ^ kCrcTables[4][low >> 24] ^
          kCrcTables[3][byte_at(bytes, at + 4)] ^ kCrcTables[2][byte_at(bytes, at + 5)] ^
          kCrcTables[1][byte_at(bytes, at + 6)] ^ kCrcTables[0][byte_at(bytes, at + 7)];
  }
  for (; at < bytes.size(); ++at) {
    crc = (crc >> 8) ^ kCrcTables[0][(crc ^ byte_at(bytes, at)) & 0xff];
  }
  return crc;
}

#if defined(__x86_64__)
// The instruction is ten times the tables; every processor since 2009 has it, but nobody promises.
__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(std::string_view bytes,
                                                                      std::uint32_t crc) {
  std::uint64_t wide = crc;
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  auto narrow = static_cast<std::uint32_t>(wide);
  for (; at < bytes.size(); ++at) narrow = __builtin_ia32_crc32qi(narrow, byte_at(bytes, at));
  return narrow;
}

bool has_crc_instruction() {
  static const bool has = __builtin_cpu_supports("sse4.2") != 0;
  return has;
}
#endif

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc) {
#if defined(__x86_64__)
  if (has_crc_instruction()) return ~crc32c_by_instruction(bytes, ~crc);
#endif
  return ~crc32c_by_tables(bytes, ~crc);
}

std::uint32_t crc32c_without_instruction(std::string_view bytes, std::uint32_t crc) {
  return ~crc32c_by_tables(bytes, ~crc);
}

}  // namespace duhui

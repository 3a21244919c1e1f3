#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace duhui {

/// Lower-case hexadecimal.
std::string to_hex(std::string_view bytes);
/// Empty optional: odd length or a character that is not hexadecimal.
std::optional<std::string> from_hex(std::string_view text);

/// Big-endian, so that byte order is number order in keys.
void append_big_endian_64(std::string& out, std::uint64_t value);
void append_big_endian_32(std::string& out, std::uint32_t value);
/// Precondition: `bytes.size()` is at least 8 (4).
std::uint64_t read_big_endian_64(std::string_view bytes);
std::uint32_t read_big_endian_32(std::string_view bytes);

/// Base-128 varint, as in protobuf.
void append_varint(std::string& out, std::uint64_t value);
/// Takes a varint off the front of `bytes`; empty optional: truncated or over 10 bytes.
std::optional<std::uint64_t> take_varint(std::string_view& bytes);

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `bytes`, continuing from `crc`.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0);
/// The same on processors that have no instruction for it; apart for the tests.
std::uint32_t crc32c_without_instruction(std::string_view bytes, std::uint32_t crc = 0);

}  // namespace duhui

#include "shared/crypto/text.h"

#include <cstdint>

namespace duhui {
namespace {

constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kBase32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Most significant bit first; the last digit is filled up with zero bits.
std::string to_digits(std::string_view bytes, std::string_view alphabet, unsigned bits_per_digit) {
  std::string text;
  text.reserve((bytes.size() * 8 + bits_per_digit - 1) / bits_per_digit);
  std::uint32_t held = 0;
  unsigned held_bits = 0;
  const std::uint32_t mask = (1u << bits_per_digit) - 1;
  for (const char byte : bytes) {
    held = (held << 8) | static_cast<unsigned char>(byte);
    held_bits += 8;
    while (held_bits >= bits_per_digit) {
      held_bits -= bits_per_digit;
      text += alphabet[(held >> held_bits) & mask];
    }
  }
  if (held_bits > 0) text += alphabet[(held << (bits_per_digit - held_bits)) & mask];
  return text;
}

/// Collects digits into bytes. At the end fewer than `bits_per_digit` bits may be left, all zero:
/// every byte string has exactly one text.
class DigitReader {
 public:
  explicit DigitReader(unsigned bits_per_digit) : bits_per_digit_(bits_per_digit) {}

  void take(std::size_t digit) {
    held_ = (held_ << bits_per_digit_) | static_cast<std::uint32_t>(digit);
    held_bits_ += bits_per_digit_;
    if (held_bits_ < 8) return;
    held_bits_ -= 8;
    bytes_ += static_cast<char>((held_ >> held_bits_) & 0xff);
    held_ &= (1u << held_bits_) - 1;
  }

  std::optional<std::string> finish() && {
    if (held_bits_ >= bits_per_digit_ || held_ != 0) return std::nullopt;
    return std::move(bytes_);
  }

 private:
  const unsigned bits_per_digit_;
  std::uint32_t held_ = 0;
  unsigned held_bits_ = 0;
  std::string bytes_;
};

char canonical_base32(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (c == 'O') return '0';
  if (c == 'I' || c == 'L') return '1';
  return c;
}

}  // namespace

std::string to_base64url(std::string_view bytes) { return to_digits(bytes, kBase64Url, 6); }

std::optional<std::string> from_base64url(std::string_view text) {
  DigitReader reader(6);
  for (const char c : text) {
    const std::size_t digit = kBase64Url.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    reader.take(digit);
  }
  return std::move(reader).finish();
}

std::string to_base32(std::string_view bytes) { return to_digits(bytes, kBase32, 5); }

std::optional<std::string> from_base32(std::string_view text) {
  DigitReader reader(5);
  for (const char c : text) {
    if (c == '-' || c == ' ') continue;
    const std::size_t digit = kBase32.find(canonical_base32(c));
    if (digit == std::string_view::npos) return std::nullopt;
    reader.take(digit);
  }
  return std::move(reader).finish();
}

}  // namespace duhui

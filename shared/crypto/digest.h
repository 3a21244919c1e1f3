#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace duhui {

/// A SHA-256.
struct Digest {
  std::array<char, 32> bytes{};

  std::string_view view() const { return {bytes.data(), bytes.size()}; }
  std::string str() const { return std::string(view()); }
  bool is_zero() const { return *this == Digest{}; }
  friend auto operator<=>(const Digest& a, const Digest& b) {
    return std::memcmp(a.bytes.data(), b.bytes.data(), 32) <=> 0;
  }
  friend bool operator==(const Digest& a, const Digest& b) {
    return std::memcmp(a.bytes.data(), b.bytes.data(), 32) == 0;
  }

  /// Empty optional: not 32 bytes.
  static std::optional<Digest> from_bytes(std::string_view view);
};

/// SHA-256 of `bytes`; of `first` followed by `second`. Safe from any thread.
Digest sha256(std::string_view bytes);
Digest sha256(std::string_view first, std::string_view second);

/// The SHA-256 of what comes in parts.
class DigestStream {
 public:
  DigestStream();
  DigestStream(DigestStream&&) noexcept;
  DigestStream& operator=(DigestStream&&) noexcept;
  ~DigestStream();

  void add(std::string_view bytes);
  /// Of everything added; begins anew.
  Digest take();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

/// Whether `a` and `b` are the same bytes, in a time that depends on their lengths only.
bool constant_time_equal(std::string_view a, std::string_view b);

}  // namespace duhui

template <>
struct std::hash<duhui::Digest> {
  std::size_t operator()(const duhui::Digest& digest) const noexcept {
    std::size_t value = 0;
    std::memcpy(&value, digest.bytes.data(), sizeof value);
    return value;
  }
};

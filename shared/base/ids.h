#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/random.h"
#include "shared/base/time.h"

namespace duhui {

/// Sixteen bytes that name something. The tag keeps a record id from being used as an origin.
template <typename Tag>
struct Id16 {
  std::array<char, 16> bytes{};

  std::string_view view() const { return {bytes.data(), bytes.size()}; }
  std::string str() const { return std::string(view()); }
  bool is_zero() const { return *this == Id16{}; }
  friend auto operator<=>(const Id16& a, const Id16& b) {
    return std::memcmp(a.bytes.data(), b.bytes.data(), 16) <=> 0;
  }
  friend bool operator==(const Id16& a, const Id16& b) {
    return std::memcmp(a.bytes.data(), b.bytes.data(), 16) == 0;
  }

  /// Empty optional: not sixteen bytes.
  static std::optional<Id16> from_bytes(std::string_view view) {
    if (view.size() != 16) return std::nullopt;
    Id16 id;
    std::memcpy(id.bytes.data(), view.data(), 16);
    return id;
  }
  static Id16 random(Random& random) {
    Id16 id;
    random.fill(id.bytes.data(), id.bytes.size());
    return id;
  }
};

/// One record. Time-ordered (UUID version 7) when minted by `mint_record_id`; of version 8, derived
/// from a readable id, for registry records.
using RecordId = Id16<struct RecordIdTag>;
/// One incarnation of a device's stream.
using Origin = Id16<struct OriginTag>;
using DeviceId = Id16<struct DeviceIdTag>;
using HubId = Id16<struct HubIdTag>;

/// The name of an op: position `seq` (from 1) of the stream `origin`.
struct Dot {
  Origin origin;
  std::uint64_t seq = 0;

  friend auto operator<=>(const Dot&, const Dot&) = default;
  friend bool operator==(const Dot&, const Dot&) = default;
};

/// UUID version 7 (RFC 9562): 48 bits of `now`, the rest random.
RecordId mint_record_id(WallTime now, Random& random);

/// The canonical text form, "0199027c-d700-7867-b438-4bb4a48f4cf7".
std::string to_uuid_text(std::string_view sixteen_bytes);
std::optional<std::string> from_uuid_text(std::string_view text);

/// "3f2a…(origin, hexadecimal)/17", for people and logs.
std::string to_string(const Dot& dot);

}  // namespace duhui

template <typename Tag>
struct std::hash<duhui::Id16<Tag>> {
  std::size_t operator()(const duhui::Id16<Tag>& id) const noexcept {
    // The tail is random in every kind of id we mint.
    std::size_t value = 0;
    std::memcpy(&value, id.bytes.data() + 8, sizeof value);
    return value;
  }
};

template <>
struct std::hash<duhui::Dot> {
  std::size_t operator()(const duhui::Dot& dot) const noexcept {
    return std::hash<duhui::Origin>{}(dot.origin) ^ (dot.seq * 0x9e3779b97f4a7c15ull);
  }
};

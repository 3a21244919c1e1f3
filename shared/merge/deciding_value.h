#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shared/merge/schema.h"

namespace duhui {

/// The part of a value that decides: what `ask` compares for equality and what the extremes order.
/// Texts compare bytewise, numbers by size whatever their encoding (1 equals 1.0), enums by number;
/// other messages by their canonical encoding.
struct DecidingValue {
  enum class Kind : std::uint8_t { empty, truth, number, text };
  Kind kind = Kind::empty;
  long double number = 0;  // 64 bits of mantissa or more: every integer exactly
  std::string text;

  friend bool operator==(const DecidingValue& a, const DecidingValue& b) {
    return !(a < b) && !(b < a);
  }
  friend bool operator<(const DecidingValue& a, const DecidingValue& b) {
    if (a.kind != b.kind) return a.kind < b.kind;
    if (a.kind == Kind::text) return a.text < b.text;
    return a.number < b.number;
  }
};

/// `field` null: the whole fragment. A value that equals its default is `empty`.
DecidingValue deciding_value(const RecordSchema& schema,
                             const FieldSchema* field,
                             std::string_view fragment);

}  // namespace duhui

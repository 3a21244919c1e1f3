#include "hub/store/sqlite/record_codec.h"

#include <array>
#include <utility>

#include "hub/ports/store_limits.h"
#include "shared/base/bytes.h"

namespace duhui::hub {
namespace {

constexpr std::uint64_t kOtherOrigin = 1;
constexpr std::uint64_t kOtherKind = 2;
constexpr std::uint64_t kOtherTime = 4;

constexpr std::int32_t kFirstDay = -730'485;  // 0000-01-01
constexpr std::int32_t kLastDay = 2'921'939;  // 9999-12-31

std::uint64_t zigzag(std::uint64_t value) {
  return (value << 1) ^ ((value >> 63) != 0 ? ~std::uint64_t{0} : 0);
}

std::uint64_t from_zigzag(std::uint64_t value) {
  return (value >> 1) ^ ((value & 1) != 0 ? ~std::uint64_t{0} : 0);
}

constexpr std::uint64_t kProposal = std::uint64_t{1} << 40;  // above the 32 bits of a rank

/// Quality, rank, at_hub and proposal of a stamp in one number, small for what is common.
std::uint64_t kind_of(const OpStamp& stamp) {
  const auto quality = static_cast<std::uint32_t>(stamp.quality);
  // Enumerators from a newer program may be any number, so they are kept apart.
  const bool wide = quality > 7;
  const std::uint64_t low = (wide ? 0u : quality) | (stamp.at_hub ? 8u : 0u) | (wide ? 16u : 0u);
  return low | (static_cast<std::uint64_t>(stamp.rank) << 5) | (stamp.proposal ? kProposal : 0);
}

std::uint64_t base_time(const RecordId& id) {
  if ((id.bytes[6] & 0xf0) != 0x70) return 0;
  return read_big_endian_64(id.view()) >> 16;
}

bool is_leap(std::int32_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

std::int32_t days_in(std::int32_t year, std::int32_t month) {
  constexpr std::array<std::int32_t, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return kDays[static_cast<std::size_t>(month - 1)] + (month == 2 && is_leap(year) ? 1 : 0);
}

std::optional<std::int32_t> digits(std::string_view text) {
  std::int32_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

/// Days from 2000-01-01 to the first of January of `year`, by the rule of Gregory.
std::int32_t days_before(std::int32_t year) {
  const auto leaps = [](std::int32_t before) {  // leap years in [0, before)
    if (before == 0) return 0;
    const std::int32_t last = before - 1;
    return last / 4 - last / 100 + last / 400 + 1;
  };
  return (year - 2000) * 365 + leaps(year) - leaps(2000);
}

}  // namespace

Result<std::string> encode_ops(const RecordId& id,
                               const std::vector<OpRef>& ops,
                               WordIndex& origins) {
  std::string out;
  out.reserve(ops.size() * 12);
  const Origin* origin_before = nullptr;
  std::uint64_t kind_before = kind_of({});
  auto time_before = base_time(id);
  for (const OpRef& op : ops) {
    const std::uint64_t kind = kind_of(op.stamp);
    const auto time = static_cast<std::uint64_t>(op.stamp.effective_ms);
    const bool other_origin = origin_before == nullptr || *origin_before != op.dot.origin;
    const bool wide = (kind & 16) != 0;
    const bool other_kind = kind != kind_before || wide;
    const bool other_time = time != time_before;
    append_varint(out, (other_origin ? kOtherOrigin : 0) | (other_kind ? kOtherKind : 0) |
                           (other_time ? kOtherTime : 0));
    if (other_origin) {
      DUHUI_TRY(number, origins.intern(op.dot.origin.view()));
      append_varint(out, static_cast<std::uint64_t>(number));
    }
    append_varint(out, op.dot.seq);
    if (other_kind) append_varint(out, kind);
    if (wide) append_varint(out, static_cast<std::uint32_t>(op.stamp.quality));
    if (other_time) append_varint(out, zigzag(time - time_before));
    origin_before = &op.dot.origin;
    kind_before = kind;
    time_before = time;
  }
  return out;
}

Result<std::vector<OpRef>> decode_ops(const RecordId& id,
                                      std::string_view bytes,
                                      WordIndex& origins) {
  const auto damaged = [&id] {
    return Error{ErrorCode::corrupt_data, "op list of record " + to_uuid_text(id.view())};
  };
  std::vector<OpRef> ops;
  ops.reserve(bytes.size() / 4 + 1);
  OpRef op;
  auto time = base_time(id);
  while (!bytes.empty()) {
    const auto head = take_varint(bytes);
    if (!head || *head > 7) return damaged();
    if ((*head & kOtherOrigin) != 0) {
      const auto number = take_varint(bytes);
      if (!number || *number == 0 || *number > kStoreNumberMax) return damaged();
      DUHUI_TRY(origin, origins.bytes_of(static_cast<std::int64_t>(*number)));
      const auto parsed = Origin::from_bytes(origin);
      if (!parsed) return damaged();
      op.dot.origin = *parsed;
    } else if (ops.empty()) {
      return damaged();
    }
    const auto seq = take_varint(bytes);
    if (!seq) return damaged();
    op.dot.seq = *seq;
    if ((*head & kOtherKind) != 0) {
      const auto kind = take_varint(bytes);
      const auto quality = !kind || (*kind & 16) == 0 ? kind : take_varint(bytes);
      if (!quality) return damaged();
      op.stamp.quality =
          static_cast<sync::v1::TimeQuality>((*kind & 16) == 0 ? *kind & 7 : *quality);
      op.stamp.at_hub = (*kind & 8) != 0;
      op.stamp.rank = static_cast<std::uint32_t>(*kind >> 5);
      op.stamp.proposal = (*kind & kProposal) != 0;
    }
    if ((*head & kOtherTime) != 0) {
      const auto step = take_varint(bytes);
      if (!step) return damaged();
      time += from_zigzag(*step);
    }
    op.stamp.effective_ms = static_cast<std::int64_t>(time);
    ops.push_back(op);
  }
  return ops;
}

std::optional<std::int32_t> to_day(std::string_view date) {
  if (date.size() != 10 || date[4] != '-' || date[7] != '-') return std::nullopt;
  const auto year = digits(date.substr(0, 4));
  const auto month = digits(date.substr(5, 2));
  const auto day = digits(date.substr(8, 2));
  if (!year || !month || !day || *month < 1 || *month > 12) return std::nullopt;
  if (*day < 1 || *day > days_in(*year, *month)) return std::nullopt;
  std::int32_t days = days_before(*year) + *day - 1;
  for (std::int32_t before = 1; before < *month; ++before) days += days_in(*year, before);
  return days;
}

std::string from_day(std::int64_t day) {
  if (day < kFirstDay || day > kLastDay) return {};
  auto left = static_cast<std::int32_t>(day);
  std::int32_t year = 2000 + left / 366;
  if (left < 0) year = 2000 + left / 365 - 1;
  if (year < 0) year = 0;
  while (year < 9999 && days_before(year + 1) <= left) ++year;
  left -= days_before(year);
  std::int32_t month = 1;
  while (left >= days_in(year, month)) left -= days_in(year, month++);
  const auto two = [](std::int32_t n) {
    return std::string{static_cast<char>('0' + n / 10), static_cast<char>('0' + n % 10)};
  };
  return two(year / 100) + two(year % 100) + "-" + two(month) + "-" + two(left + 1);
}

std::int32_t first_day_from(std::string_view bound) {
  std::int32_t low = kFirstDay;
  std::int32_t high = kLastDay + 1;  // the answer is in [low, high]
  while (low < high) {
    const std::int32_t middle = low + (high - low) / 2;
    if (from_day(middle) >= bound) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

std::int32_t last_day_to(std::string_view bound) {
  std::int32_t low = kFirstDay - 1;
  std::int32_t high = kLastDay;  // the answer is in [low, high]
  while (low < high) {
    const std::int32_t middle = low + (high - low + 1) / 2;
    if (from_day(middle) <= bound) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

}  // namespace duhui::hub

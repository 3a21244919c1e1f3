#include "agent/core/byte_budget.h"

#include <chrono>

namespace duhui::agent {
namespace {

/// Mobile plans here are by this zone, all year.
constexpr Duration kZone = hours(8);

std::uint64_t& part_of(ByteBudget::Bytes& bytes, ByteKind kind) {
  switch (kind) {
    case ByteKind::text:
      return bytes.text;
    case ByteKind::thumbnail:
      return bytes.thumbnails;
    case ByteKind::file:
      return bytes.files;
    case ByteKind::carrying:
      return bytes.carrying;
  }
  return bytes.carrying;
}

void add(const ByteBudget::Bytes& from, ByteBudget::Bytes* to) {
  to->text += from.text;
  to->thumbnails += from.thumbnails;
  to->files += from.files;
  to->carrying += from.carrying;
}

}  // namespace

std::uint32_t ByteBudget::month_of(WallTime time) {
  const std::chrono::sys_time<std::chrono::milliseconds> there{
      std::chrono::milliseconds((time + kZone).ms)};
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(there)};
  return static_cast<std::uint32_t>(static_cast<int>(day.year())) * 100 +
         static_cast<unsigned>(day.month());
}

void ByteBudget::hub_time(WallTime now) {
  if (now.ms <= 0) return;
  const std::uint32_t month = month_of(now);
  if (month == month_) return;
  Bytes& present = months_[month];
  if (month_ == 0) {
    add(months_[0], &present);
    months_[0] = {};
  }
  month_ = month;
  // The oldest go; never the present one.
  while (months_.size() > kMonthsMax) {
    auto oldest = months_.begin();
    if (oldest->first == 0 || oldest->first == month_) ++oldest;
    if (oldest->first == month_) ++oldest;
    months_.erase(oldest);
  }
}

void ByteBudget::count(ByteKind kind, std::uint64_t bytes) {
  if (free_) {
    part_of(free_bytes_, kind) += bytes;
    return;
  }
  part_of(months_[month_], kind) += bytes;
  unsaved_ += bytes;
}

void ByteBudget::load(const store::v1::Traffic& kept) {
  months_ = {{0, {}}};
  month_ = kept.month();
  for (const store::v1::MonthlyBytes& one : kept.months()) {
    months_[one.month()] = {one.text(), one.thumbnails(), one.files(), one.carrying()};
  }
  months_[month_].carrying += kept.ahead();
  unsaved_ = kept.ahead();
}

store::v1::Traffic ByteBudget::save(std::uint64_t ahead) {
  store::v1::Traffic kept;
  kept.set_month(month_);
  kept.set_ahead(ahead);
  for (const auto& [month, bytes] : months_) {
    if (bytes.total() == 0) continue;
    store::v1::MonthlyBytes& one = *kept.add_months();
    one.set_month(month);
    one.set_text(bytes.text);
    one.set_thumbnails(bytes.thumbnails);
    one.set_files(bytes.files);
    one.set_carrying(bytes.carrying);
  }
  unsaved_ = 0;
  return kept;
}

}  // namespace duhui::agent

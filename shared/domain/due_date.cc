#include "shared/domain/due_date.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>

namespace duhui {
namespace {

using std::chrono::sys_days;
using std::chrono::year_month_day;

/// Further than any deadline; keeps a mistyped rule from counting for ever.
constexpr std::uint32_t kDueDaysMax = 3650;

std::optional<int> number(const std::string& text, std::size_t at, std::size_t length) {
  int value = 0;
  const char* end = text.data() + at + length;
  const auto [rest, error] = std::from_chars(text.data() + at, end, value);
  return error == std::errc() && rest == end ? std::optional<int>(value) : std::nullopt;
}

std::optional<sys_days> parse_day(const std::string& time) {
  if (time.size() < 10 || time[4] != '-' || time[7] != '-') return std::nullopt;
  const auto y = number(time, 0, 4);
  const auto m = number(time, 5, 2);
  const auto d = number(time, 8, 2);
  if (!y || !m || !d || *m < 0 || *d < 0) return std::nullopt;
  const year_month_day date{std::chrono::year{*y}, std::chrono::month{static_cast<unsigned>(*m)},
                            std::chrono::day{static_cast<unsigned>(*d)}};
  return date.ok() ? std::optional<sys_days>(date) : std::nullopt;
}

std::string day_text(sys_days day) {
  const year_month_day date{day};
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text;
}

bool is_working_day(sys_days day, const record::v1::Calendar& calendar) {
  const std::string text = day_text(day);
  const auto holds = [&text](const auto& list) {
    return std::find(list.begin(), list.end(), text) != list.end();
  };
  if (holds(calendar.makeup_workdays())) return true;
  const unsigned weekday = std::chrono::weekday{day}.iso_encoding();
  return weekday <= 5 && !holds(calendar.holidays());
}

}  // namespace

Result<std::string> due_at(const std::string& issued_at,
                           const record::v1::DueRule& rule,
                           const record::v1::Calendar& calendar) {
  const auto issued = parse_day(issued_at);
  if (!issued) return Error{ErrorCode::invalid_input, "no date: " + issued_at};
  if (rule.n() > kDueDaysMax) return Error{ErrorCode::invalid_input, "due rule too long"};
  sys_days day = *issued;
  for (std::uint32_t left = rule.n(); left > 0;) {
    day += std::chrono::days{1};
    const bool counts =
        rule.unit() != record::v1::DAY_UNIT_WORKING || is_working_day(day, calendar);
    if (counts) --left;
  }
  return day_text(day) + "T23:59:59+08:00";
}

}  // namespace duhui

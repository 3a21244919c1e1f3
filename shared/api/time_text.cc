#include "shared/api/time_text.h"

#include <chrono>
#include <cstdio>

namespace duhui::api {

std::string time_text(WallTime time) {
  const WallTime local = time + hours(8);
  const std::int64_t days_since =
      (local.ms >= 0 ? local.ms : local.ms - days(1).ms + 1) / days(1).ms;
  const std::int64_t second = (local.ms - days_since * days(1).ms) / 1000;
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days_since}}};
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d+08:00", int{date.year()},
                unsigned{date.month()}, unsigned{date.day()}, static_cast<int>(second / 3600),
                static_cast<int>(second / 60 % 60), static_cast<int>(second % 60));
  return text;
}

}  // namespace duhui::api

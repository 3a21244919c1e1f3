#include "shared/web/sign_in_settings.h"

#include <charconv>
#include <string>

namespace duhui::web {
namespace {

constexpr Duration kLeast = minutes(1);
constexpr Duration kMost = hours(24);

/// "15m", "12h"
Result<Duration> parse_span(const std::string& text) {
  const Error wanted{ErrorCode::invalid_input,
                     "minutes or hours from \"1m\" to \"24h\", not \"" + text + "\""};
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [unit, failed] = std::from_chars(text.data(), end, number);
  if (failed != std::errc() || end - unit != 1 || number < 1 || number > kMost.ms) return wanted;
  if (*unit != 'm' && *unit != 'h') return wanted;
  const Duration span = *unit == 'h' ? hours(number) : minutes(number);
  if (span < kLeast || span > kMost) return wanted;
  return span;
}

std::string span_text(Duration span) {
  const std::int64_t whole = span.ms / minutes(1).ms;
  return whole % 60 == 0 ? std::to_string(whole / 60) + "h" : std::to_string(whole) + "m";
}

void add_span(cli::SettingsFile* file, const std::string& name, Duration* place) {
  const auto take = [place](const std::string& text) -> Status {
    DUHUI_TRY(span, parse_span(text));
    *place = span;
    return Done{};
  };
  file->add_parsed(name, take, [place] { return span_text(*place); });
}

}  // namespace

void add_sign_in_settings(cli::SettingsFile* file, api::SignInLimits* limits) {
  add_span(file, "sign_in.idle", &limits->idle);
  add_span(file, "sign_in.life", &limits->life);
}

Status check_sign_in(const api::SignInLimits& limits) {
  if (limits.idle <= limits.life) return Done{};
  return Error{ErrorCode::invalid_input, "sign_in.life: not shorter than sign_in.idle"};
}

}  // namespace duhui::web

#include "tests/scenarios/judge.h"

#include <algorithm>
#include <array>
#include <regex>
#include <set>
#include <stdexcept>

#include "tests/scenarios/json_match.h"

namespace duhui::scenarios {
namespace {

/// What the programs do not offer yet: messages to people, documents, search, statistics.
constexpr std::array kNotCheckedAlone = {"notify", "print_contains", "credited_to",
                                         "used_for_indicators"};
constexpr std::array kNotCheckedAtAll = {"search", "aggregate", "stat"};

/// Names that are `wanted`, alone or in front of a colon ("missing_item:R1").
bool names(const Json& list, const std::string& wanted) {
  return std::any_of(list.begin(), list.end(), [&](const Json& entry) {
    const std::string text = entry;
    return text == wanted || text.starts_with(wanted + ":");
  });
}

Json part_of(const Json& list, const char* name) {
  Json parts = Json::array();
  for (const Json& entry : list) parts.push_back(entry.value(name, Json()));
  return parts;
}

/// Values that gave way to others, or that only wait, with their authors.
Json superseded(const Json& field) {
  Json all = field.at("history");
  for (const Json& entry : field.at("proposals")) all.push_back(entry);
  return all;
}

/// "12" of "天督整〔2025〕第12号".
int number_in(const std::string& text) {
  static const std::regex pattern("第([0-9]+)号");
  std::smatch match;
  return std::regex_search(text, match, pattern) ? std::stoi(match[1]) : 0;
}

}  // namespace

void Judge::check(
    const Case& one, const std::string& key, bool holds, const Json& expected, const Json& got) {
  ++findings_.checked;
  if (holds) return;
  findings_.failures.push_back(one.replica + " " + one.record + " " + one.field + " " + key +
                               ": expected " + brief(expected) + ", got " + brief(got));
}

void Judge::after_step(int n) {
  for (const Json& expectation : scenario_.expectations) {
    if (expectation.value("after_step", 0) == n) judge(expectation);
  }
}

void Judge::at_the_end() {
  for (const Json& expectation : scenario_.expectations) {
    if (!expectation.contains("after_step")) judge(expectation);
  }
}

void Judge::judge(const Json& expectation) {
  for (const char* key : kNotCheckedAlone) {
    if (expectation.contains(key)) ++findings_.skipped[key];
  }
  for (const char* key : kNotCheckedAtAll) {
    if (!expectation.contains(key)) continue;
    ++findings_.skipped[key];
    return;
  }
  if (expectation.contains("step")) return judge_step(expectation);
  std::vector<std::string> replicas{expectation.at("on").get<std::string>()};
  if (replicas.front() == "*") {
    replicas = scenario_.agents;
    replicas.emplace_back(kHub);
  }
  for (const std::string& replica : replicas) {
    judge_on(
        {expectation, replica, expectation.value("record", ""), expectation.value("field", "")});
  }
}

void Judge::judge_on(const Case& one) {
  try {
    if (one.wanted.contains("replica")) return judge_device(one);
    if (one.wanted.contains("unique_across") || one.wanted.contains("consecutive_across")) {
      return judge_across(one);
    }
    if (one.wanted.contains("after_repeated_sync")) return judge_numbers_stay(one);
    judge_record(one);
    if (!one.field.empty()) judge_field(one);
    if (one.wanted.contains("item_status") || one.wanted.contains("item_title")) judge_item(one);
  } catch (const std::exception& error) {
    check(one, "", false, "an answer", error.what());
  }
}

void Judge::judge_step(const Json& expectation) {
  const int n = expectation.at("step");
  const Case one{expectation, expectation.at("on"), expectation.value("record", ""), {}};
  const api::ApiResponse* answer = player_.answer_of(n);
  if (answer == nullptr)
    throw std::runtime_error("step " + std::to_string(n) + " asks for nothing");
  const bool rejected = expectation.at("rejected");
  check(one, "step " + std::to_string(n) + " rejected", answer->ok() != rejected, rejected,
        answer->body);
  if (!expectation.contains("reason_contains") || answer->ok()) return;
  const std::string reason = answer->body.at("error").at("detail");
  const std::string part = expectation["reason_contains"];
  check(one, "reason_contains", reason.find(part) != std::string::npos, part, reason);
}

void Judge::judge_record(const Case& one) {
  const Json shown = player_.show(one.replica, one.record);
  const auto expects = [&](const char* key) { return one.wanted.contains(key); };
  if (expects("state")) {
    check(one, "state", shown.at("state") == one.wanted["state"], one.wanted["state"],
          shown["state"]);
  }
  if (expects("state_not")) {
    check(one, "state_not", shown.at("state") != one.wanted["state_not"], one.wanted["state_not"],
          shown["state"]);
  }
  for (const Json& flag : one.wanted.value("flags", Json::array())) {
    check(one, "flags", names(shown.at("flags"), flag), flag, shown["flags"]);
  }
  for (const Json& flag : one.wanted.value("flags_absent", Json::array())) {
    check(one, "flags_absent", !names(shown.at("flags"), flag), flag, shown["flags"]);
  }
  for (const Json& blocker : one.wanted.value("submit_blockers_contain", Json::array())) {
    check(one, "submit_blockers_contain", names(shown.at("submit_blockers"), blocker), blocker,
          shown["submit_blockers"]);
  }
  for (const Json& blocker : one.wanted.value("submit_blockers_absent", Json::array())) {
    check(one, "submit_blockers_absent", !names(shown.at("submit_blockers"), blocker), blocker,
          shown["submit_blockers"]);
  }
  if (expects("open_conflicts")) {
    check(one, "open_conflicts", shown.at("conflicts").size() == one.wanted["open_conflicts"],
          one.wanted["open_conflicts"], shown["conflicts"]);
  }
  if (expects("conflict") && one.field.empty()) {
    check(one, "conflict", shown.at("conflicts").empty() != one.wanted["conflict"].get<bool>(),
          one.wanted["conflict"], shown["conflicts"]);
  }
  if (expects("timeline_contains")) {
    const Json events = part_of(shown.at("timeline"), "event");
    check(one, "timeline_contains", contains_all(events, one.wanted["timeline_contains"]),
          one.wanted["timeline_contains"], events);
  }
  if (expects("effective_recheck")) {
    const Json got = shown.value("effective_recheck", Json());
    check(one, "effective_recheck", got == wanted(one, "effective_recheck"),
          wanted(one, "effective_recheck"), got);
  }
  if (expects("restored_because")) {
    const Json because = shown.value("restored_because", Json::object());
    const Json got = {{"by", because.value("edited_by", Json())}};
    check(one, "restored_because", says(got, one.wanted["restored_because"]),
          one.wanted["restored_because"], because);
  }
  if (expects("result_contains")) {
    const std::string result = shown.at("value").value("result", "");
    const std::string part = one.wanted["result_contains"];
    check(one, "result_contains", result.find(part) != std::string::npos, part, result);
  }
}

void Judge::judge_field(const Case& one) {
  const Json field = player_.field(one.replica, one.record, one.field);
  judge_shown(one, field.at("shown"));
  if (one.wanted.contains("siblings")) {
    const Json siblings = wanted(one, "siblings");
    check(one, "siblings", says_in_any_order(field.at("siblings"), siblings), siblings,
          field["siblings"]);
  }
  if (one.wanted.contains("conflict")) {
    check(one, "conflict", field.at("conflict") == one.wanted["conflict"], one.wanted["conflict"],
          field["conflict"]);
  }
  if (one.wanted.contains("history_contains")) {
    const Json history = wanted(one, "history_contains");
    check(one, "history_contains", contains_all(superseded(field), history), history,
          superseded(field));
  }
  if (one.wanted.contains("edited_at_max")) {
    const Json why = player_.why(one.replica, one.record, one.field);
    for (const Json& entry : why.at("entries")) {
      if (!entry.at("shown").get<bool>()) continue;
      const std::string at = entry.at("at");
      check(one, "edited_at_max", parse_time(at) <= parse_time(one.wanted["edited_at_max"]),
            one.wanted["edited_at_max"], at);
    }
  }
}

void Judge::judge_shown(const Case& one, const Json& shown) {
  const auto expects = [&](const char* key) { return one.wanted.contains(key); };
  const Json list = shown.is_array() ? shown : Json::array();
  if (expects("shown")) {
    check(one, "shown", says(shown, wanted(one, "shown")), wanted(one, "shown"), shown);
  }
  if (expects("shown_is_not")) {
    check(one, "shown_is_not", !says(shown, wanted(one, "shown_is_not")),
          wanted(one, "shown_is_not"), shown);
  }
  if (expects("shown_set")) {
    check(one, "shown_set", says_in_any_order(shown, wanted(one, "shown_set")),
          wanted(one, "shown_set"), shown);
  }
  if (expects("shown_ids")) {
    const Json ids = part_of(list, "id");
    check(one, "shown_ids", says_in_any_order(ids, one.wanted["shown_ids"]),
          one.wanted["shown_ids"], ids);
  }
  if (expects("shown_count")) {
    check(one, "shown_count", list.size() == one.wanted["shown_count"], one.wanted["shown_count"],
          shown);
  }
  if (expects("shown_any_of")) {
    const Json& any = one.wanted["shown_any_of"];
    check(one, "shown_any_of", std::find(any.begin(), any.end(), shown) != any.end(), any, shown);
  }
  if (expects("shown_matches")) {
    const std::string pattern = one.wanted["shown_matches"];
    const std::string text = shown.is_string() ? shown.get<std::string>() : std::string();
    check(one, "shown_matches", std::regex_search(text, std::regex(pattern)), pattern, shown);
  }
  if (expects("each")) {
    for (const Json& entry : list) {
      // A flag that is not raised may be left out.
      Json whole = entry;
      for (const auto& [name, value] : one.wanted["each"].items()) {
        if (value == false && !whole.contains(name)) whole[name] = false;
      }
      check(one, "each", says(whole, one.wanted["each"]), one.wanted["each"], entry);
    }
  }
}

void Judge::judge_item(const Case& one) {
  const Json visit = player_.show(one.replica, one.record).at("value");
  const std::string form = visit.at("template_id").get<std::string>() + "@" +
                           std::to_string(visit.at("template_version").get<int>());
  const std::string code = one.field.substr(one.field.find('/') + 1);
  const Json asked = player_.show_registry(one.replica, "template", form).at("value").at("items");
  Json item;
  for (const Json& each : asked) {
    if (each.at("code") == code) item = each;
  }
  if (one.wanted.contains("item_status")) {
    const std::string status = item.is_null() ? "not_asked" : "asked";
    check(one, "item_status", status == one.wanted["item_status"], one.wanted["item_status"],
          status);
  }
  if (one.wanted.contains("item_title")) {
    const Json title = item.is_null() ? Json() : item.value("title_zh", Json());
    check(one, "item_title", title == one.wanted["item_title"], one.wanted["item_title"], title);
  }
}

void Judge::judge_device(const Case& one) {
  const std::string agent = one.wanted.at("replica");
  const Json device = player_.device(agent);
  for (const Json& flag : one.wanted.value("flags", Json::array())) {
    check(one, "flags of " + agent, names(device.at("flags"), flag), flag, device["flags"]);
  }
  for (const Json& flag : one.wanted.value("flags_absent", Json::array())) {
    check(one, "flags_absent of " + agent, !names(device.at("flags"), flag), flag, device["flags"]);
  }
}

void Judge::judge_across(const Case& one) {
  const bool consecutive = one.wanted.contains("consecutive_across");
  const Json& across = one.wanted.at(consecutive ? "consecutive_across" : "unique_across");
  std::set<std::string> texts;
  std::set<int> numbers;
  for (const std::string record : across.at("records")) {
    const Json shown = player_.field(one.replica, record, across.at("field")).at("shown");
    const std::string text = shown.is_string() ? shown.get<std::string>() : std::string();
    texts.insert(text);
    numbers.insert(number_in(text));
  }
  const std::size_t count = across.at("records").size();
  if (!consecutive) {
    check(one, "unique_across", texts.size() == count && !texts.contains(""), count, Json(texts));
    return;
  }
  const bool gapless = numbers.size() == count && *numbers.begin() > 0 &&
                       *numbers.rbegin() - *numbers.begin() == static_cast<int>(count) - 1;
  check(one, "consecutive_across", gapless, count, Json(texts));
}

void Judge::judge_numbers_stay(const Case& one) {
  const auto numbers = [&] {
    Json all = Json::object();
    for (const auto& [name, record] : player_.records()) {
      if (record.type != "rectification_notice") continue;
      all[name] = player_.field(one.replica, name, "number").at("shown");
    }
    return all;
  };
  const Json before = numbers();
  player_.settle(false);
  const Json after = numbers();
  check(one, "after_repeated_sync", after == before, before, after);
}

}  // namespace duhui::scenarios

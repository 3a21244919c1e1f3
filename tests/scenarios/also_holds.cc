#include "tests/scenarios/also_holds.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <stdexcept>

namespace duhui::scenarios {
namespace {

/// What the sample data say in words, in the notation of the scenarios (also_holds.json).
const Json& accounts() {
  static const Json all = [] {
    std::ifstream stream(DUHUI_ALSO_HOLDS, std::ios::binary);
    return Json::parse(stream);
  }();
  return all;
}

Play variant_of(const Scenario& scenario, const Json& words) {
  Play play{scenario, {}};
  const std::vector<int> written = in_written_order(scenario);
  play.schedule.name = words.at("name");
  play.schedule.order = words.value("order", written);
  const bool as_written = play.schedule.order == written;
  for (Json step : words.value("steps", Json::array())) {
    step["n"] = play.scenario.steps.size() + 1;
    play.scenario.steps.push_back(std::move(step));
  }
  const auto without = words.value("without", std::set<std::size_t>{});
  play.scenario.expectations.clear();
  for (std::size_t i = 0; i < scenario.expectations.size(); ++i) {
    // Those inside the run hold in the written order only; the variant's own, in its order.
    const bool inside = scenario.expectations[i].contains("after_step");
    if (without.contains(i + 1) || (inside && !as_written)) continue;
    play.scenario.expectations.push_back(scenario.expectations[i]);
  }
  for (const Json& expectation : words.value("expect", Json::array())) {
    play.scenario.expectations.push_back(expectation);
  }
  return play;
}

bool is_about(const Json& words, const Scenario& scenario) {
  return scenario.id.starts_with(words.at("scenario").get<std::string>() + "-");
}

void erase(std::string* text, const std::string& part) {
  const auto at = text->find(part);
  if (at != std::string::npos) text->erase(at, part.size());
}

}  // namespace

std::vector<Play> plays_of(const Scenario& scenario) {
  std::vector<Play> plays;
  for (Schedule& schedule : schedules_of(scenario)) {
    plays.push_back({scenario, std::move(schedule)});
  }
  for (const Json& words : accounts().at("variants")) {
    if (is_about(words, scenario)) plays.push_back(variant_of(scenario, words));
  }
  return plays;
}

std::vector<std::string> words_not_played(const Scenario& scenario) {
  std::vector<std::string> all;
  for (const Json& words : accounts().at("not_played")) {
    if (!is_about(words, scenario)) continue;
    all.push_back(scenario.id + ": " + words.at("words").get<std::string>() + " (" +
                  words.at("why").get<std::string>() + ")");
  }
  return all;
}

std::string words_not_accounted_for(const Scenario& scenario) {
  std::string left = scenario.also_holds;
  for (const Json& words : accounts().at("by_every_schedule")) {
    erase(&left, words.get<std::string>());
  }
  for (const char* kind : {"by_expectations", "by_orders", "variants", "not_played"}) {
    for (const Json& words : accounts().at(kind)) {
      if (is_about(words, scenario)) erase(&left, words.at("words").get<std::string>());
    }
  }
  erase(&left, ", and ");
  std::erase_if(left, [](char c) { return c == ',' || c == ';' || c == ' '; });
  return left;
}

}  // namespace duhui::scenarios

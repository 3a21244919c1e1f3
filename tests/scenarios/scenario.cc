#include "tests/scenarios/scenario.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <set>
#include <stdexcept>

namespace duhui::scenarios {
namespace {

void collect_schools(const Json& value, std::set<std::string>* schools) {
  if (value.is_structured()) {
    for (const Json& inner : value) collect_schools(inner, schools);
  }
  if (value.is_object() && value.contains("school_id")) {
    schools->insert(value["school_id"].get<std::string>());
  }
}

/// The groups' members in every order, the groups independent of one another.
std::vector<std::vector<int>> orders_of(const Scenario& scenario) {
  std::vector<std::vector<int>> orders{in_written_order(scenario)};
  for (const std::vector<int>& group : scenario.permute) {
    std::vector<std::vector<int>> more;
    for (const auto& order : orders) {
      std::vector<int> turn = group;
      std::sort(turn.begin(), turn.end());
      do {
        std::vector<int> next = order;
        for (std::size_t i = 0; i < group.size(); ++i) {
          next[static_cast<std::size_t>(group[i]) - 1] = turn[i];
        }
        more.push_back(next);
      } while (std::next_permutation(turn.begin(), turn.end()));
    }
    orders = std::move(more);
  }
  return orders;
}

std::string text_of(const std::vector<int>& order, const std::vector<int>& written) {
  std::string text;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order[i] != written[i]) text += (text.empty() ? "" : " ") + std::to_string(order[i]);
  }
  return text.empty() ? "as written" : "permuted " + text;
}

}  // namespace

std::vector<std::string> scenario_files() {
  std::vector<std::string> files;
  for (const std::string& folder :
       {std::string(DUHUI_TEST_DATA) + "/scenarios", std::string(DUHUI_MORE_SCENARIOS)}) {
    const auto first = static_cast<std::ptrdiff_t>(files.size());
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".json") files.push_back(entry.path().string());
    }
    std::sort(files.begin() + first, files.end());
  }
  return files;
}

Scenario read_scenario(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  const Json json = Json::parse(stream);
  Scenario scenario;
  scenario.id = json.at("id");
  for (const auto& replica : json.at("replicas")) {
    if (replica != "hub") scenario.agents.push_back(replica);
  }
  std::set<std::string> schools;
  for (const auto& school : json.at("sites")) schools.insert(school.get<std::string>());
  collect_schools(json.at("steps"), &schools);
  scenario.schools.assign(schools.begin(), schools.end());
  scenario.steps = json.at("steps").get<std::vector<Json>>();
  scenario.expectations = json.at("expect").get<std::vector<Json>>();
  scenario.permute = json.at("permute").get<std::vector<std::vector<int>>>();
  scenario.also_holds = json.at("also_holds");
  for (std::size_t i = 0; i < scenario.steps.size(); ++i) {
    if (scenario.steps[i].at("n") != i + 1) throw std::runtime_error(file + ": steps not numbered");
  }
  return scenario;
}

std::vector<int> in_written_order(const Scenario& scenario) {
  std::vector<int> order(scenario.steps.size());
  std::iota(order.begin(), order.end(), 1);
  return order;
}

std::vector<Schedule> schedules_of(const Scenario& scenario) {
  std::vector<Schedule> schedules;
  const std::vector<int> written = in_written_order(scenario);
  for (const auto& order : orders_of(scenario)) {
    for (const bool backwards : {false, true}) {
      if (backwards && scenario.agents.size() < 2) continue;
      schedules.push_back(
          {.name = text_of(order, written) + (backwards ? ", settled backwards" : ""),
           .order = order,
           .written_order = order == written,
           .settle_backwards = backwards});
    }
  }
  schedules.push_back({.name = "every sync twice", .order = written, .every_sync_twice = true});
  schedules.push_back(
      {.name = "restarts between steps", .order = written, .restart_between = true});
  return schedules;
}

WallTime parse_time(const std::string& text) {
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, zh = 0, zm = 0;
  if (std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d+%d:%d", &y, &mo, &d, &h, &mi, &s, &zh, &zm) !=
      8) {
    throw std::runtime_error("not a time: " + text);
  }
  const std::chrono::sys_days day{std::chrono::year{y} /
                                  std::chrono::month{static_cast<unsigned>(mo)} /
                                  std::chrono::day{static_cast<unsigned>(d)}};
  const std::int64_t seconds_of_day = (h - zh) * 3600 + (mi - zm) * 60 + s;
  return {std::int64_t{day.time_since_epoch().count()} * 86'400'000 + seconds_of_day * 1000};
}

}  // namespace duhui::scenarios

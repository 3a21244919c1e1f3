#include "tests/scenarios/known_gaps.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace duhui::scenarios {
namespace {

struct Gap {
  std::string scenario;
  std::string part;  // of the failure's text
};

/// Lines "S05-submit-vs-edit: part of the failure"; `#` begins a remark.
std::vector<Gap> read_gaps() {
  std::ifstream stream(DUHUI_KNOWN_GAPS);
  if (!stream) throw std::runtime_error(std::string("cannot read ") + DUHUI_KNOWN_GAPS);
  std::vector<Gap> gaps;
  for (std::string line; std::getline(stream, line);) {
    const auto colon = line.find(": ");
    if (line.empty() || line.front() == '#') continue;
    if (colon == std::string::npos) throw std::runtime_error("known gaps: " + line);
    gaps.push_back({line.substr(0, colon), line.substr(colon + 2)});
  }
  return gaps;
}

const std::vector<Gap>& gaps() {
  static const std::vector<Gap> all = read_gaps();
  return all;
}

}  // namespace

bool is_known_gap(const std::string& scenario, const std::string& failure) {
  return std::any_of(gaps().begin(), gaps().end(), [&](const Gap& gap) {
    return scenario == gap.scenario && failure.find(gap.part) != std::string::npos;
  });
}

std::vector<std::string> gaps_without_failure(const std::string& scenario,
                                              const std::set<std::string>& failures) {
  std::vector<std::string> unmet;
  for (const Gap& gap : gaps()) {
    const bool met = std::any_of(failures.begin(), failures.end(), [&](const std::string& failure) {
      return failure.find(gap.part) != std::string::npos;
    });
    if (scenario == gap.scenario && !met) unmet.push_back(gap.part);
  }
  return unmet;
}

}  // namespace duhui::scenarios

#pragma once

#include <set>
#include <string>
#include <vector>

namespace duhui::scenarios {

/// Failures that are known and not repaired yet; the list only ever gets shorter. A gap that is
/// listed and does not fail is a failure too.
bool is_known_gap(const std::string& scenario, const std::string& failure);
std::vector<std::string> gaps_without_failure(const std::string& scenario,
                                              const std::set<std::string>& failures);

}  // namespace duhui::scenarios

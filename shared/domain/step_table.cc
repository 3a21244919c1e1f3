#include "shared/domain/step_table.h"

#include <algorithm>

namespace duhui {

bool Writers::allow(std::uint32_t rank) const {
  return rank == 0 || std::any_of(allowed.begin(), allowed.end(), [rank](record::v1::Writer w) {
           return static_cast<std::uint32_t>(w) == rank;
         });
}

std::string StepTable::refusal(int state, const StateEvent& event) const {
  bool known = false;
  for (const Step& step : steps_) {
    if (step.from != state || step.to != event.to) continue;
    if (step.writers.allow(event.rank)) return {};
    known = true;
  }
  return known ? "not_permitted" : "not_from_this_state";
}

std::optional<int> StepTable::next(int, const StateEvent& event) const { return event.to; }

int StepTable::precedence_of(int to) const {
  const auto found = std::find(precedence_.begin(), precedence_.end(), to);
  return found == precedence_.end() ? -1 : static_cast<int>(found - precedence_.begin());
}

int StepTable::compare(const StateEvent& a, const StateEvent& b) const {
  return precedence_of(a.to) - precedence_of(b.to);
}

}  // namespace duhui

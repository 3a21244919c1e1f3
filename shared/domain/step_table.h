#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "duhui/record/v1/options.pb.h"
#include "shared/domain/state_machine.h"

namespace duhui {

/// Who may take a step: any of these kinds of people. An author whose kind is not known may.
struct Writers {
  Writers(std::initializer_list<record::v1::Writer> list) : allowed(list) {}
  bool allow(std::uint32_t rank) const;

  std::vector<record::v1::Writer> allowed;
};

/// A machine whose events name the state they lead to, written as a table of steps.
class StepTable : public StateMachine {
 public:
  struct Step {
    int from;
    int to;
    Writers writers;
  };

  /// `precedence`: lowest first; a concurrent event of a later entry overrules.
  StepTable(int initial, std::vector<Step> steps, std::vector<int> precedence)
      : initial_(initial), steps_(std::move(steps)), precedence_(std::move(precedence)) {}

  int initial() const override { return initial_; }
  std::string refusal(int state, const StateEvent& event) const override;
  std::optional<int> next(int state, const StateEvent& event) const override;
  int compare(const StateEvent& a, const StateEvent& b) const override;

 protected:
  int precedence_of(int to) const;

 private:
  int initial_;
  std::vector<Step> steps_;
  std::vector<int> precedence_;
};

}  // namespace duhui

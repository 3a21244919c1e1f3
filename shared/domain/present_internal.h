#pragma once

#include <string>
#include <vector>

#include "shared/domain/present.h"

namespace duhui {

/// What the parts of `present` share.
struct PresentInput {
  const RecordSchema& schema;
  const RecordState& state;
  const DomainContext& context;
  const std::vector<StateEvent>& events;
  const FoldedState& folded;
};

/// Flags, blockers and derived fields that depend on the record type.
void add_visit_facts(const PresentInput& input, Presented* out);
void add_problem_facts(const PresentInput& input, Presented* out);
void add_notice_facts(const PresentInput& input, Presented* out);
void add_response_facts(const PresentInput& input, Presented* out);
void add_escalation_facts(const PresentInput& input, Presented* out);
void add_task_facts(const PresentInput& input, Presented* out);
void add_evaluation_facts(const PresentInput& input, Presented* out);

/// Policy of a visit's answers by the template it was filled with.
std::function<record::v1::Policy(const RegisterKey&)> item_policies(const RecordSchema& schema,
                                                                    const RecordState& state,
                                                                    const DomainContext& context);

}  // namespace duhui

#pragma once

#include "shared/domain/state_machine.h"

namespace duhui {

/// planned -> self_evaluating -> self_submitted -> district_rating -> district_rated -> published;
/// city: sample_drawn -> rechecking -> rechecked -> consistent | inconsistent -> district_review ->
/// final -> published; two stages: online_monitored -> selected -> onsite.
const StateMachine& evaluation_state_machine();

}  // namespace duhui

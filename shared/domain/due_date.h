#pragma once

#include <string>

#include "duhui/record/v1/common.pb.h"
#include "duhui/record/v1/org.pb.h"
#include "shared/base/result.h"

namespace duhui {

/// End of the n-th day after the day of issue, "2025-10-12T23:59:59+08:00". Working days are those
/// in the calendar's make-up days, and Monday to Friday outside its holidays. `invalid_input`: no
/// date.
Result<std::string> due_at(const std::string& issued_at,
                           const record::v1::DueRule& rule,
                           const record::v1::Calendar& calendar);

}  // namespace duhui

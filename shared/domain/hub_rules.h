#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shared/base/result.h"
#include "shared/domain/follow_ups.h"
#include "shared/domain/present.h"

namespace duhui {

/// "天督整〔2025〕第1号": `n` is consecutive in a district and year.
std::string official_number(const std::string& district_name,
                            const std::string& issued_at,
                            std::uint32_t n);

/// Whether the hub owes this notice a number: issued, and none given yet.
bool needs_number(const Presented& notice);

/// Gives a notice its number, at hub time `at`. Never changes one that was given.
Result<RecordEdit> assign_number(const Presented& notice,
                                 const std::string& number,
                                 const std::string& at);

/// An escalation as the rule below needs it.
struct OpenEscalation {
  std::string id;
  std::string at;
};

/// Cancels the escalations that would not have been made, had the hub known that the problem was
/// put right before: "已于9日整改到位". They stay in the log. `open`: escalations of this problem
/// that are open.
std::vector<FollowUp> cancel_escalations(const Presented& problem,
                                         const std::vector<OpenEscalation>& open,
                                         const EditAuthor& hub);

}  // namespace duhui

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hub/core/record_rules.h"

namespace duhui::fuzz {

/// Rules that know nothing and have no follow-ups.
class NoRules final : public hub::RecordRules {
 public:
  hub::RecordSummary summarize(const RecordState&) override { return {}; }
  hub::RecordSummary summarize_new(const Dot&, const sync::v1::Op&) override { return {}; }
  Result<hub::Standing> standing_of(hub::RecordLookup&, const std::string&) override {
    return hub::Standing{};
  }
  hub::Judgement judge(const hub::Standing&,
                       const std::vector<std::string>&,
                       WallTime,
                       std::string_view,
                       const sync::v1::Op& op) override {
    static_cast<void>(op);
    return {.rank = 2};
  }
  bool is_made_at_hub(std::uint32_t) override { return false; }
  Result<std::vector<Intent>> follow_ups(hub::RecordLookup&,
                                         const std::vector<RecordId>&,
                                         WallTime) override {
    return std::vector<Intent>{};
  }
};

}  // namespace duhui::fuzz

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "shared/merge/schema.h"
#include "shared/record/record_edit.h"

namespace duhui {

/// An edit of another record that one edit implies; saved together with it, by the same person.
struct FollowUp {
  std::string type;
  std::string record_id;
  RecordEdit edit;
};

/// What the rules ask of other records.
struct FollowUpContext {
  /// State of a problem as identifier; empty optional: not held here.
  std::function<std::optional<std::string>(const std::string& problem_id)> problem_state;
  /// Problems of a notice.
  std::function<std::vector<std::string>(const std::string& notice_id)> problems_of_notice;
};

/// What the edit of one record means for others: an answer sent -> its problems are answered; a
/// notice acknowledged, issued, withdrawn -> its problems too; a recheck -> its problem is closed,
/// returned or reopened; an escalation -> noted on its problems. `after`: the record's JSON with
/// the edit applied. Steps that do not fit a problem's state are left out.
std::vector<FollowUp> follow_ups(const RecordSchema& schema,
                                 const std::string& record_id,
                                 const nlohmann::json& after,
                                 const RecordEdit& edit,
                                 const EditAuthor& author,
                                 const FollowUpContext& context);

/// "临-<school code>-<n>", for a notice issued without the hub; `n` counts on the device.
std::string provisional_number(const std::string& school_code, std::uint32_t n);

}  // namespace duhui

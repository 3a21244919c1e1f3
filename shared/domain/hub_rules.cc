#include "shared/domain/hub_rules.h"

#include <google/protobuf/message.h>

namespace duhui {
namespace {

using Json = nlohmann::json;

/// The first character of a UTF-8 text.
std::string first_character(const std::string& text) {
  std::size_t end = text.empty() ? 0 : 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
  return text.substr(0, end);
}

/// "9" of "2025-10-09T10:30:00+08:00".
std::string day_of_month(const std::string& time) {
  std::string day = time.size() < 10 ? std::string() : time.substr(8, 2);
  if (!day.empty() && day.front() == '0') day.erase(0, 1);
  return day;
}

}  // namespace

std::string official_number(const std::string& district_name,
                            const std::string& issued_at,
                            std::uint32_t n) {
  return first_character(district_name) + "督整〔" + issued_at.substr(0, 4) + "〕第" +
         std::to_string(n) + "号";
}

bool needs_number(const Presented& notice) {
  return !notice.state.empty() && notice.state != "draft" && !notice.record.contains("number");
}

Result<RecordEdit> assign_number(const Presented& notice,
                                 const std::string& number,
                                 const std::string& at) {
  if (!needs_number(notice)) return Error{ErrorCode::refused, "numbered: has its number"};
  const EditAuthor hub{.person = {}, .at = at};
  DUHUI_TRY(edit, edit_set(*notice.schema, "number", number, *notice.message, hub));
  DUHUI_TRY(time, edit_set(*notice.schema, "numbered_at", at, *notice.message, hub));
  edit.writes.push_back(std::move(time.writes.front()));
  return edit;
}

std::vector<FollowUp> cancel_escalations(const Presented& problem,
                                         const std::vector<OpenEscalation>& open,
                                         const EditAuthor& hub) {
  std::vector<FollowUp> out;
  const std::string closed_at = problem.record.value("closed_at", "");
  if (problem.state != "closed" || closed_at.empty()) return out;
  const RecordSchema& type = *Schema::instance().find("escalation");
  for (const OpenEscalation& escalation : open) {
    // Put right after the escalation: that one did its work and is done, not cancelled.
    if (closed_at.substr(0, 10) >= escalation.at.substr(0, 10)) continue;
    const std::string result = "已于" + day_of_month(closed_at) + "日整改到位";
    auto edit =
        edit_transition(type, "cancelled", Json{{"reason", result}, {"result", result}}, hub);
    if (edit) out.push_back({"escalation", escalation.id, std::move(*edit)});
  }
  return out;
}

}  // namespace duhui

#include "shared/api/provisional_numbers.h"

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

#include "duhui/record/v1/notice.pb.h"
#include "duhui/record/v1/org.pb.h"
#include "shared/crypto/registry_id.h"
#include "shared/domain/follow_ups.h"
#include "shared/merge/view.h"

namespace duhui::api {
namespace {

constexpr std::string_view kNoticeType = "rectification_notice";
constexpr std::uint32_t kListStep = 500;

/// "临-9430202001-12" -> 12; 0: of another school, or none.
std::uint32_t count_in(const std::string& number, const std::string& school_code) {
  const std::string zero = provisional_number(school_code, 0);
  const std::string_view front = std::string_view(zero).substr(0, zero.size() - 1);
  if (!number.starts_with(front)) return 0;
  std::uint32_t n = 0;
  std::from_chars(number.data() + front.size(), number.data() + number.size(), n);
  return n;
}

}  // namespace

bool is_issuing(const RecordSchema& schema, const nlohmann::json& to) {
  return schema.rule.name() == kNoticeType && (to == "issued" || to == "open");
}

Result<std::string> next_provisional_number(RecordSource& source, const std::string& school_id) {
  if (source.facts().scopes.empty()) return std::string();
  const RecordSchema& schools = *Schema::instance().find("school");
  const RecordSchema& notices = *Schema::instance().find(kNoticeType);
  DUHUI_TRY(school_state, source.state(registry_record_id("school", school_id)));
  record::v1::School school;
  if (!school_state || !school.ParseFromString(shown_message(schools, *school_state, {}).bytes) ||
      school.code().empty()) {
    return std::string();
  }
  std::uint32_t last = 0;
  RecordQuery query{.type = notices.rule.type(), .school_id = school_id, .limit = kListStep};
  for (;;) {
    DUHUI_TRY(rows, source.list(query));
    for (const RecordRow& row : rows) {
      DUHUI_TRY(state, source.state(row.id));
      record::v1::RectificationNotice notice;
      if (!state || !notice.ParseFromString(shown_message(notices, *state, {}).bytes)) continue;
      last = std::max(last, count_in(notice.provisional_no(), school.code()));
    }
    if (rows.size() < query.limit) break;
    query.after = rows.back().id;
  }
  return provisional_number(school.code(), last + 1);
}

}  // namespace duhui::api

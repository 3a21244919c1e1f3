#include "shared/api/why_answer.h"

#include "shared/api/record_answer.h"
#include "shared/api/why_text.h"
#include "shared/merge/view.h"
#include "shared/record/record_edit.h"

namespace duhui::api {

using Json = nlohmann::json;

Result<Json> why_answer(const RecordState& state,
                        const Presented& shown,
                        std::string_view path,
                        People& people) {
  const RecordSchema& schema = *shown.schema;
  RegisterKey key{kDeletedField, {}};
  if (path != "deleted") {
    DUHUI_TRY(found, register_of(schema, path));
    key = std::move(found);
  }
  const ViewOptions options{.override_policy = shown.override_policy,
                            .frozen_at = shown.frozen_at ? &*shown.frozen_at : nullptr};
  const Explanation why = explain(schema, state, key, options);
  Json entries = Json::array();
  for (const Explanation::Entry& entry : why.entries) {
    Json line = authored_answer(schema, key, entry.write);
    const OpFacts* op = state.op(entry.write.dot);
    line["sign_in"] = sign_in_name(op == nullptr ? sync::v1::SIGN_IN_UNSPECIFIED : op->sign_in);
    line["live"] = entry.live;
    line["shown"] = entry.shown;
    line["saw"] = Json::array();
    for (const Dot& dot : entry.saw) line["saw"].push_back(to_string(dot));
    line["replaced_by"] = Json::array();
    for (const Dot& dot : entry.replaced_by) line["replaced_by"].push_back(to_string(dot));
    entries.push_back(std::move(line));
  }
  const auto name_of = [&people](const std::string& person) { return people.name_of(person); };
  return Json{{"path", path},
              {"policy", policy_name(why.policy)},
              {"rule", why.rule},
              {"entries", std::move(entries)},
              {"text_zh", why_text(schema, state, key, why, name_of, Language::zh)},
              {"text_en", why_text(schema, state, key, why, name_of, Language::en)}};
}

}  // namespace duhui::api

#include "shared/domain/follow_ups.h"

#include <algorithm>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <nlohmann/json.hpp>

#include "shared/domain/problem_state.h"
#include "shared/domain/record_events.h"
#include "shared/record/field_rule.h"
#include "shared/record/record_json.h"

namespace duhui {
namespace {

using Json = nlohmann::json;

/// One run of `follow_ups`.
class Rules {
 public:
  Rules(const RecordSchema& schema,
        const std::string& id,
        const Json& after,
        const RecordEdit& edit,
        const EditAuthor& author,
        const FollowUpContext& context)
      : schema_(schema), id_(id), after_(after), edit_(edit), author_(author), context_(context) {}

  std::vector<FollowUp> run() {
    const std::string& type = schema_.rule.name();
    if (type == "rectification_response" && goes_to("sent")) answered();
    if (type == "rectification_notice") notice();
    if (type == "recheck" && writes("verdict")) recheck();
    if (type == "escalation" && writes("kind")) escalated();
    return std::move(out_);
  }

 private:
  const FieldSchema* field_of(const RegisterEdit& write) const {
    return schema_.find(write.key.field);
  }

  bool writes(const std::string& name) const {
    return std::any_of(edit_.writes.begin(), edit_.writes.end(), [&](const RegisterEdit& write) {
      const FieldSchema* field = field_of(write);
      return field != nullptr && field->field->name() == name && write.value.has_value();
    });
  }

  bool goes_to(const std::string& target) const {
    for (const RegisterEdit& write : edit_.writes) {
      const FieldSchema* field = field_of(write);
      if (field == nullptr || field->field->name() != schema_.rule.state_field() || !write.value) {
        continue;
      }
      const Json entries = fragment_json(schema_, write.key, *write.value);
      if (!entries.is_array() || entries.empty()) continue;
      if (entries.back().value("state", "") == target) return true;
    }
    return false;
  }

  std::vector<std::string> problems() const {
    std::vector<std::string> ids = after_.value("problem_ids", std::vector<std::string>{});
    const std::string notice = after_.value("notice_id", "");
    if (ids.empty() && !notice.empty() && context_.problems_of_notice) {
      ids = context_.problems_of_notice(notice);
    }
    return ids;
  }

  /// Adds the step to the problem if it fits its state.
  void step(const std::string& problem, const std::string& event, Json details) {
    const RecordSchema& type = *Schema::instance().find("problem");
    if (context_.problem_state) {
      const auto state = context_.problem_state(problem);
      if (!state || !fits(type, *state, event)) return;
    }
    details["cause_id"] = id_;
    auto edit = edit_transition(type, event, details, author_);
    if (edit) out_.push_back({"problem", problem, std::move(*edit)});
  }

  static bool fits(const RecordSchema& type, const std::string& state, const std::string& event) {
    const auto* state_field = type.descriptor->FindFieldByName(type.rule.state());
    const auto* list = type.descriptor->FindFieldByName(type.rule.state_field());
    const auto* from = find_identifier(*state_field->enum_type(), state);
    const auto* to =
        find_identifier(*list->message_type()->FindFieldByName("event")->enum_type(), event);
    StateEvent step;
    step.to = to == nullptr ? 0 : to->number();
    return from != nullptr && to != nullptr &&
           problem_state_machine().refusal(from->number(), step).empty();
  }

  void answered() {
    for (const auto& problem : problems()) step(problem, "answered", Json::object());
  }

  void notice() {
    if (goes_to("issued") || goes_to("open")) {
      for (const auto& problem : problems()) step(problem, "notice_issued", Json::object());
    }
    if (writes("acknowledgements")) {
      for (const auto& problem : problems()) step(problem, "acknowledged", Json::object());
    }
    if (goes_to("withdrawn")) {
      for (const auto& problem : problems()) step(problem, "withdrawn", Json::object());
    }
  }

  void recheck() {
    const std::string problem = after_.value("problem_id", "");
    const std::string verdict = after_.value("verdict", "");
    const std::string at = after_.value("at", author_.at);
    Json details = {{"at", at}, {"level", after_.value("level", "district")}};
    if (verdict == "passed") {
      details["effective_on"] = at.substr(0, 10);
      const Json evidence = after_.value("evidence", Json::object());
      for (const char* name : {"signature_at", "taken_at"}) {
        if (evidence.contains(name)) details["evidence_at"] = evidence[name];
      }
      if (after_.contains("evidence_at")) details["evidence_at"] = after_["evidence_at"];
      step(problem, "closed", std::move(details));
      return;
    }
    const auto state =
        context_.problem_state ? context_.problem_state(problem) : std::optional<std::string>();
    step(problem, state == "closed" ? "reopened" : "returned", std::move(details));
  }

  void escalated() {
    const std::string kind = after_.value("kind", "");
    const std::string event = kind == "admonition_talk"         ? "talked"
                              : kind == "circular"              ? "circulated"
                              : kind == "accountability_action" ? "accountability"
                                                                : "escalated";
    const Json details = {{"at", after_.value("at", author_.at)},
                          {"note", after_.value("reason", "")}};
    for (const auto& problem : problems()) step(problem, event, details);
  }

  const RecordSchema& schema_;
  const std::string& id_;
  const Json& after_;
  const RecordEdit& edit_;
  const EditAuthor& author_;
  const FollowUpContext& context_;
  std::vector<FollowUp> out_;
};

}  // namespace

std::vector<FollowUp> follow_ups(const RecordSchema& schema,
                                 const std::string& record_id,
                                 const Json& after,
                                 const RecordEdit& edit,
                                 const EditAuthor& author,
                                 const FollowUpContext& context) {
  return Rules(schema, record_id, after, edit, author, context).run();
}

std::string provisional_number(const std::string& school_code, std::uint32_t n) {
  return "临-" + school_code + "-" + std::to_string(n);
}

}  // namespace duhui

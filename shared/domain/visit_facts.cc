#include <algorithm>
#include <map>
#include <set>

#include <google/protobuf/message.h>

#include "duhui/record/v1/visit.pb.h"
#include "shared/domain/present_internal.h"
#include "shared/merge/view.h"
#include "shared/record/record_edit.h"
#include "shared/record/record_json.h"

namespace duhui {
namespace {

using Json = nlohmann::json;
using record::v1::VisitRecord;

const VisitRecord& visit_of(const Presented& presented) {
  return dynamic_cast<const VisitRecord&>(*presented.message);
}

bool confirmed(const VisitRecord& visit, record::v1::ConfirmationKind kind) {
  return std::any_of(visit.confirmations().begin(), visit.confirmations().end(),
                     [kind](const auto& c) { return c.kind() == kind && !c.refused(); });
}

std::set<std::string> participants(const VisitRecord& visit) {
  std::set<std::string> out(visit.supervisor_ids().begin(), visit.supervisor_ids().end());
  if (!visit.lead().empty()) out.insert(visit.lead());
  return out;
}

/// Nobody of the visit was responsible for the school on that day.
bool unassigned(const VisitRecord& visit, const DomainContext& context) {
  if (!context.assignments_of || visit.visit_date().empty()) return false;
  // Checks ordered from above are made by whoever was sent.
  if (visit.visit_kind() != record::v1::VISIT_KIND_ROUTINE) return false;
  const auto assignments = context.assignments_of(visit.school_id());
  if (assignments.empty()) return false;
  const auto people = participants(visit);
  return std::none_of(assignments.begin(), assignments.end(), [&](const auto& assignment) {
    const bool open_end = assignment.valid_to().empty();
    return people.count(assignment.supervisor_id()) != 0 &&
           assignment.valid_from() <= visit.visit_date() &&
           (open_end || visit.visit_date() <= assignment.valid_to());
  });
}

/// Another record of the same school, kind and half-day by other people.
bool possible_duplicate(const Presented& presented, const DomainContext& context) {
  const VisitRecord& visit = visit_of(presented);
  if (!context.visits_on || visit.visit_date().empty() || !visit.duplicate_of().empty())
    return false;
  const auto people = participants(visit);
  const std::string kind = presented.record.value("visit_kind", "");
  const std::string period = presented.record.value("period", "");
  for (const VisitFacts& other : context.visits_on(visit.school_id(), visit.visit_date())) {
    const bool same_time = other.period == period || other.period == "full" || period == "full";
    const bool joint = std::any_of(other.supervisor_ids.begin(), other.supervisor_ids.end(),
                                   [&](const auto& person) { return people.count(person) != 0; });
    if (other.id != presented.id && !other.merged && other.status != "discarded" &&
        other.visit_kind == kind && same_time && !joint) {
      return true;
    }
  }
  return false;
}

bool clock_of_visit_date_was_wrong(const RecordState& state) {
  const Register* reg = state.find({VisitRecord::kVisitDateFieldNumber, {}});
  if (reg == nullptr) return false;
  return std::any_of(reg->live.begin(), reg->live.end(), [&](const RegisterWrite& write) {
    const OpFacts* op = state.op(write.dot);
    if (op == nullptr || !write.value) return false;
    const auto quality = op->stamp.quality;
    return quality != sync::v1::TIME_QUALITY_GOOD &&
           quality != sync::v1::TIME_QUALITY_PROVISIONAL &&
           quality != sync::v1::TIME_QUALITY_UNSPECIFIED;
  });
}

/// The raters of an item are further apart than the setting allows and the lead has not decided.
bool consensus_needed(const VisitRecord& visit, const DomainContext& context) {
  std::map<std::string, std::pair<double, double>> spread;
  for (const auto& score : visit.scores()) {
    const auto& value = score.value();
    const double number =
        value.has_integer() ? static_cast<double>(value.integer()) : value.number();
    const auto [at, fresh] = spread.try_emplace(score.item_code(), number, number);
    at->second.first = std::min(at->second.first, number);
    at->second.second = std::max(at->second.second, number);
  }
  const double limit =
      (context.setting ? context.setting("evaluation.rater_spread_threshold", visit.school_id())
                       : std::nullopt)
          .value_or(5);
  return std::any_of(spread.begin(), spread.end(), [&](const auto& item) {
    return item.second.second - item.second.first > limit &&
           visit.team_scores().count(item.first) == 0;
  });
}

/// Shown content that the signature's author had not seen.
bool is_stale(const Presented& presented, const RecordState& state, const Dot& signature) {
  const OpFacts* op = state.op(signature);
  if (op == nullptr || op->creates) return false;
  for (const ShownRegister& shown : presented.view.registers) {
    const FieldSchema* field = presented.schema->find(shown.key.field);
    if (field == nullptr || field->rule.open_when_frozen() || field->rule.machine()) continue;
    for (const AuthoredValue& value : shown.shown) {
      const bool seen =
          value.dot == signature || std::binary_search(op->sees.begin(), op->sees.end(), value.dot);
      if (!seen) return true;
    }
  }
  return false;
}

void add_signatures(const PresentInput& input, Presented* out) {
  const ShownRegister* shown = out->view.find({VisitRecord::kSignaturesFieldNumber, {}});
  if (shown == nullptr) return;
  Json list = Json::array();
  for (const AuthoredValue& value : shown->shown) {
    VisitRecord part;
    if (!value.value || !part.ParseFromString(*value.value)) continue;
    for (auto& signature : *part.mutable_signatures()) {
      signature.set_stale(signature.stale() || is_stale(*out, input.state, value.dot));
    }
    const Json written = RecordJson::instance().write(part);
    if (!written.contains("signatures")) continue;
    for (const Json& entry : written["signatures"]) list.push_back(entry);
  }
  out->record["signatures"] = std::move(list);
}

/// What waits, one entry for each author: the lead takes or refuses a colleague's additions
/// together.
void add_amendments(Presented* out) {
  Json list = out->record.value("amendments", Json::array());
  std::map<std::string, std::set<std::string>> waiting;
  for (const Amendment& amendment : out->view.amendments) {
    for (const RegisterKey& key : amendment.registers) {
      waiting[amendment.person].insert(path_of(*out->schema, key));
    }
  }
  for (const auto& [person, paths] : waiting) {
    list.push_back({{"by", person}, {"status", "pending"}, {"contains", paths}});
  }
  if (!list.empty()) out->record["amendments"] = std::move(list);
}

void hide_withheld(const VisitRecord& visit, Presented* out) {
  if (visit.withheld_attachment_ids().empty() || !out->record.contains("attachments")) return;
  const std::set<std::string> withheld(visit.withheld_attachment_ids().begin(),
                                       visit.withheld_attachment_ids().end());
  Json kept = Json::array();
  for (const Json& photo : out->record["attachments"]) {
    if (withheld.count(photo.value("id", "")) == 0) kept.push_back(photo);
  }
  out->record["attachments"] = std::move(kept);
}

void add_blockers(const PresentInput& input, Presented* out) {
  const VisitRecord& visit = visit_of(*out);
  auto& blockers = out->submit_blockers;
  if (!out->conflicts.empty()) blockers.push_back("open_conflict");
  if (visit.visit_date().empty()) blockers.push_back("no_visit_date");
  if (visit.methods().empty()) blockers.push_back("no_method");
  const auto form = input.context.template_of
                        ? input.context.template_of(visit.template_id(), visit.template_version())
                        : std::nullopt;
  for (int i = 0; form && i < form->items_size(); ++i) {
    const auto& item = form->items(i);
    if (!item.required() || item.type() == record::v1::ITEM_TYPE_SCORE) continue;
    const auto answer = visit.item_answers().find(item.code());
    const bool answered = answer != visit.item_answers().end() &&
                          answer->second.value().kind_case() != record::v1::Scalar::KIND_NOT_SET;
    if (!answered) blockers.push_back("missing_item:" + item.code());
  }
  if (!visit.unsigned_reason().empty()) return;
  const auto signed_by = [&](record::v1::SignerRole role) {
    return std::any_of(visit.signatures().begin(), visit.signatures().end(),
                       [role](const auto& signature) { return signature.role() == role; });
  };
  if (!signed_by(record::v1::SIGNER_ROLE_SUPERVISOR)) blockers.push_back("unsigned:supervisor");
  if (!signed_by(record::v1::SIGNER_ROLE_PRINCIPAL)) blockers.push_back("unsigned:principal");
}

void add_derived(const PresentInput& input, Presented* out) {
  std::uint32_t version = 1;
  for (const std::size_t at : input.folded.way) {
    const StateEvent& event = input.events[at];
    if (event.to == record::v1::VISIT_STATUS_AMENDED) ++version;
    if (event.to == record::v1::VISIT_STATUS_SUBMITTED && !event.at.empty() &&
        !out->record.contains("submitted_at")) {
      out->record["submitted_at"] = event.at;
    }
  }
  out->record["version"] = version;
}

}  // namespace

void add_visit_facts(const PresentInput& input, Presented* out) {
  const VisitRecord& visit = visit_of(*out);
  if (unassigned(visit, input.context) &&
      !confirmed(visit, record::v1::CONFIRMATION_KIND_VISITOR)) {
    out->flags.push_back("unassigned_visitor");
  }
  if (out->state != "discarded" && possible_duplicate(*out, input.context) &&
      !confirmed(visit, record::v1::CONFIRMATION_KIND_DUPLICATE)) {
    out->flags.push_back("possible_duplicate");
  }
  if (!visit.duplicate_of().empty()) out->flags.push_back("merged");
  if (clock_of_visit_date_was_wrong(input.state) &&
      !confirmed(visit, record::v1::CONFIRMATION_KIND_VISIT_DATE)) {
    out->flags.push_back("visit_date_confirm_needed");
  }
  if (consensus_needed(visit, input.context)) out->flags.push_back("consensus_needed");
  add_signatures(input, out);
  add_amendments(out);
  hide_withheld(visit, out);
  add_blockers(input, out);
  add_derived(input, out);
}

std::function<record::v1::Policy(const RegisterKey&)> item_policies(const RecordSchema& schema,
                                                                    const RecordState& state,
                                                                    const DomainContext& context) {
  if (!context.template_of) return {};
  VisitRecord visit;
  if (!visit.ParseFromString(shown_message(schema, state, {}).bytes)) return {};
  const auto form = context.template_of(visit.template_id(), visit.template_version());
  if (!form) return {};
  std::map<std::string, record::v1::Policy> policies;
  for (const auto& item : form->items()) {
    // Lists, sets and texts of several authors inside one answer: asking loses nothing.
    record::v1::Policy policy = record::v1::POLICY_ASK;
    if (item.merge() == "latest") policy = record::v1::POLICY_LATEST;
    if (item.merge() == "max") policy = record::v1::POLICY_MAX;
    if (item.merge() == "min") policy = record::v1::POLICY_MIN;
    policies[item.code()] = policy;
  }
  return [policies](const RegisterKey& key) {
    const auto found = policies.find(key.key);
    const bool answer = key.field == VisitRecord::kItemAnswersFieldNumber;
    return answer && found != policies.end() ? found->second : record::v1::POLICY_UNSPECIFIED;
  };
}

}  // namespace duhui

#include "hub/core/domain_rules.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include <google/protobuf/descriptor.h>

#include "duhui/record/v1/org.pb.h"
#include "duhui/record/v1/visit.pb.h"
#include "shared/crypto/registry_id.h"
#include "shared/domain/frozen.h"
#include "shared/domain/record_events.h"
#include "shared/domain/writers.h"
#include "shared/merge/view.h"
#include "shared/merge/wire_field.h"

namespace duhui::hub {
namespace {

using google::protobuf::FieldDescriptor;

/// Business dates by name; where a type has several, the first of them here counts.
constexpr std::array<std::string_view, 9> kDateFields = {
    "visit_date", "found_at",  "issued_at",    "window_start", "held_on",
    "at",         "first_day", "entered_date", "created_at"};
/// What a record is looked up by besides its id; of people, how they are called.
constexpr std::array<std::string_view, 8> kLinkFields = {"notice_id", "problem_id",   "problem_ids",
                                                         "visit_id",  "duplicate_of", "login",
                                                         "user_id",   "supervisor_id"};
/// Children of a school's records that do not name the school themselves.
constexpr std::array<std::string_view, 2> kInSchoolScope = {"rectification_response", "recheck"};

constexpr std::uint32_t kTemplatesMax = 10'000;

constexpr std::string_view kTemplateType = "template";
constexpr std::string_view kCredentialType = "credential";
constexpr std::string_view kProblemType = "problem";
constexpr std::string_view kNoticeType = "rectification_notice";

template <typename List>
std::size_t place_of(const List& list, std::string_view name) {
  return static_cast<std::size_t>(std::find(list.begin(), list.end(), name) - list.begin());
}

std::string_view last_part(std::string_view scope) {
  const auto slash = scope.rfind('/');
  return slash == std::string_view::npos ? scope : scope.substr(slash + 1);
}

const std::string& type_name(const RecordState& state) {
  static const std::string none;
  const RecordSchema* schema = Schema::instance().find(state.type());
  return schema == nullptr ? none : schema->rule.name();
}

/// The newest live value of a register, whatever its policy: enough to find a record's template.
std::string_view newest_value(const RecordState& state, std::uint32_t field) {
  const Register* reg = state.find({field, {}});
  const RegisterWrite* newest = nullptr;
  std::int64_t newest_ms = 0;
  if (reg == nullptr) return {};
  for (const RegisterWrite& write : reg->live) {
    const OpFacts* op = state.op(write.dot);
    const std::int64_t ms = op == nullptr ? 0 : op->stamp.effective_ms;
    if (!write.value || (newest != nullptr && ms < newest_ms)) continue;
    newest = &write;
    newest_ms = ms;
  }
  return newest == nullptr ? std::string_view() : std::string_view(*newest->value);
}

}  // namespace

std::string china_time(WallTime time) {
  using namespace std::chrono;  // NOLINT(google-build-using-namespace): calendar words
  const sys_time<std::chrono::milliseconds> local{std::chrono::milliseconds(time.ms) + 8h};
  const auto day = floor<std::chrono::days>(local);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<std::chrono::seconds>(local - day)};
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d+08:00",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text.data();
}

DomainRules::DomainRules(const Schema& schema) {
  for (const auto& [type, record] : schema.types()) {
    if (plans_.size() <= type) plans_.resize(type + 1);
    plans_[type] = make_plan(record);
  }
}

DomainRules::Plan DomainRules::make_plan(const RecordSchema& schema) {
  Plan plan;
  plan.schema = &schema;
  const std::string& name = schema.rule.name();
  plan.school_in_scope = place_of(kInSchoolScope, name) < kInSchoolScope.size();
  const auto* events = schema.descriptor->FindFieldByName(schema.rule.state_field());
  for (const auto& [number, field] : schema.fields) {
    plan.use.resize(std::max<std::size_t>(plan.use.size(), number + 1), Use::none);
    plan.date_rank.resize(plan.use.size(), 255);
    plan.interesting.resize(plan.use.size(), false);
    const std::string& own = field.field->name();
    const std::size_t date = place_of(kDateFields, own);
    const bool text = field.field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    if (field.rule.policy() == record::v1::POLICY_DERIVED) continue;
    if (text && (own == "school_id" || (name == "school" && own == "id"))) {
      plan.use[number] = Use::school;
    } else if (text && !field.field->is_repeated() && date < kDateFields.size()) {
      plan.use[number] = Use::date;
      plan.date_rank[number] = static_cast<std::uint8_t>(date);
    } else if (text && place_of(kLinkFields, own) < kLinkFields.size()) {
      plan.use[number] = Use::link;
      plan.link_names[number] = own;
    } else if (name == kNoticeType && own == "number") {
      plan.use[number] = Use::number;
    } else if (events != nullptr && static_cast<int>(number) == events->number()) {
      plan.use[number] = Use::event;
      plan.event_field = number;
    }
    if (plan.use[number] != Use::none) plan.interesting[field.register_field] = true;
  }
  if (plan.event_field == 0) return plan;
  const auto* target = events->message_type()->FindFieldByName("to");
  if (target == nullptr) target = events->message_type()->FindFieldByName("event");
  plan.event_target = static_cast<std::uint32_t>(target->number());
  plan.initial = machine_of(schema).initial();
  const auto* states = schema.descriptor->FindFieldByName(schema.rule.state())->enum_type();
  for (int n = 0; n < states->value_count(); ++n) {
    const auto number = static_cast<std::size_t>(states->value(n)->number());
    if (plan.state_names.size() <= number) plan.state_names.resize(number + 1);
    plan.state_names[number] = state_name(schema, states->value(n)->number());
  }
  return plan;
}

const DomainRules::Plan* DomainRules::plan_of(std::uint32_t type) const {
  return type < plans_.size() && plans_[type].schema != nullptr ? &plans_[type] : nullptr;
}

void DomainRules::read_fields(const Plan& plan,
                              std::string_view bytes,
                              Columns& columns,
                              RecordSummary& summary) {
  while (!bytes.empty()) {
    const auto field = take_field(bytes);
    if (!field) return;
    if (field->number >= plan.use.size() || field->type != WireField::Type::bytes) continue;
    switch (plan.use[field->number]) {
      case Use::none:
      case Use::event:
        break;
      case Use::school:
        summary.school_id = std::string(field->payload);
        break;
      case Use::number:
        columns.numbered = !field->payload.empty();
        break;
      case Use::date:
        if (field->payload.empty() || plan.date_rank[field->number] > columns.date_rank) break;
        columns.date_rank = plan.date_rank[field->number];
        columns.date = field->payload.substr(0, 10);
        break;
      case Use::link:
        if (field->payload.empty()) break;
        summary.links.emplace_back(plan.link_names.at(field->number), field->payload);
        break;
    }
  }
}

std::string DomainRules::first_state(const Plan& plan, const sync::v1::Op& op) {
  std::vector<StateEvent> events;
  for (const sync::v1::Write& write : op.writes()) {
    if (write.field() != plan.event_field || !write.has_value()) continue;
    std::string_view bytes = write.value();
    while (!bytes.empty()) {
      const auto entry = take_field(bytes);
      if (!entry) break;
      if (entry->number != plan.event_field) continue;
      const auto target = last_field(entry->payload, plan.event_target);
      StateEvent event;
      event.to = target ? static_cast<int>(target->value) : 0;
      event.index = static_cast<std::uint32_t>(events.size());
      event.founding = events.empty();
      if (!events.empty()) event.after.push_back(events.size() - 1);
      events.push_back(std::move(event));
    }
  }
  const StateMachine& machine = machine_of(*plan.schema);
  int state = plan.initial;
  if (events.size() == 1) {
    state = machine.next(plan.initial, events.front()).value_or(plan.initial);
  } else if (!events.empty()) {
    state = fold(machine, events).state;
  }
  const auto number = static_cast<std::size_t>(std::max(state, 0));
  return number < plan.state_names.size() ? plan.state_names[number] : std::to_string(state);
}

void DomainRules::settle(const Plan& plan,
                         const Columns& columns,
                         std::string_view scope,
                         RecordSummary& summary) {
  summary.date = std::string(columns.date);
  if (plan.school_in_scope && summary.school_id.empty()) {
    summary.school_id = std::string(last_part(scope));
  }
  const std::string& type = plan.schema->rule.name();
  summary.follow_up =
      type == kTemplateType || type == kCredentialType ||
      (type == kProblemType && summary.state == "closed") ||
      (type == kNoticeType && summary.state != "draft" && !columns.numbered && !summary.deleted);
}

RecordSummary DomainRules::summarize_new(const Dot& dot, const sync::v1::Op& op) {
  RecordSummary summary;
  const Plan* plan = plan_of(op.record_type());
  if (plan == nullptr) {
    summary.follow_up = false;
    return summary;
  }
  Columns columns;
  for (const sync::v1::Write& write : op.writes()) {
    if (write.field() == kDeletedField) {
      // Created and deleted in one op: nobody does that; let the merge say what it means.
      RecordState state;
      if (state.apply(dot, op, {})) return summarize(state);
    }
    if (write.field() >= plan->interesting.size() || !plan->interesting[write.field()]) continue;
    if (write.has_value()) read_fields(*plan, write.value(), columns, summary);
  }
  if (plan->event_field != 0) summary.state = first_state(*plan, op);
  settle(*plan, columns, op.scope(), summary);
  return summary;
}

RecordSummary DomainRules::summarize(const RecordState& state) {
  RecordSummary summary;
  const Plan* plan = plan_of(state.type());
  if (plan == nullptr || state.stage() != RecordState::Stage::born) {
    summary.follow_up = false;
    return summary;
  }
  const Folding folding = fold_record(*plan->schema, state);
  ViewOptions options;
  if (folding.frozen_at) options.frozen_at = &*folding.frozen_at;
  if (const ItemPolicies* policies = item_policies(state)) {
    options.override_policy = [policies](const RegisterKey& key) {
      const auto at = key.field == record::v1::VisitRecord::kItemAnswersFieldNumber
                          ? policies->find(key.key)
                          : policies->end();
      return at == policies->end() ? record::v1::POLICY_UNSPECIFIED : at->second;
    };
  }
  ShownMessage shown = shown_message(*plan->schema, state, options);
  summary.deleted = shown.deleted;
  if (!shown.deleted) summary.conflicts = std::move(shown.conflicts);
  Columns columns;
  read_fields(*plan, shown.bytes, columns, summary);
  if (plan->event_field != 0) summary.state = state_name(*plan->schema, folding.folded.state);
  settle(*plan, columns, state.scope(), summary);
  return summary;
}

const DomainRules::ItemPolicies* DomainRules::item_policies(const RecordState& state) const {
  using record::v1::VisitRecord;
  if (templates_.empty() || type_name(state) != "visit_record") return nullptr;
  const std::string_view form = newest_value(state, VisitRecord::kTemplateIdFieldNumber);
  const auto id = last_field(form, VisitRecord::kTemplateIdFieldNumber);
  const auto version = last_field(form, VisitRecord::kTemplateVersionFieldNumber);
  if (!id || !version) return nullptr;
  const auto at =
      templates_.find({std::string(id->payload), static_cast<std::uint32_t>(version->value)});
  return at == templates_.end() ? nullptr : &at->second;
}

void DomainRules::learn(const record::v1::Template& form) {
  ItemPolicies policies;
  for (const auto& item : form.items()) {
    if (item.merge() == "latest") policies[item.code()] = record::v1::POLICY_LATEST;
    if (item.merge() == "max") policies[item.code()] = record::v1::POLICY_MAX;
    if (item.merge() == "min") policies[item.code()] = record::v1::POLICY_MIN;
  }
  const std::pair key(form.id(), form.version());
  templates_.erase(key);
  if (!policies.empty()) templates_.emplace(key, std::move(policies));
}

Status DomainRules::learn_stored(HubTransaction& tx, OpReader& ops) {
  const RecordSchema& schema = *Schema::instance().find(kTemplateType);
  RecordTable::Query query;
  query.type = schema.rule.type();
  query.limit = kTemplatesMax;
  DUHUI_TRY(rows, tx.records().find(query));
  for (const RecordRow& row : rows) {
    DUHUI_TRY(state, ops.load(tx, row));
    record::v1::Template form;
    if (form.ParseFromString(shown_message(schema, state, {}).bytes)) learn(form);
  }
  return Done{};
}

}  // namespace duhui::hub

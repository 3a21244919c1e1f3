// What the hub writes by itself: official numbers of notices, escalations that were not needed.

#include <nlohmann/json.hpp>

#include "duhui/record/v1/options.pb.h"
#include "hub/core/domain_rules.h"
#include "shared/crypto/registry_id.h"
#include "shared/domain/hub_rules.h"
#include "shared/domain/present.h"
#include "shared/merge/view.h"
#include "shared/sync/credentials.h"

namespace duhui::hub {
namespace {

Intent intent_of(const RecordId& id, std::uint32_t type, RecordEdit&& edit) {
  Intent intent;
  intent.record = id;
  intent.type = type;
  intent.person = std::string(kHubPerson);
  intent.rank = record::v1::WRITER_HUB;
  intent.sees_all = edit.sees_all;
  for (RegisterEdit& write : edit.writes) {
    intent.writes.push_back({std::move(write.key), std::move(write.value)});
  }
  return intent;
}

Presented present_now(const RecordSchema& schema,
                      const RecordId& id,
                      const RecordState& state,
                      WallTime now) {
  DomainContext context;
  context.now = china_time(now);
  return present(schema, to_uuid_text(id.view()), state, context);
}

/// "org-430202" of "org-430200/org-430202/zone-430202-1/sch-001"; of a shorter scope its last part.
std::string district_of(std::string_view scope) {
  const auto first = scope.find('/');
  if (first == std::string_view::npos) return std::string(scope);
  const auto second = scope.find('/', first + 1);
  return std::string(scope.substr(
      first + 1, second == std::string_view::npos ? std::string_view::npos : second - first - 1));
}

Result<std::string> name_of_org(RecordLookup& lookup, const std::string& org) {
  const RecordSchema* schema = Schema::instance().find("org");
  DUHUI_TRY(state, lookup.state(registry_record_id("org", org)));
  record::v1::Org message;
  if (state == nullptr || !message.ParseFromString(shown_message(*schema, *state, {}).bytes)) {
    return std::string();
  }
  return message.name();
}

}  // namespace

Result<std::vector<Intent>> DomainRules::follow_ups(RecordLookup& lookup,
                                                    const std::vector<RecordId>& changed,
                                                    WallTime now) {
  std::vector<Intent> intents;
  for (const RecordId& id : changed) {
    DUHUI_TRY(state, lookup.state(id));
    const Plan* plan = state == nullptr ? nullptr : plan_of(state->type());
    if (plan == nullptr || state->stage() != RecordState::Stage::born) continue;
    const std::string& type = plan->schema->rule.name();
    if (type == "template") {
      record::v1::Template form;
      if (form.ParseFromString(shown_message(*plan->schema, *state, {}).bytes)) learn(form);
    } else if (type == "credential") {
      DUHUI_CHECK_OK(spread_secret(lookup, *state, intents));
    } else if (type == "rectification_notice") {
      DUHUI_CHECK_OK(number_notice(lookup, id, *state, now, intents));
    } else if (type == "problem") {
      DUHUI_CHECK_OK(cancel_escalations(lookup, id, *state, now, intents));
    }
  }
  return intents;
}

/// A password that was changed at one school holds at the person's others, too.
Status DomainRules::spread_secret(RecordLookup& lookup,
                                  const RecordState& state,
                                  std::vector<Intent>& intents) {
  const auto changed = read_account(state);
  if (!changed || !changed->secret) return Done{};
  DUHUI_TRY(places, lookup.linked_to("user_id", changed->user_id));
  for (const RecordId& id : places) {
    DUHUI_TRY(other, lookup.state(id));
    const auto account = other == nullptr ? std::nullopt : read_account(*other);
    const bool same_key =
        account && account->user_id == changed->user_id && account->key == changed->key;
    if (!same_key || (account->secret && !is_newer(*changed->secret, *account->secret))) continue;
    Intent intent =
        change_credential(account->user_id, account->place, {.secret = changed->secret});
    intent.person = std::string(kHubPerson);
    intent.rank = record::v1::WRITER_HUB;
    intents.push_back(std::move(intent));
  }
  return Done{};
}

Status DomainRules::number_notice(RecordLookup& lookup,
                                  const RecordId& id,
                                  const RecordState& state,
                                  WallTime now,
                                  std::vector<Intent>& intents) {
  const RecordSchema& schema = *Schema::instance().find("rectification_notice");
  const Presented notice = present_now(schema, id, state, now);
  if (!needs_number(notice)) return Done{};
  const std::string at = china_time(now);
  std::string issued = notice.record.value("issued_at", at);
  if (issued.size() < 4) issued = at;
  const std::string district = district_of(state.scope());
  // Consecutive in a district and year; the transaction that takes a number also gives it.
  const std::string key = "number/" + district + "/" + issued.substr(0, 4);
  DUHUI_TRY(last, lookup.setting(key));
  std::uint32_t number = 0;
  for (const char digit : last.value_or("0")) {
    number = number * 10 + static_cast<std::uint32_t>(digit - '0');
  }
  ++number;
  DUHUI_TRY(name, name_of_org(lookup, district));
  DUHUI_TRY(edit, assign_number(notice, official_number(name, issued, number), at));
  DUHUI_CHECK_OK(lookup.set(key, std::to_string(number)));
  intents.push_back(intent_of(id, state.type(), std::move(edit)));
  return Done{};
}

Status DomainRules::cancel_escalations(RecordLookup& lookup,
                                       const RecordId& id,
                                       const RecordState& state,
                                       WallTime now,
                                       std::vector<Intent>& intents) {
  const RecordSchema& escalations = *Schema::instance().find("escalation");
  const Presented problem = present_now(*Schema::instance().find("problem"), id, state, now);
  DUHUI_TRY(candidates, lookup.linked_to("problem_ids", problem.id));
  if (const std::string notice = problem.record.value("notice_id", ""); !notice.empty()) {
    DUHUI_TRY(more, lookup.linked_to("notice_id", notice));
    candidates.insert(candidates.end(), more.begin(), more.end());
  }
  std::vector<OpenEscalation> open;
  for (const RecordId& candidate : candidates) {
    DUHUI_TRY(other, lookup.state(candidate));
    if (other == nullptr || other->type() != escalations.rule.type()) continue;
    const Presented escalation = present_now(escalations, candidate, *other, now);
    const bool known = std::any_of(open.begin(), open.end(),
                                   [&](const OpenEscalation& e) { return e.id == escalation.id; });
    if (known || escalation.state != "open" || escalation.view.deleted) continue;
    open.push_back({escalation.id, escalation.record.value("at", "")});
  }
  if (open.empty()) return Done{};
  const EditAuthor hub{.person = std::string(kHubPerson), .at = china_time(now)};
  for (FollowUp& next : duhui::cancel_escalations(problem, open, hub)) {
    const auto bytes = from_uuid_text(next.record_id);
    const auto record = bytes ? RecordId::from_bytes(*bytes) : std::nullopt;
    if (!record) continue;
    intents.push_back(intent_of(*record, escalations.rule.type(), std::move(next.edit)));
  }
  return Done{};
}

}  // namespace duhui::hub

#include "agent/api/agent_records.h"

#include <utility>

#include "duhui/record/v1/office.pb.h"
#include "shared/api/domain_lookup.h"
#include "shared/api/record_answer.h"
#include "shared/api/scopes.h"
#include "shared/api/time_text.h"
#include "shared/crypto/audit_chain.h"

namespace duhui::agent {
namespace {

constexpr std::uint32_t kFillStep = 500;

}  // namespace

AgentRecords::AgentRecords(Replica& replica, Random& random, ReadClock read_clock)
    : replica_(replica), random_(random), read_clock_(std::move(read_clock)) {}

Status AgentRecords::refresh(const RecordId& id) {
  DUHUI_TRY(state, replica_.record(id));
  const RecordSchema* schema = state ? Schema::instance().find(state->type()) : nullptr;
  if (schema == nullptr || state->stage() != RecordState::Stage::born) {
    index_.erase(id);
    return Done{};
  }
  api::DomainLookup lookup(*this);
  const Presented shown = present(*schema, to_uuid_text(id.view()), *state, lookup.narrow());
  index_.put(id, {api::row_of(id, *state, shown), links_of(shown)});
  return Done{};
}

Status AgentRecords::fill() {
  if (index_.filled()) return Done{};
  RecordId after;
  for (;;) {
    DUHUI_TRY(ids, replica_.find(0, after, kFillStep));
    for (const RecordId& id : ids) DUHUI_CHECK_OK(refresh(id));
    if (ids.size() < kFillStep) break;
    after = ids.back();
  }
  index_.set_filled();
  return Done{};
}

Result<const RecordIndex*> AgentRecords::index() {
  DUHUI_CHECK_OK(fill());
  return &index_;
}

void AgentRecords::changed(const std::vector<RecordId>& ids) {
  // Before the first list nobody needs the index; it is filled from what is stored then.
  if (!index_.filled()) return;
  for (const RecordId& id : ids) {
    // One that cannot be read now is shown as it was; reading it will say what is wrong.
    if (auto refreshed = refresh(id); !refreshed) continue;
  }
}

Result<std::optional<RecordState>> AgentRecords::state(const RecordId& id) {
  return replica_.record(id);
}

Result<std::vector<api::RecordRow>> AgentRecords::list(const api::RecordQuery& query) {
  DUHUI_CHECK_OK(fill());
  return index_.find(query);
}

Result<std::vector<RecordId>> AgentRecords::linked_to(std::string_view name, std::string_view to) {
  DUHUI_CHECK_OK(fill());
  return index_.linked_to(name, to);
}

Result<std::vector<Dot>> AgentRecords::save(std::vector<Intent> intents) {
  DUHUI_TRY(dots, replica_.save(intents, read_clock_()));
  std::vector<RecordId> ids;
  ids.reserve(intents.size());
  for (const Intent& intent : intents) ids.push_back(intent.record);
  changed(ids);
  if (told_saved_) told_saved_();
  return dots;
}

std::string AgentRecords::seen_token(const RecordId& id, const RecordState& state) {
  return replica_.seen_token(id, state);
}

RecordId AgentRecords::mint_id() { return mint_record_id(read_clock_().wall, random_); }

api::SourceFacts AgentRecords::facts() {
  std::string root;
  if (!scopes_.empty()) root = scopes_.front().substr(0, scopes_.front().find('/'));
  if (root.empty() && !replica_.scopes().empty()) {
    root = replica_.scopes().begin()->first;
    root = root.substr(0, root.find('/'));
  }
  return {.now = read_clock_().wall,
          .origin = replica_.origin(),
          .root_scope = std::move(root),
          .scopes = scopes_};
}

Status AgentRecords::audit(const AuditEntry& entry) {
  const AuditEntry fitting = fit_for_audit(entry);
  const RecordSchema& schema = *Schema::instance().find("audit_event");
  Intent intent;
  intent.record = mint_id();
  intent.type = schema.rule.type();
  intent.creates = true;
  intent.scope = std::string(api::kHubScope);
  intent.person = fitting.actor;
  using Event = record::v1::AuditEvent;
  const auto write = [&](int field, const std::string& text, void (*set)(Event&, std::string)) {
    if (text.empty()) return;
    Event event;
    set(event, text);
    intent.writes.push_back({{static_cast<std::uint32_t>(field), ""}, event.SerializeAsString()});
  };
  write(Event::kActionFieldNumber, fitting.action,
        [](Event& event, std::string text) { event.set_action(std::move(text)); });
  write(Event::kTargetTypeFieldNumber, fitting.target_type,
        [](Event& event, std::string text) { event.set_target_type(std::move(text)); });
  write(Event::kTargetIdFieldNumber, fitting.target_id,
        [](Event& event, std::string text) { event.set_target_id(std::move(text)); });
  write(Event::kAtFieldNumber, api::time_text(read_clock_().wall),
        [](Event& event, std::string text) { event.set_at(std::move(text)); });
  write(Event::kDetailFieldNumber,
        fitting.outcome + (fitting.detail.empty() ? "" : ": " + fitting.detail),
        [](Event& event, std::string text) { event.set_detail(std::move(text)); });
  DUHUI_TRY(dots, save({std::move(intent)}));
  static_cast<void>(dots);
  return Done{};
}

}  // namespace duhui::agent

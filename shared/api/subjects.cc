#include "shared/api/subjects.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "shared/api/scopes.h"
#include "shared/api/time_text.h"
#include "shared/crypto/registry_id.h"
#include "shared/domain/grants.h"
#include "shared/merge/schema.h"
#include "shared/merge/view.h"

namespace duhui::api {
namespace {

using record::v1::User;

constexpr std::size_t kKnownMax = 2000;

/// Empty optional: not known here, or deleted.
template <typename Message>
Result<std::optional<Message>> read_record(RecordSource& source, const RecordId& id) {
  const auto type = Message::descriptor()->options().GetExtension(record::v1::record).type();
  const RecordSchema* schema = Schema::instance().find(type);
  DUHUI_TRY(state, source.state(id));
  std::optional<Message> found;
  if (schema == nullptr || !state || state->type() != type) return found;
  const ShownMessage shown = shown_message(*schema, *state, {});
  Message message;
  if (!shown.deleted && message.ParseFromString(shown.bytes)) found = std::move(message);
  return found;
}

}  // namespace

Result<std::string> Subjects::id_of(const std::string& name) {
  if (name.empty()) return std::string();
  DUHUI_TRY(direct, read_record<User>(source_, registry_record_id("user", name)));
  std::string found;
  if (direct && direct->id() == name) found = name;
  DUHUI_TRY(ids, source_.linked_to("login", name));
  for (const RecordId& id : ids) {
    DUHUI_TRY(user, read_record<User>(source_, id));
    if (!user || user->login() != name || user->id().empty() || user->id() == found) continue;
    if (!found.empty()) return std::string();  // neither, or one could be taken for the other
    found = user->id();
  }
  return found;
}

Result<const KnownPerson*> Subjects::find(const std::string& user_id, MonotonicTime now) {
  const auto at = known_.find(user_id);
  if (at == known_.end() || now - at->second.at > kPersonKnownFor) {
    DUHUI_TRY(person, read(user_id));
    if (known_.size() >= kKnownMax) known_.clear();
    known_[user_id] = {now, std::move(person)};
  }
  const Known& known = known_[user_id];
  return known.person ? &*known.person : nullptr;
}

Result<std::optional<KnownPerson>> Subjects::read(const std::string& user_id) {
  DUHUI_TRY(user, read_record<User>(source_, registry_record_id("user", user_id)));
  if (!user || user->id() != user_id) return std::optional<KnownPerson>();
  KnownPerson known;
  known.user = std::move(*user);
  known.subject.place = place_;
  known.subject.person = user_id;
  known.subject.supervisor_id = known.user.supervisor_id();
  known.subject.today = time_text(calendar_ ? calendar_() : source_.facts().now).substr(0, 10);
  known.active =
      !known.user.has_status() || known.user.status() == record::v1::PERSON_STATUS_ACTIVE;
  DUHUI_TRY(accounts, accounts_of(user_id));
  for (auto& [place, account] : accounts) {
    if (account.disabled || !account.secret) continue;
    if (known.account && !is_newer(*account.secret, *known.account->secret)) continue;
    known.account = std::move(account);
  }
  if (!known.active) return std::optional<KnownPerson>(std::move(known));
  add_grants(known);
  DUHUI_CHECK_OK(add_postings(known));
  known.active = !known.subject.grants.empty();
  if (known.active) known.subject.kind = Subject::Kind::person;
  return std::optional<KnownPerson>(std::move(known));
}

void Subjects::add_grants(KnownPerson& known) {
  const User& user = known.user;
  const SourceFacts facts = source_.facts();
  const auto parent = [this](const std::string& id) { return parent_of(source_, id); };
  for (DatedGrant& dated : grants_of(user, facts.root_scope, parent)) {
    if (!dated.holds_on(known.subject.today)) continue;
    if (is_school_role(dated.grant.role)) {
      known.subject.school_id = user.school_id().empty() ? user.scope_org_id() : user.school_id();
      // A device of one school knows its place from its ticket, before any registry has arrived.
      for (const std::string& scope : facts.scopes) {
        if (dated.grant.scope.empty() && scope.ends_with("/" + known.subject.school_id)) {
          dated.grant.scope = scope;
        }
      }
    }
    known.subject.grants.push_back(std::move(dated.grant));
  }
}

Status Subjects::add_postings(KnownPerson& known) {
  const std::string& supervisor = known.user.supervisor_id();
  if (supervisor.empty()) return Done{};
  DUHUI_TRY(ids, source_.linked_to("supervisor_id", supervisor));
  const std::uint32_t type = Schema::instance().find("assignment")->rule.type();
  for (const RecordId& id : ids) {
    DUHUI_TRY(state, source_.state(id));
    if (!state || state->type() != type) continue;
    DUHUI_TRY(row, read_record<record::v1::Assignment>(source_, id));
    if (!row || row->supervisor_id() != supervisor || row->school_id().empty()) continue;
    known.subject.postings.push_back({row->school_id(), row->valid_from(), row->valid_to()});
  }
  return Done{};
}

Result<std::map<std::string, Account>> Subjects::accounts_of(const std::string& user_id) {
  std::map<std::string, Account> found;
  DUHUI_TRY(ids, source_.linked_to("user_id", user_id));
  for (const RecordId& id : ids) {
    DUHUI_TRY(state, source_.state(id));
    auto account = state ? read_account(*state) : std::nullopt;
    // Under a name that is not its own somebody made it who may not.
    if (!account || account->user_id != user_id || credential_id(user_id, account->place) != id) {
      continue;
    }
    any_account_ = true;
    std::string place = account->place;
    found.emplace(std::move(place), std::move(*account));
  }
  return found;
}

Result<bool> Subjects::any_account() {
  if (any_account_) return true;
  const std::uint32_t type = Schema::instance().find("credential")->rule.type();
  DUHUI_TRY(rows, source_.list({.type = type, .limit = 1}));
  any_account_ = !rows.empty();
  return any_account_;
}

}  // namespace duhui::api

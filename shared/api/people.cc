#include "shared/api/people.h"

#include "shared/crypto/registry_id.h"
#include "shared/domain/writers.h"
#include "shared/merge/schema.h"
#include "shared/merge/view.h"

namespace duhui::api {
namespace {

/// What an intent writes on a person; fields it does not write are empty.
record::v1::User written(const Intent& intent) {
  std::string bytes;
  for (const IntendedWrite& write : intent.writes) bytes += write.value.value_or("");
  record::v1::User user;
  return user.ParseFromString(bytes) ? user : record::v1::User();
}

}  // namespace

Status check_names(RecordSource& source, const std::vector<Intent>& intents) {
  const RecordSchema& schema = *Schema::instance().find("user");
  const std::uint32_t type = schema.rule.type();
  std::map<std::string, RecordId> named;  // by the names these intents give
  std::map<RecordId, std::string> logins;
  const auto claim = [&named](const std::string& name, const RecordId& person) {
    return name.empty() || named.emplace(name, person).first->second == person;
  };
  for (const Intent& intent : intents) {
    if (intent.type != type) continue;
    const record::v1::User user = written(intent);
    for (const std::string& name : {user.id(), user.login()}) {
      if (!claim(name, intent.record)) return Error{ErrorCode::conflict, "taken: " + name};
    }
    if (!user.login().empty()) logins[intent.record] = user.login();
  }
  for (const auto& [name, person] : named) {
    const RecordId direct = registry_record_id("user", name);
    DUHUI_TRY(with_id, source.state(direct));
    bool taken = direct != person && with_id && with_id->stage() == RecordState::Stage::born;
    DUHUI_TRY(with_login, source.linked_to("login", name));
    for (const RecordId& other : with_login) {
      // Whose login becomes another one in the same breath has this one no longer.
      if (other == person || logins.contains(other)) continue;
      DUHUI_TRY(state, source.state(other));
      record::v1::User user;
      taken = taken || (state && state->type() == type &&
                        user.ParseFromString(shown_message(schema, *state, {}).bytes) &&
                        user.login() == name);
    }
    if (taken) return Error{ErrorCode::conflict, "taken: " + name};
  }
  return Done{};
}

Result<const record::v1::User*> People::find(const std::string& person) {
  const auto [at, fresh] = found_.try_emplace(person);
  if (fresh) {
    const RecordSchema* schema = Schema::instance().find("user");
    DUHUI_TRY(state, source_.state(registry_record_id("user", person)));
    record::v1::User user;
    if (state && schema != nullptr &&
        user.ParseFromString(shown_message(*schema, *state, {}).bytes)) {
      at->second = std::move(user);
    }
  }
  return at->second ? &*at->second : nullptr;
}

Result<std::uint32_t> People::rank_of(const std::string& person) {
  DUHUI_TRY(user, find(person));
  return user == nullptr ? 0u : static_cast<std::uint32_t>(writer_of(user->role()));
}

std::string People::name_of(const std::string& person) {
  auto user = find(person);
  if (!user || *user == nullptr || (*user)->name().empty()) return person;
  return (*user)->name() + " (" + person + ")";
}

}  // namespace duhui::api

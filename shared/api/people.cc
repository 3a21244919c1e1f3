#include "shared/api/people.h"

#include "shared/crypto/registry_id.h"
#include "shared/domain/writers.h"
#include "shared/merge/schema.h"
#include "shared/merge/view.h"

namespace duhui::api {

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

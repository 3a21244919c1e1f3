#include "shared/api/people.h"

#include "shared/crypto/registry_id.h"
#include "shared/merge/schema.h"
#include "shared/merge/view.h"

namespace duhui::api {

record::v1::Writer writer_of(record::v1::Role role) {
  using namespace record::v1;  // NOLINT(google-build-using-namespace)
  switch (role) {
    case ROLE_RESPONSIBLE_SUPERVISOR:
    case ROLE_COMMISSIONER:
    case ROLE_ZONE_LEADER:
    case ROLE_CHIEF_SUPERVISOR:
    case ROLE_EVALUATION_EXPERT:
      return WRITER_SUPERVISOR;
    case ROLE_DISTRICT_OFFICER:
    case ROLE_REGISTRY_OFFICER:
    case ROLE_LEADER:
      return WRITER_DISTRICT;
    case ROLE_CITY_OFFICER:
      return WRITER_CITY;
    case ROLE_PROVINCE_OFFICER:
      return WRITER_PROVINCE;
    case ROLE_PRINCIPAL:
    case ROLE_SCHOOL_CONTACT:
      return WRITER_SCHOOL;
    case ROLE_SECTION_OFFICER:
      return WRITER_SECTION;
    case ROLE_IT_ADMIN:
    case ROLE_UNSPECIFIED:
      break;
    case Role_INT_MIN_SENTINEL_DO_NOT_USE_:
    case Role_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
  }
  return WRITER_UNSPECIFIED;
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

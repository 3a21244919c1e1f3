#include "shared/domain/writers.h"

#include <algorithm>

#include <google/protobuf/descriptor.h>

namespace duhui {
record::v1::Writer writer_of(record::v1::Role role) {
  using namespace record::v1;  // NOLINT(google-build-using-namespace)
  switch (role) {
    case ROLE_RESPONSIBLE_SUPERVISOR:
    case ROLE_CO_SUPERVISOR:
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
    case ROLE_SECURITY_ADMIN:
    case ROLE_AUDITOR:
    case ROLE_UNSPECIFIED:
    case Role_INT_MIN_SENTINEL_DO_NOT_USE_:
    case Role_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
  }
  return WRITER_UNSPECIFIED;
}

bool may_write(const record::v1::FieldRule& rule, record::v1::Writer role) {
  if (role == record::v1::WRITER_HUB) return true;
  for (const int writer : rule.writers()) {
    if (writer == role) return true;
    // Who stands above an office may do what it may.
    const bool office = writer == record::v1::WRITER_DISTRICT || writer == record::v1::WRITER_CITY;
    if (office && role > writer && role <= record::v1::WRITER_PROVINCE) return true;
  }
  return false;
}

const FieldSchema* naming_field(const RecordSchema& schema) {
  for (const auto& [number, field] : schema.fields) {
    const bool by_people = std::ranges::any_of(
        field.rule.writers(), [](int writer) { return writer != record::v1::WRITER_HUB; });
    if (by_people && field.rule.policy() != record::v1::POLICY_DERIVED &&
        field.field->name() != "ref") {
      return &field;
    }
  }
  return nullptr;
}

bool may_create(const RecordSchema& schema, record::v1::Writer role) {
  const FieldSchema* naming = naming_field(schema);
  return naming != nullptr && may_write(naming->rule, role);
}

}  // namespace duhui

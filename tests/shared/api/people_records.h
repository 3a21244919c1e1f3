#pragma once

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "memory_records.h"
#include "shared/sync/credentials.h"
#include "shared/api/kept_text.h"
#include "shared/api/record_ids.h"
#include "shared/crypto/registry_id.h"
#include "shared/record/record_edit.h"

namespace duhui::api {

/// Cheap enough for a test with many passwords.
inline constexpr PasswordCost kCheap{.passes = 1, .memory_kib = 8};
inline constexpr const char* kPlace = "org-430200/org-430202/zone-430202-1/sch-001";
inline constexpr const char* kOtherPlace = "org-430200/org-430202/zone-430202-1/sch-002";

class MemoryText final : public KeptText {
 public:
  Result<std::string> load() override { return text; }
  Status save(const std::string& wanted) override {
    if (broken) return Error{ErrorCode::storage_failed, "full"};
    text = wanted;
    ++saves;
    return Done{};
  }
  std::string text;
  int saves = 0;
  bool broken = false;
};

/// A district with a school, its people and their passwords.
class PeopleRecords {
 public:
  PeopleRecords() : random(99) {
    records.at_hub = true;
    org("org-430000", "", "province");
    org("org-430200", "org-430000", "city");
    org("org-430202", "org-430200", "district");
    org("off-430202", "org-430202", "supervision_office");
    org("sec-430202-basic", "org-430202", "section");
    org("zone-430202-1", "org-430202", "zone");
    for (const char* school : {"sch-001", "sch-002"}) {
      put("school", {{"id", school},
                     {"name", "样例小学"},
                     {"district_id", "org-430202"},
                     {"zone_id", "zone-430202-1"}});
    }
    user("u-sup-001", "sup.001", "responsible_supervisor", "zone-430202-1", "sup-001");
    user("u-off-1", "off.1", "district_officer", "org-430202");
    user("u-con-001", "con.001", "school_contact", "sch-001", "", "sch-001");
    put("assignment", {{"id", "asg-1"},
                       {"supervisor_id", "sup-001"},
                       {"school_id", "sch-001"},
                       {"role", "responsible_supervisor"},
                       {"valid_from", "2024-09-01"}});
  }

  void org(const std::string& id, const std::string& parent, const std::string& kind) {
    nlohmann::json value = {{"id", id}, {"kind", kind}, {"name", id}};
    if (!parent.empty()) value["parent_id"] = parent;
    put("org", value);
  }
  void user(const std::string& id,
            const std::string& login,
            const std::string& role,
            const std::string& scope,
            const std::string& supervisor = "",
            const std::string& school = "") {
    nlohmann::json value = {{"id", id},     {"login", login},        {"name", "某" + id},
                            {"role", role}, {"scope_org_id", scope}, {"status", "active"}};
    if (!supervisor.empty()) value["supervisor_id"] = supervisor;
    if (!school.empty()) value["school_id"] = school;
    put("user", value);
  }
  /// Makes the registry record, or writes all of its fields again.
  void put(const std::string& type, const nlohmann::json& value) {
    const RecordSchema& schema = *Schema::instance().find(type);
    auto edit = edit_create(schema, value, {});
    ASSERT_TRUE(edit.has_value()) << edit.error().detail;
    Intent intent;
    intent.record = registry_record_id(type, readable_id(schema, value));
    intent.type = schema.rule.type();
    intent.person = "import";
    const auto before = records.state(intent.record);
    ASSERT_TRUE(before.has_value());
    intent.creates = !before->has_value();
    if (intent.creates) intent.scope = "org-430200";
    for (RegisterEdit& write : edit->writes) {
      intent.writes.push_back({std::move(write.key), std::move(write.value)});
    }
    save(std::move(intent));
  }
  void save(Intent intent) {
    if (intent.person.empty()) intent.person = "hub";
    const auto saved = records.save({std::move(intent)});
    ASSERT_TRUE(saved.has_value()) << saved.error().detail;
  }

  record::v1::CredentialSecret secret(const std::string& user_id,
                                      const std::string& password,
                                      std::uint64_t serial = 1,
                                      bool must_change = false) {
    return *make_secret(seed_of(user_id),
                        {.user_id = user_id,
                         .serial = serial,
                         .at = WallTime{1000},
                         .must_change = must_change,
                         .cost = kCheap},
                        password, random);
  }
  static Seed seed_of(const std::string& user_id) {
    Seed seed{};
    std::copy_n(user_id.begin(), std::min<std::size_t>(user_id.size(), 32), seed.begin());
    return seed;
  }
  static PublicKey key_of(const std::string& user_id) {
    return SigningKey::from_seed(seed_of(user_id)).public_key();
  }
  void give_password(const std::string& user_id,
                     const std::string& password,
                     const std::string& place = kPlace) {
    save(create_credential(
        user_id, place,
        {.key = key_of(user_id), .disabled = false, .secret = secret(user_id, password)}));
  }
  Account account(const std::string& user_id, const std::string& place = kPlace) {
    const auto state = records.state(credential_id(user_id, place));
    EXPECT_TRUE(state && *state);
    return read_account(**state).value();
  }

  MemoryRecords records;
  SeededRandom random;
};

}  // namespace duhui::api

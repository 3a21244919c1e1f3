#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "hub/api/hub_access.h"
#include "hub/api/hub_records.h"
#include "hub/api/places.h"
#include "shared/api/sign_in_desk.h"
#include "shared/base/result.h"

namespace duhui::hub {

/// A password that the office gives out.
struct GivenPassword {
  std::string user_id{};
  std::string password{};
  bool must_change = true;
  std::uint64_t serial = 1;
  WallTime at{};

  // What make() made.
  PublicKey key{};
  std::optional<record::v1::CredentialSecret> secret{};
  std::optional<Error> error{};

  /// A key of its own under the password, which is forgotten. Touches nothing but this: any thread.
  void make();
};

/// Accounts: who has a password, where it opens, who is locked out. A password given here takes
/// effect everywhere at once: a new key, so that nothing an older one could open is worth anything.
class AccountDesk {
 public:
  /// All outlive this.
  AccountDesk(HubAccess& hub, HubRecords& records, api::SignInDesk& desk)
      : hub_(hub), records_(records), desk_(desk) {}

  Result<nlohmann::json> list();
  Result<nlohmann::json> show(const std::string& name);

  /// {"login","name","role","org"|"school","id"}: the new person's id. `conflict`: taken.
  Result<std::string> create(const nlohmann::json& body, const Subject& by);
  /// Whether `body` could be created and the password be given; changes nothing.
  Status check_new(const nlohmann::json& body, const std::string& password);

  /// Checks a password for a person named by id or login.
  Result<GivenPassword> prepare(const std::string& name, std::string password, bool must_change);
  /// Puts made ones into effect, all together.
  Status give(const std::vector<GivenPassword>& made, const Subject& by);

  Status set_disabled(const std::string& name, bool disabled, const Subject& by);
  /// {"school"} or {"place"}: a device outside the person's own schools, for as long as nobody
  /// takes it back.
  Status add_place(const std::string& name, const nlohmann::json& body, const Subject& by);
  /// `not_found`: it was not added by hand.
  Status remove_place(const std::string& name, const nlohmann::json& body, const Subject& by);
  /// After people, postings or schools changed: everybody's credentials are where they sign in.
  /// Returns how many records that took.
  Result<std::size_t> refresh();

 private:
  Result<std::string> id_of(const std::string& name);
  Result<const api::KnownPerson*> person(const std::string& user_id);
  Result<std::set<std::string>> places_of(Places& places, const std::string& user_id);
  Result<std::set<std::string>> places_by_hand(const std::string& user_id);
  Status save_by_hand(Places& places,
                      const std::string& user_id,
                      const std::set<std::string>& by_hand,
                      const char* action,
                      const Subject& by);
  Status add_changes(Places& places, const std::string& user_id, std::vector<Intent>& intents);
  Status add_changes(const api::KnownPerson& known,
                     std::set<std::string> wanted,
                     std::vector<Intent>& intents);
  Result<std::set<std::string>> everybody();
  Result<nlohmann::json> account_json(const std::string& user_id);
  Status save(std::vector<Intent> intents, const Subject& by);
  Status note(const Subject& by, const char* action, const std::string& user_id);

  HubAccess& hub_;
  HubRecords& records_;
  api::SignInDesk& desk_;
};

}  // namespace duhui::hub

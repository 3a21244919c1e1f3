#include "hub/core/vault_keepers.h"

#include <algorithm>
#include <set>

#include "duhui/record/v1/account.pb.h"
#include "duhui/record/v1/org.pb.h"
#include "shared/crypto/registry_id.h"
#include "shared/crypto/sealing.h"
#include "shared/crypto/vault_key.h"
#include "shared/domain/authority.h"
#include "shared/merge/view.h"

namespace duhui::hub {
namespace {

constexpr std::uint32_t kAccountsMax = 1000;  // of one place

/// Whether the person supervises or sits in an office.
Result<bool> is_of_office(HubTransaction& tx, OpReader& ops, const std::string& user_id) {
  const RecordSchema& schema = *Schema::instance().find("user");
  DUHUI_TRY(row, tx.records().get(registry_record_id("user", user_id)));
  if (!row || !row->born || row->deleted || row->type != schema.rule.type()) return false;
  DUHUI_TRY(state, ops.load(tx, *row));
  record::v1::User user;
  if (!user.ParseFromString(shown_message(schema, state, {}).bytes)) return false;
  const auto of_office = [](record::v1::Role role) {
    return role != record::v1::ROLE_UNSPECIFIED && !is_school_role(role);
  };
  return of_office(user.role()) ||
         std::ranges::any_of(user.grants(), [&](const auto& one) { return of_office(one.role()); });
}

/// The device's scopes with all below them, and each that stands above one by itself: who has an
/// account for the district signs in at each of its schools.
std::vector<RecordTable::Query> places_of(const std::vector<std::string>& scopes,
                                          std::uint32_t type) {
  std::vector<RecordTable::Query> places;
  std::set<std::string> above;
  for (const std::string& scope : scopes) {
    places.push_back({.type = type, .scope_prefix = scope, .limit = kAccountsMax});
    for (auto slash = scope.rfind('/'); slash != std::string::npos && slash != 0;
         slash = scope.rfind('/', slash - 1)) {
      above.insert(scope.substr(0, slash));
    }
  }
  for (const std::string& scope : above) {
    places.push_back({.type = type, .scope_prefix = scope, .below = false, .limit = kAccountsMax});
  }
  return places;
}

}  // namespace

Result<sync::v1::Vault> vault_of(HubTransaction& tx,
                                 OpReader& ops,
                                 const SigningKey& hub_key,
                                 const DeviceRow& device) {
  const RecordSchema& schema = *Schema::instance().find("credential");
  sync::v1::Vault vault;
  std::set<std::pair<std::string, std::string>> known;
  const VaultKey key = VaultKey::of_device(hub_key, device.id);
  for (const RecordTable::Query& query : places_of(device.scopes, schema.rule.type())) {
    DUHUI_TRY(rows, tx.records().find(query));
    for (const RecordRow& row : rows) {
      if (row.deleted) continue;
      DUHUI_TRY(state, ops.load(tx, row));
      record::v1::Credential account;
      if (!account.ParseFromString(shown_message(schema, state, {}).bytes) ||
          account.place() != row.scope ||
          known.contains({account.user_id(), account.public_key()})) {
        continue;
      }
      const auto person = PublicKey::from_bytes(account.public_key());
      DUHUI_TRY(keeps, is_of_office(tx, ops, account.user_id()));
      if (!person || !keeps) continue;
      auto sealed = seal(*person, key.view());
      if (!sealed) continue;  // an account without a usable key opens nothing
      known.emplace(account.user_id(), account.public_key());
      sync::v1::Vault::Keeper* keeper = vault.add_keepers();
      keeper->set_user_id(account.user_id());
      keeper->set_public_key(account.public_key());
      // Who may not sign in gets no key; yet their place does not become one where nothing is
      // locked.
      if (!account.disabled()) keeper->set_sealed_key(std::move(*sealed));
    }
  }
  return vault;
}

bool same_keepers(const sync::v1::Vault& a, const sync::v1::Vault& b) {
  return std::ranges::equal(a.keepers(), b.keepers(), [](const auto& x, const auto& y) {
    return x.user_id() == y.user_id() && x.public_key() == y.public_key() &&
           x.sealed_key().empty() == y.sealed_key().empty();
  });
}

}  // namespace duhui::hub

#include "shared/sync/credentials.h"

#include <algorithm>
#include <utility>

#include "shared/base/bytes.h"
#include "shared/crypto/registry_id.h"
#include "shared/merge/schema.h"
#include "shared/merge/view.h"

namespace duhui {
namespace {

using record::v1::Credential;
using record::v1::CredentialSecret;

constexpr std::string_view kPurpose = "duhui credential v1\n";

void append_part(std::string& out, std::string_view part) {
  append_varint(out, part.size());
  out += part;
}

/// What the person signs: every field with its length, so that none can move into another.
std::string signed_bytes(const CredentialSecret& secret) {
  std::string out(kPurpose);
  append_part(out, secret.user_id());
  append_varint(out, secret.serial());
  append_varint(out, secret.passes());
  append_varint(out, secret.memory_kib());
  append_part(out, secret.salt());
  append_part(out, secret.sealed_seed());
  append_varint(out, static_cast<std::uint64_t>(secret.changed_at_ms()));
  append_varint(out, secret.must_change() ? 1 : 0);
  return out;
}

const RecordSchema& schema() {
  static const RecordSchema& found = *Schema::instance().find("credential");
  return found;
}

/// The secret in a write, if the person signed it.
void collect(const RegisterWrite& write,
             const Account& account,
             std::vector<CredentialSecret>& out) {
  Credential part;
  CredentialSecret secret;
  if (!write.value || !part.ParseFromString(*write.value) || !part.has_secret() ||
      !secret.ParseFromString(part.secret()) || !holds(secret, account.user_id, account.key)) {
    return;
  }
  out.push_back(std::move(secret));
}

/// The newest, counted up from the oldest without a leap. Depends on the set alone, so that every
/// replica that has them all finds the same one.
std::optional<CredentialSecret> newest(std::vector<CredentialSecret> secrets) {
  if (secrets.empty()) return std::nullopt;
  std::ranges::sort(secrets, [](const auto& a, const auto& b) { return is_newer(b, a); });
  std::size_t at = 0;
  while (at + 1 < secrets.size() &&
         secrets[at + 1].serial() - secrets[at].serial() <= kSerialStepMax) {
    ++at;
  }
  return std::move(secrets[at]);
}

IntendedWrite write_of(int field, const Credential& part) {
  return {{static_cast<std::uint32_t>(field), {}}, part.SerializeAsString()};
}

void add_change(const CredentialChange& change, Intent& intent) {
  if (change.key) {
    Credential part;
    part.set_public_key(change.key->str());
    intent.writes.push_back(write_of(Credential::kPublicKeyFieldNumber, part));
  }
  if (change.disabled) {
    Credential part;
    part.set_disabled(*change.disabled);
    intent.writes.push_back(write_of(Credential::kDisabledFieldNumber, part));
  }
  if (change.secret) {
    Credential part;
    part.set_secret(change.secret->SerializeAsString());
    intent.writes.push_back(write_of(Credential::kSecretFieldNumber, part));
  }
}

Intent intent_on(const std::string& user_id, const std::string& place) {
  Intent intent;
  intent.record = credential_id(user_id, place);
  intent.type = schema().rule.type();
  return intent;
}

}  // namespace

std::string credential_name(std::string_view user_id, std::string_view place) {
  return std::string(user_id) + "@" + std::string(place);
}

RecordId credential_id(std::string_view user_id, std::string_view place) {
  return registry_record_id("credential", credential_name(user_id, place));
}

std::optional<Account> read_account(const RecordState& state) {
  if (state.type() != schema().rule.type() || state.stage() != RecordState::Stage::born) {
    return std::nullopt;
  }
  // Of the fields that are the hub's alone, only what the hub wrote is shown.
  const ShownMessage shown = shown_message(schema(), state, {});
  Credential credential;
  if (shown.deleted || !credential.ParseFromString(shown.bytes) || credential.user_id().empty()) {
    return std::nullopt;
  }
  Account account{.user_id = credential.user_id(),
                  .place = credential.place(),
                  .key = {},
                  .disabled = credential.disabled(),
                  .secret = {}};
  const auto key = PublicKey::from_bytes(credential.public_key());
  if (!key) return account;
  account.key = *key;
  std::vector<CredentialSecret> signed_ones;
  if (const Register* secrets = state.find({kSecretField, {}})) {
    for (const RegisterWrite& write : secrets->live) collect(write, account, signed_ones);
    for (const RegisterWrite& write : secrets->history) collect(write, account, signed_ones);
  }
  // The signature says who wrote it; it needs no other authority.
  for (const auto& [field, write] : state.proposals()) {
    if (field == RegisterKey{kSecretField, {}}) collect(write, account, signed_ones);
  }
  account.secret = newest(std::move(signed_ones));
  return account;
}

bool is_newer(const CredentialSecret& a, const CredentialSecret& b) {
  if (a.serial() != b.serial()) return a.serial() > b.serial();
  // Changed on two devices at once: everywhere the same one counts.
  if (a.changed_at_ms() != b.changed_at_ms()) return a.changed_at_ms() > b.changed_at_ms();
  return a.signature() > b.signature();
}

bool holds(const CredentialSecret& secret, std::string_view user_id, const PublicKey& key) {
  return secret.user_id() == user_id && verify(key, signed_bytes(secret), secret.signature());
}

Result<CredentialSecret> make_secret(const Seed& seed,
                                     const NewSecret& wanted,
                                     std::string_view password,
                                     Random& random) {
  DUHUI_TRY(locked, lock_seed(seed, password, wanted.cost, random));
  CredentialSecret secret;
  secret.set_user_id(wanted.user_id);
  secret.set_serial(wanted.serial);
  secret.set_passes(locked.cost.passes);
  secret.set_memory_kib(locked.cost.memory_kib);
  secret.set_salt(locked.salt);
  secret.set_sealed_seed(locked.sealed);
  secret.set_changed_at_ms(wanted.at.ms);
  secret.set_must_change(wanted.must_change);
  secret.set_signature(SigningKey::from_seed(seed).sign(signed_bytes(secret)));
  return secret;
}

LockedSeed locked_seed(const CredentialSecret& secret) {
  return {.cost = {.passes = secret.passes(), .memory_kib = secret.memory_kib()},
          .salt = secret.salt(),
          .sealed = secret.sealed_seed()};
}

Seed mint_seed(Random& random) {
  Seed seed{};
  random.fill(seed.data(), seed.size());
  return seed;
}

Intent create_credential(const std::string& user_id,
                         const std::string& place,
                         const CredentialChange& content) {
  Intent intent = intent_on(user_id, place);
  intent.creates = true;
  intent.scope = place;
  Credential part;
  part.set_user_id(user_id);
  intent.writes.push_back(write_of(Credential::kUserIdFieldNumber, part));
  part.Clear();
  part.set_place(place);
  intent.writes.push_back(write_of(Credential::kPlaceFieldNumber, part));
  add_change(content, intent);
  return intent;
}

Intent change_credential(const std::string& user_id,
                         const std::string& place,
                         const CredentialChange& change) {
  Intent intent = intent_on(user_id, place);
  add_change(change, intent);
  return intent;
}

}  // namespace duhui

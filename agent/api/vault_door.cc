#include "agent/api/vault_door.h"

#include <algorithm>
#include <utility>

namespace duhui::agent {

VaultDoor::VaultDoor(Replica& replica,
                     AgentRecords& records,
                     const api::SignInDesk& desk,
                     std::function<void()> turned)
    : replica_(replica), records_(records), desk_(desk), turned_(std::move(turned)) {}

bool VaultDoor::is_keeper(const SigningKey& key) const {
  return std::ranges::any_of(replica_.vault_keepers().keepers(), [&key](const auto& keeper) {
    return !keeper.sealed_key().empty() && keeper.public_key() == key.public_key().view();
  });
}

void VaultDoor::try_open(const SigningKey& key) {
  if (replica_.vault_state() != Vault::State::locked || !is_keeper(key)) return;
  // Should it fail, the person sees what the school sees, and status says that the vault is locked.
  static_cast<void>(replica_.unlock_vault(key).has_value());
  if (replica_.vault_state() != Vault::State::open) return;
  records_.forget_index();
  if (turned_) turned_();
}

void VaultDoor::came(const std::string& person, const SigningKey& key) {
  here_.insert_or_assign(person, key);
  try_open(key);
}

void VaultDoor::keepers_changed() {
  for (const auto& [person, key] : here_) try_open(key);
  look();
}

void VaultDoor::look() {
  std::erase_if(here_, [this](const auto& one) { return !desk_.is_in(one.first); });
  if (replica_.vault_state() != Vault::State::open) return;
  const bool kept =
      std::ranges::any_of(here_, [this](const auto& one) { return is_keeper(one.second); });
  if (kept) return;
  replica_.lock_vault();
  records_.forget_index();
  if (turned_) turned_();
}

}  // namespace duhui::agent

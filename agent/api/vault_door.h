#pragma once

#include <functional>
#include <map>
#include <string>

#include "agent/api/agent_records.h"
#include "agent/core/replica.h"
#include "shared/api/sign_in_desk.h"
#include "shared/crypto/signing.h"

namespace duhui::agent {

/// Opens the replica's vault when somebody signs in to whom the hub gave its key, and locks it when
/// the last of them has signed out, was locked out for idleness, or is no longer let in. Used on
/// the thread that drives the replica.
class VaultDoor {
 public:
  /// All outlive this. `turned`: told after each opening and each locking.
  VaultDoor(Replica& replica,
            AgentRecords& records,
            const api::SignInDesk& desk,
            std::function<void()> turned = {});

  /// A person has shown to know their password.
  void came(const std::string& person, const SigningKey& key);
  /// Other people may open it now.
  void keepers_changed();
  /// Looks who is still here. To be called after each request, and now and then.
  void look();

 private:
  bool is_keeper(const SigningKey& key) const;
  void try_open(const SigningKey& key);

  Replica& replica_;
  AgentRecords& records_;
  const api::SignInDesk& desk_;
  const std::function<void()> turned_;
  std::map<std::string, SigningKey> here_;
};

}  // namespace duhui::agent

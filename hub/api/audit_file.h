#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "hub/ports/store.h"
#include "shared/base/ids.h"
#include "shared/base/result.h"
#include "shared/crypto/signing.h"

namespace duhui::hub {

/// {"seq","at","at_ms","actor","device","action","target_type","target_id","outcome","detail",
/// "chain"}.
nlohmann::json audit_json(const AuditRow& row);
/// {"seq","chain","at_ms","signature"}.
nlohmann::json checkpoint_json(const AuditCheckpoint& checkpoint);

/// The audit log as a file that proves itself: JSON Lines. The first line names the hub and its
/// key, then the entries in order, then the hub's signature of the last.
///
///   {"format":"duhui-audit-1","hub":"0199...","hub_key":"9f..."}
///   {"action":"service.start", ... ,"seq":1}
///   {"checkpoint":{"at_ms":..,"chain":"..","seq":1,"signature":".."}}
std::string audit_file_head(const HubId& hub, const PublicKey& key);
std::string audit_file_entry(const nlohmann::json& entry);
std::string audit_file_end(const nlohmann::json& checkpoint);

/// A key as people compare it: the first 16 bytes of its SHA-256, in groups of four digits.
std::string key_fingerprint(const PublicKey& key);

/// Checks such a file line by line, without the hub and without a network. A line must be exactly
/// what an export writes, so that no byte of it can change unnoticed.
class AuditFileCheck {
 public:
  /// `expected`: the key the reader trusts; without it, the one in the file is told to them.
  explicit AuditFileCheck(std::optional<PublicKey> expected) : expected_(expected) {}

  /// `line` without its newline. The first error ends the check.
  Status line(std::string_view line);
  /// After the last line.
  Status finish();

  std::uint64_t entries() const { return seq_; }
  const std::string& chain() const { return chain_; }
  const std::optional<PublicKey>& key() const { return key_; }

 private:
  Status head(const nlohmann::json& json, std::string_view line);
  Status entry(const nlohmann::json& json, std::string_view line);
  Status end(const nlohmann::json& json, std::string_view line);

  const std::optional<PublicKey> expected_;
  std::optional<PublicKey> key_;
  HubId hub_;
  std::uint64_t seq_ = 0;
  std::string chain_;
  bool ended_ = false;
};

}  // namespace duhui::hub

#include "hub/api/audit_file.h"

#include <utility>

#include "hub/core/audit.h"
#include "shared/api/time_text.h"
#include "shared/base/bytes.h"
#include "shared/crypto/audit_chain.h"
#include "shared/crypto/digest.h"
#include "shared/record/json_text.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kFormat = "duhui-audit-1";

Error damaged(std::string what) { return {ErrorCode::corrupt_data, std::move(what)}; }

std::string text_of(const Json& json, const char* name) {
  const auto at = json.find(name);
  return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::uint64_t number_of(const Json& json, const char* name) {
  const auto at = json.find(name);
  return at != json.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : 0;
}

WallTime time_of(const Json& json) {
  const auto at = json.find("at_ms");
  return WallTime{at != json.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0};
}

AuditEntry entry_of(const Json& json) {
  return {.at = time_of(json),
          .actor = text_of(json, "actor"),
          .device = text_of(json, "device"),
          .action = text_of(json, "action"),
          .target_type = text_of(json, "target_type"),
          .target_id = text_of(json, "target_id"),
          .outcome = text_of(json, "outcome"),
          .detail = text_of(json, "detail")};
}

}  // namespace

Json audit_json(const AuditRow& row) {
  return {{"seq", row.seq},
          {"at", api::time_text(row.entry.at)},
          {"at_ms", row.entry.at.ms},
          {"actor", row.entry.actor},
          {"device", row.entry.device},
          {"action", row.entry.action},
          {"target_type", row.entry.target_type},
          {"target_id", row.entry.target_id},
          {"outcome", row.entry.outcome},
          {"detail", row.entry.detail},
          {"chain", to_hex(row.chain)}};
}

Json checkpoint_json(const AuditCheckpoint& checkpoint) {
  return {{"seq", checkpoint.seq},
          {"chain", to_hex(checkpoint.chain)},
          {"at_ms", checkpoint.at.ms},
          {"signature", to_hex(checkpoint.signature)}};
}

std::string audit_file_head(const HubId& hub, const PublicKey& key) {
  return json_text(
      {{"format", kFormat}, {"hub", to_uuid_text(hub.view())}, {"hub_key", to_hex(key.view())}});
}

std::string audit_file_entry(const Json& entry) { return json_text(entry); }

std::string audit_file_end(const Json& checkpoint) {
  return json_text({{"checkpoint", checkpoint}});
}

std::string key_fingerprint(const PublicKey& key) {
  const std::string hex = to_hex(sha256(key.view()).view().substr(0, 16));
  std::string text;
  for (std::size_t at = 0; at < hex.size(); at += 4) {
    text += (at == 0 ? "" : " ") + hex.substr(at, 4);
  }
  return text;
}

Status AuditFileCheck::line(std::string_view line) {
  const std::string place = "line " + std::to_string(seq_ + (key_ ? 2 : 1)) + ": ";
  if (ended_) return damaged(place + "something follows the signature");
  auto json = parse_json(line);
  if (!json || !json->is_object()) return damaged(place + "not a line of an audit log");
  Status checked = !key_                          ? head(*json, line)
                   : json->contains("checkpoint") ? end(*json, line)
                                                  : entry(*json, line);
  if (!checked) return damaged(place + checked.error().detail);
  return checked;
}

Status AuditFileCheck::head(const Json& json, std::string_view line) {
  if (text_of(json, "format") != kFormat) return damaged("not an audit log of this format");
  const auto hub = from_uuid_text(text_of(json, "hub"));
  const auto key = PublicKey::from_bytes(from_hex(text_of(json, "hub_key")).value_or(""));
  const auto id = hub ? HubId::from_bytes(*hub) : std::nullopt;
  if (!id || !key) return damaged("the hub's id or key cannot be read");
  if (expected_ && *key != *expected_) return damaged("another hub's key than the one given");
  if (audit_file_head(*id, *key) != line) return damaged("changed");
  hub_ = *id;
  key_ = key;
  chain_ = empty_audit_chain();
  return Done{};
}

Status AuditFileCheck::entry(const Json& json, std::string_view line) {
  AuditRow row{.seq = number_of(json, "seq"), .entry = entry_of(json), .chain = {}};
  if (row.seq != seq_ + 1) {
    return damaged("entry " + std::to_string(seq_ + 1) + " is not where it belongs");
  }
  row.chain = extend_audit_chain(chain_, row.seq, row.entry);
  if (json_text(audit_json(row)) != line) {
    return damaged("entry " + std::to_string(row.seq) + " was changed, or one before it");
  }
  seq_ = row.seq;
  chain_ = row.chain;
  return Done{};
}

Status AuditFileCheck::end(const Json& json, std::string_view line) {
  const Json& told = json["checkpoint"];
  const AuditCheckpoint checkpoint{.seq = number_of(told, "seq"),
                                   .chain = from_hex(text_of(told, "chain")).value_or(""),
                                   .at = time_of(told),
                                   .signature = from_hex(text_of(told, "signature")).value_or("")};
  if (checkpoint.seq != seq_ || checkpoint.chain != chain_) {
    return damaged("the signature is of entry " + std::to_string(checkpoint.seq) +
                   ", the entries end with " + std::to_string(seq_));
  }
  if (!holds(checkpoint, hub_, *key_) || audit_file_end(checkpoint_json(checkpoint)) != line) {
    return damaged("the hub's signature does not hold");
  }
  ended_ = true;
  return Done{};
}

Status AuditFileCheck::finish() {
  if (!key_) return damaged("empty");
  if (!ended_) {
    return damaged("cut off behind entry " + std::to_string(seq_) + ": no signature of the hub");
  }
  return Done{};
}

}  // namespace duhui::hub

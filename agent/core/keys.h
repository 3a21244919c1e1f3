#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shared/base/bytes.h"
#include "shared/base/ids.h"
#include "shared/crypto/digest.h"

/// The key grammar of the agent's database (docs/storage.md). One letter and a slash, then
/// fixed-width binary parts, so that byte order is the order of scans.
namespace duhui::agent::keys {

/// The device's place in the world: store.v1.AgentState.
inline std::string state() { return "a/state"; }

/// own log: "o/" origin(16) seq(8, big-endian) -> store.v1.OwnOp
inline std::string own_op(const Origin& origin, std::uint64_t seq) {
  std::string key = "o/";
  key.append(origin.view());
  append_big_endian_64(key, seq);
  return key;
}
inline std::string own_log(const Origin& origin) { return "o/" + origin.str(); }

/// view: "r/" record id(16) -> store.v1.StoredRecord
inline constexpr std::string_view kRecords = "r/";
inline std::string record(const RecordId& id) { return "r/" + id.str(); }

/// index: "x/" type(4, big-endian) record id(16) -> empty
inline std::string type_index(std::uint32_t type) {
  std::string key = "x/";
  append_big_endian_32(key, type);
  return key;
}
inline std::string type_entry(std::uint32_t type, const RecordId& id) {
  return type_index(type) + id.str();
}

/// cursors: "c/" scope -> store.v1.ScopeState
inline constexpr std::string_view kScopes = "c/";
inline std::string scope(std::string_view name) { return "c/" + std::string(name); }

/// store.v1 has no message of its own for it: sync.v1.Vault as the hub said it.
inline std::string vault() { return "a/vault"; }

/// Present once everything from before there was a vault has been looked through.
inline std::string put_away() { return "a/put_away"; }

/// half open: "w/" record id(16) -> empty. The school may read the record now, but some of its ops
/// are here locked as a whole: to be asked for again.
inline constexpr std::string_view kHalfOpen = "w/";
inline std::string half_open(const RecordId& id) { return "w/" + id.str(); }

/// files to be sent: "u/" sha256(32) record id(16) -> store.v1.NamedBlob
inline constexpr std::string_view kBlobsToSend = "u/";
inline std::string blob_to_send(const Digest& sha256, const RecordId& record) {
  return "u/" + sha256.str() + record.str();
}
/// files that the hub has, or will not take: "b/" sha256(32) record id(16) -> store.v1.NamedBlob
inline constexpr std::string_view kBlobsDone = "b/";
inline std::string blob_done(const Digest& sha256, const RecordId& record) {
  return "b/" + sha256.str() + record.str();
}

/// what of a file to be sent the hub has: "m/" sha256(32) record id(16) -> store.v1.BlobPart
inline constexpr std::string_view kBlobsAtHub = "m/";
inline std::string blob_at_hub(const Digest& sha256, const RecordId& record) {
  return "m/" + sha256.str() + record.str();
}

/// index of files that lie here locked: "l/" sha256(32) -> empty
inline constexpr std::string_view kLockedFiles = "l/";
inline std::string locked_file(const Digest& sha256) { return "l/" + sha256.str(); }

/// locked own ops whose files are not known: "n/" origin(16) seq(8, big-endian) -> record id(16)
inline constexpr std::string_view kUnnamed = "n/";
inline std::string unnamed(const Dot& dot) {
  std::string key = "n/";
  key.append(dot.origin.view());
  append_big_endian_64(key, dot.seq);
  return key;
}

/// own ops that the hub did not merge: "h/" origin(16) seq(8, big-endian) -> store.v1.HeldOp
inline constexpr std::string_view kHeld = "h/";
inline std::string held_stream(const Origin& origin) { return "h/" + origin.str(); }
inline std::string held(const Dot& dot) {
  std::string key = held_stream(dot.origin);
  append_big_endian_64(key, dot.seq);
  return key;
}

/// What was sent and received: store.v1.Traffic.
inline std::string traffic() { return "a/traffic"; }

/// whole files that no record names: "s/" sha256(32) -> store.v1.UnnamedFile
inline constexpr std::string_view kUnnamedFiles = "s/";
inline std::string unnamed_file(const Digest& sha256) { return "s/" + sha256.str(); }

/// quarantine: "q/" origin(16) seq(8) -> store.v1.QuarantinedOp
inline constexpr std::string_view kQuarantine = "q/";
inline std::string quarantined(const Dot& dot) {
  std::string key = "q/";
  key.append(dot.origin.view());
  append_big_endian_64(key, dot.seq);
  return key;
}

}  // namespace duhui::agent::keys

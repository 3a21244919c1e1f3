#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "hub/ports/store.h"
#include "shared/base/result.h"

namespace duhui::hub {

/// What one row may hold, the same in every HubStore; more is `limit_exceeded`.
inline constexpr std::size_t kStoreTextMax = 4 * 1024;  // scope, school, state, key, name
inline constexpr std::size_t kStorePayloadMax = 16 * 1024 * 1024;  // batch payload, op, setting
inline constexpr std::size_t kStoreRecordOpsMax = 1'000'000;
inline constexpr std::uint32_t kStoreRowsMax = 10'000;  // rows one query returns; more is cut
/// Sequence numbers and feed positions: databases count in signed 64 bits.
inline constexpr std::uint64_t kStoreNumberMax = std::numeric_limits<std::int64_t>::max();

inline Status check_size(std::string_view what, std::size_t size, std::size_t max) {
  if (size <= max) return Done{};
  return Error{ErrorCode::limit_exceeded,
               std::string(what) + ": " + std::to_string(size) + " is over " + std::to_string(max)};
}

inline Status check_text(std::string_view what, std::string_view text) {
  return check_size(what, text.size(), kStoreTextMax);
}

/// `first .. first + count - 1` must be numbers from 1, and not too large.
inline Status check_range(std::string_view what, std::uint64_t first, std::uint64_t count) {
  if (first == 0 || count == 0)
    return Error{ErrorCode::invalid_input, std::string(what) + ": empty or from zero"};
  if (first > kStoreNumberMax || count > kStoreNumberMax - first)
    return Error{ErrorCode::limit_exceeded, std::string(what) + ": beyond 63 bits"};
  return Done{};
}

inline Status check_stream(const StreamRow& row) {
  if (row.head > kStoreNumberMax || row.backed_up > kStoreNumberMax)
    return Error{ErrorCode::limit_exceeded, "stream: beyond 63 bits"};
  return check_text("stream chain", row.chain);
}

inline Status check_batch(const BatchRow& row) {
  DUHUI_CHECK_OK(check_range("batch", row.first_seq, row.count));
  DUHUI_CHECK_OK(check_size("batch payload", row.payload.size(), kStorePayloadMax));
  DUHUI_CHECK_OK(check_size("batch stamps", row.stamps.size(), kStorePayloadMax));
  DUHUI_CHECK_OK(check_text("batch chain", row.chain));
  return check_text("batch signature", row.signature);
}

inline Status check_record(const RecordRow& row) {
  if (row.id.is_zero()) return Error{ErrorCode::invalid_input, "record: the zero id"};
  DUHUI_CHECK_OK(check_text("scope", row.scope));
  DUHUI_CHECK_OK(check_text("school", row.school_id));
  DUHUI_CHECK_OK(check_text("date", row.date));
  DUHUI_CHECK_OK(check_text("state", row.state));
  return check_size("ops of a record", row.ops.size(), kStoreRecordOpsMax);
}

inline Status check_feed(const FeedRow& row) {
  DUHUI_CHECK_OK(check_text("scope", row.scope));
  DUHUI_CHECK_OK(check_range("feed positions", row.first, row.count));
  return check_range("feed ops", row.first_seq, row.count);
}

inline Status check_device(const DeviceRow& row) {
  for (const std::string* text : {&row.public_key, &row.name, &row.flags, &row.software})
    DUHUI_CHECK_OK(check_text("device", *text));
  std::size_t scopes = 0;
  for (const std::string& scope : row.scopes) scopes += scope.size() + 10;
  return check_size("device scopes", scopes, kStorePayloadMax);
}

inline Status check_conflict(const RecordId& record, const ConflictRow& row) {
  if (row.record != record) return Error{ErrorCode::invalid_input, "conflict: of another record"};
  DUHUI_CHECK_OK(check_text("conflict key", row.key));
  return check_text("scope", row.scope);
}

inline Status check_quarantine(const QuarantineRow& row) {
  if (row.dot.seq > kStoreNumberMax)
    return Error{ErrorCode::limit_exceeded, "quarantine: beyond 63 bits"};
  DUHUI_CHECK_OK(check_text("quarantine kind", row.kind));
  DUHUI_CHECK_OK(check_text("quarantine detail", row.detail));
  return check_size("quarantined op", row.op.size(), kStorePayloadMax);
}

inline Status check_audit(const AuditRow& row) {
  if (row.seq == 0 || row.seq > kStoreNumberMax || row.chain.size() != 32)
    return Error{ErrorCode::invalid_input, "audit: a malformed row"};
  for (const std::string* text :
       {&row.entry.actor, &row.entry.device, &row.entry.action, &row.entry.target_type,
        &row.entry.target_id, &row.entry.outcome, &row.entry.detail}) {
    DUHUI_CHECK_OK(check_text("audit", *text));
  }
  return Done{};
}

inline Error audit_conflict(std::uint64_t seq) {
  return {ErrorCode::conflict, "audit: " + std::to_string(seq) + " is not the head's place"};
}

/// True for `prefix` itself and everything below it in the organisation tree.
inline bool in_scope(std::string_view scope, std::string_view prefix) {
  if (prefix.empty()) return true;
  if (!scope.starts_with(prefix)) return false;
  return scope.size() == prefix.size() || scope[prefix.size()] == '/';
}

}  // namespace duhui::hub

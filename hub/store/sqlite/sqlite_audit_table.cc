#include "hub/store/sqlite/sqlite_audit_table.h"

#include <algorithm>
#include <utility>

#include "hub/ports/store_limits.h"

namespace duhui::hub {

Result<AuditHead> SqliteAuditTable::head() {
  DUHUI_TRY(statement,
            database_.connection.prepare("SELECT seq,chain FROM audit ORDER BY seq DESC LIMIT 1"));
  DUHUI_TRY(found, statement.step());
  if (!found) return AuditHead{};
  return AuditHead{statement.unsigned_at(0), statement.text_at(1)};
}

Status SqliteAuditTable::append(const AuditRow& row) {
  DUHUI_CHECK_OK(check_writable(database_));
  DUHUI_CHECK_OK(check_audit(row));
  DUHUI_TRY(before, head());
  if (row.seq != before.seq + 1) return audit_conflict(row.seq);
  DUHUI_TRY(statement,
            database_.connection.prepare(
                "INSERT INTO audit(seq,at,actor,device,action,target_type,target_id,outcome,"
                "detail,chain) VALUES(?,?,?,?,?,?,?,?,?,?)"));
  return statement.unsigned_number(row.seq)
      .number(row.entry.at.ms)
      .bytes(row.entry.actor)
      .bytes(row.entry.device)
      .bytes(row.entry.action)
      .bytes(row.entry.target_type)
      .bytes(row.entry.target_id)
      .bytes(row.entry.outcome)
      .bytes(row.entry.detail)
      .bytes(row.chain)
      .run();
}

Result<std::vector<AuditRow>> SqliteAuditTable::read(std::uint64_t after, std::uint32_t limit) {
  std::vector<AuditRow> rows;
  if (after > kStoreNumberMax) return rows;
  DUHUI_TRY(statement, database_.connection.prepare(
                           "SELECT seq,at,actor,device,action,target_type,target_id,outcome,detail,"
                           "chain FROM audit WHERE seq>? ORDER BY seq LIMIT ?"));
  statement.unsigned_number(after).number(std::min(limit, kStoreRowsMax));
  for (;;) {
    DUHUI_TRY(found, statement.step());
    if (!found) return rows;
    rows.push_back({.seq = statement.unsigned_at(0),
                    .entry = {.at = WallTime{statement.number_at(1)},
                              .actor = statement.text_at(2),
                              .device = statement.text_at(3),
                              .action = statement.text_at(4),
                              .target_type = statement.text_at(5),
                              .target_id = statement.text_at(6),
                              .outcome = statement.text_at(7),
                              .detail = statement.text_at(8)},
                    .chain = statement.text_at(9)});
  }
}

Status SqliteAuditTable::add_checkpoint(const AuditCheckpoint& checkpoint) {
  DUHUI_CHECK_OK(check_writable(database_));
  DUHUI_TRY(before, head());
  DUHUI_TRY(last, database_.connection.number("SELECT coalesce(max(seq),0) FROM audit_checkpoint"));
  if (checkpoint.seq == 0 || checkpoint.seq != before.seq ||
      checkpoint.seq <= static_cast<std::uint64_t>(last)) {
    return audit_conflict(checkpoint.seq);
  }
  DUHUI_TRY(statement, database_.connection.prepare(
                           "INSERT INTO audit_checkpoint(seq,chain,at,signature) VALUES(?,?,?,?)"));
  return statement.unsigned_number(checkpoint.seq)
      .bytes(checkpoint.chain)
      .number(checkpoint.at.ms)
      .bytes(checkpoint.signature)
      .run();
}

Result<std::vector<AuditCheckpoint>> SqliteAuditTable::checkpoints(std::uint64_t after,
                                                                   std::uint32_t limit) {
  std::vector<AuditCheckpoint> rows;
  if (after > kStoreNumberMax) return rows;
  DUHUI_TRY(statement, database_.connection.prepare(
                           "SELECT seq,chain,at,signature FROM audit_checkpoint WHERE seq>?"
                           " ORDER BY seq LIMIT ?"));
  statement.unsigned_number(after).number(std::min(limit, kStoreRowsMax));
  for (;;) {
    DUHUI_TRY(found, statement.step());
    if (!found) return rows;
    rows.push_back({.seq = statement.unsigned_at(0),
                    .chain = statement.text_at(1),
                    .at = WallTime{statement.number_at(2)},
                    .signature = statement.text_at(3)});
  }
}

}  // namespace duhui::hub

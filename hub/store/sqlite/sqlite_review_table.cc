#include "hub/store/sqlite/sqlite_review_table.h"

#include <algorithm>

#include "hub/ports/store_limits.h"

namespace duhui::hub {
namespace {

Result<std::vector<QuarantineRow>> rows_of(Statement& statement) {
  std::vector<QuarantineRow> rows;
  for (;;) {
    DUHUI_TRY(found, statement.step());
    if (!found) return rows;
    const auto origin = Origin::from_bytes(statement.bytes_at(0));
    if (!origin) return Error{ErrorCode::corrupt_data, "quarantine: an origin not of 16 bytes"};
    rows.push_back({.dot = {*origin, statement.unsigned_at(1)},
                    .kind = statement.text_at(2),
                    .detail = statement.text_at(3),
                    .op = statement.text_at(5),
                    .received_at = WallTime{statement.number_at(4)}});
  }
}

}  // namespace

Status SqliteReviewTable::set_conflicts(const RecordId& record,
                                        const std::vector<ConflictRow>& rows) {
  DUHUI_CHECK_OK(check_writable(database_));
  DUHUI_TRY(clearing, database_.connection.prepare("DELETE FROM conflict WHERE record=?"));
  DUHUI_CHECK_OK(clearing.bytes(record.view()).run());
  for (const ConflictRow& row : rows) {
    DUHUI_CHECK_OK(check_conflict(record, row));
    DUHUI_TRY(scope, database_.words.intern(row.scope));
    DUHUI_TRY(statement, database_.connection.prepare(
                             "INSERT OR REPLACE INTO conflict(record,field,key,type,scope,"
                             "opened_at) VALUES(?,?,?,?,?,?)"));
    DUHUI_CHECK_OK(statement.bytes(record.view())
                       .number(row.field)
                       .bytes(row.key)
                       .number(row.record_type)
                       .number(scope)
                       .number(row.opened_at.ms)
                       .run());
  }
  return Done{};
}

Result<std::vector<ConflictRow>> SqliteReviewTable::conflicts(std::string_view scope_prefix,
                                                              std::uint32_t limit) {
  const std::string below = std::string(scope_prefix) + "/";
  const std::string end = std::string(scope_prefix) + "0";
  DUHUI_TRY(statement,
            database_.connection.prepare(
                "SELECT record,field,key,type,scope,opened_at FROM conflict WHERE ?1=x'' OR scope"
                " IN (SELECT id FROM word WHERE text=?1 UNION ALL SELECT id FROM word WHERE"
                " text>=?2 AND text<?3) ORDER BY opened_at,record,field,key LIMIT ?4"));
  statement.bytes(scope_prefix).bytes(below).bytes(end).number(std::min(limit, kStoreRowsMax));
  std::vector<ConflictRow> rows;
  for (;;) {
    DUHUI_TRY(found, statement.step());
    if (!found) return rows;
    const auto record = RecordId::from_bytes(statement.bytes_at(0));
    if (!record) return Error{ErrorCode::corrupt_data, "conflict: an id that is not 16 bytes"};
    DUHUI_TRY(scope, database_.words.bytes_of(statement.number_at(4)));
    rows.push_back({.record = *record,
                    .record_type = static_cast<std::uint32_t>(statement.number_at(3)),
                    .field = static_cast<std::uint32_t>(statement.number_at(1)),
                    .key = statement.text_at(2),
                    .scope = std::string(scope),
                    .opened_at = WallTime{statement.number_at(5)}});
  }
}

Status SqliteReviewTable::add_quarantine(const QuarantineRow& row) {
  DUHUI_CHECK_OK(check_writable(database_));
  DUHUI_CHECK_OK(check_quarantine(row));
  DUHUI_TRY(statement, database_.connection.prepare(
                           "INSERT OR REPLACE INTO quarantine(origin,seq,kind,detail,received_at,"
                           "op) VALUES(?,?,?,?,?,?)"));
  return statement.bytes(row.dot.origin.view())
      .unsigned_number(row.dot.seq)
      .bytes(row.kind)
      .bytes(row.detail)
      .number(row.received_at.ms)
      .bytes(row.op)
      .run();
}

Status SqliteReviewTable::drop_quarantine(const Dot& dot) {
  DUHUI_CHECK_OK(check_writable(database_));
  DUHUI_TRY(statement,
            database_.connection.prepare("DELETE FROM quarantine WHERE origin=? AND seq=?"));
  return statement.bytes(dot.origin.view()).unsigned_number(dot.seq).run();
}

Result<std::vector<QuarantineRow>> SqliteReviewTable::quarantine(std::uint32_t limit) {
  DUHUI_TRY(statement, database_.connection.prepare(
                           "SELECT origin,seq,kind,detail,received_at,op FROM quarantine"
                           " WHERE kind<>? ORDER BY received_at,origin,seq LIMIT ?"));
  statement.bytes(kSetAsideKind).number(std::min(limit, kStoreRowsMax));
  return rows_of(statement);
}

Result<std::vector<QuarantineRow>> SqliteReviewTable::quarantine_of(std::string_view kind,
                                                                    std::uint32_t limit) {
  DUHUI_TRY(statement, database_.connection.prepare(
                           "SELECT origin,seq,kind,detail,received_at,op FROM quarantine"
                           " WHERE kind=? ORDER BY received_at,origin,seq LIMIT ?"));
  statement.bytes(kind).number(std::min(limit, kStoreRowsMax));
  return rows_of(statement);
}

Result<std::optional<QuarantineRow>> SqliteReviewTable::quarantined(const Dot& dot) {
  DUHUI_TRY(statement, database_.connection.prepare(
                           "SELECT origin,seq,kind,detail,received_at,op FROM quarantine"
                           " WHERE origin=? AND seq=?"));
  statement.bytes(dot.origin.view()).unsigned_number(dot.seq);
  DUHUI_TRY(rows, rows_of(statement));
  if (rows.empty()) return std::optional<QuarantineRow>{};
  return std::optional<QuarantineRow>(std::move(rows.front()));
}

}  // namespace duhui::hub

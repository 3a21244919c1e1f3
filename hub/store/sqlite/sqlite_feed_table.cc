#include "hub/store/sqlite/sqlite_feed_table.h"

#include <algorithm>

#include "hub/ports/store_limits.h"

namespace duhui::hub {

Result<FeedHead> SqliteFeedTable::head_of(std::int64_t scope) {
  DUHUI_TRY(statement,
            database_.connection.prepare("SELECT through,checksum FROM feed_head WHERE scope=?"));
  DUHUI_TRY(found, statement.number(scope).step());
  if (!found) return FeedHead{};
  return FeedHead{statement.unsigned_at(0), statement.unsigned_at(1)};
}

Result<FeedHead> SqliteFeedTable::head(std::string_view scope) {
  DUHUI_TRY(number, database_.words.find(scope));
  return head_of(number);
}

Status SqliteFeedTable::append(const FeedRow& row) {
  DUHUI_CHECK_OK(check_writable(database_));
  DUHUI_CHECK_OK(check_feed(row));
  DUHUI_TRY(scope, database_.words.intern(row.scope));
  DUHUI_TRY(origin, database_.origins.intern(row.origin.view()));
  DUHUI_TRY(before, head_of(scope));
  if (row.first != before.through + 1) {
    return Error{ErrorCode::conflict, "feed of " + row.scope + ": " + std::to_string(row.first) +
                                          " does not follow " + std::to_string(before.through)};
  }
  DUHUI_TRY(adding, database_.connection.prepare(
                        "INSERT INTO feed(scope,first,count,origin,first_seq,checksum)"
                        " VALUES(?,?,?,?,?,?)"));
  DUHUI_CHECK_OK(adding.number(scope)
                     .unsigned_number(row.first)
                     .number(row.count)
                     .number(origin)
                     .unsigned_number(row.first_seq)
                     .unsigned_number(row.checksum_after)
                     .run());
  DUHUI_TRY(moving, database_.connection.prepare(
                        "INSERT INTO feed_head(scope,through,checksum) VALUES(?,?,?)"
                        " ON CONFLICT(scope) DO UPDATE SET"
                        " through=excluded.through,checksum=excluded.checksum"));
  return moving.number(scope)
      .unsigned_number(row.first + row.count - 1)
      .unsigned_number(row.checksum_after)
      .run();
}

Result<std::vector<FeedRow>> SqliteFeedTable::read(std::string_view scope,
                                                   std::uint64_t after,
                                                   std::uint32_t limit) {
  std::vector<FeedRow> rows;
  if (after >= kStoreNumberMax) return rows;
  DUHUI_TRY(number, database_.words.find(scope));
  // The run that holds `after + 1` may begin before it.
  DUHUI_TRY(statement,
            database_.connection.prepare(
                "SELECT first,count,origin,first_seq,checksum FROM feed WHERE scope=?1 AND"
                " first>=coalesce((SELECT first FROM feed WHERE scope=?1 AND first<=?2"
                " ORDER BY first DESC LIMIT 1),0) AND first+count>?2 ORDER BY first LIMIT ?3"));
  statement.number(number).unsigned_number(after + 1).number(std::min(limit, kStoreRowsMax));
  for (;;) {
    DUHUI_TRY(found, statement.step());
    if (!found) return rows;
    DUHUI_TRY(bytes, database_.origins.bytes_of(statement.number_at(2)));
    const auto origin = Origin::from_bytes(bytes);
    if (!origin) return Error{ErrorCode::corrupt_data, "origin: not 16 bytes"};
    rows.push_back({.scope = std::string(scope),
                    .first = statement.unsigned_at(0),
                    .count = static_cast<std::uint32_t>(statement.number_at(1)),
                    .origin = *origin,
                    .first_seq = statement.unsigned_at(3),
                    .checksum_after = statement.unsigned_at(4)});
  }
}

Result<std::uint64_t> SqliteFeedTable::first_kept(std::string_view scope) {
  DUHUI_TRY(number, database_.words.find(scope));
  DUHUI_TRY(statement, database_.connection.prepare(
                           "SELECT first FROM feed WHERE scope=? ORDER BY first LIMIT 1"));
  DUHUI_TRY(found, statement.number(number).step());
  if (found) return statement.unsigned_at(0);
  DUHUI_TRY(last, head_of(number));
  return last.through + 1;
}

Status SqliteFeedTable::trim(std::string_view scope, std::uint64_t through) {
  DUHUI_CHECK_OK(check_writable(database_));
  DUHUI_TRY(number, database_.words.find(scope));
  DUHUI_TRY(statement, database_.connection.prepare(
                           "DELETE FROM feed WHERE scope=?1 AND first<=?2 AND first+count-1<=?2"));
  return statement.number(number).unsigned_number(std::min(through, kStoreNumberMax)).run();
}

Result<std::vector<std::string>> SqliteFeedTable::scopes() {
  DUHUI_TRY(statement,
            database_.connection.prepare("SELECT coalesce(w.text,x'') FROM feed_head h LEFT JOIN"
                                         " word w ON w.id=h.scope ORDER BY 1"));
  std::vector<std::string> found_scopes;
  for (;;) {
    DUHUI_TRY(found, statement.step());
    if (!found) return found_scopes;
    found_scopes.push_back(statement.text_at(0));
  }
}

}  // namespace duhui::hub

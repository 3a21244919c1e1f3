#include "hub/store/sqlite/sqlite_record_table.h"

#include <algorithm>
#include <utility>

#include "hub/ports/store_limits.h"
#include "hub/store/sqlite/record_codec.h"

namespace duhui::hub {
namespace {

constexpr std::int64_t kBorn = 1;
constexpr std::int64_t kDeleted = 2;

// About 300 bytes each: a bulk import must not fill the memory.
constexpr std::size_t kHeldMax = 8'192;

constexpr std::string_view kGet =
    "SELECT id,type,scope,school,date,state,flags,conflicts,checksum,ops FROM record WHERE id=?";
constexpr std::string_view kInsert =
    "INSERT INTO record(type,scope,school,date,state,flags,conflicts,checksum,ops,id)"
    " VALUES(?,?,?,?,?,?,?,?,?,?)";
constexpr std::string_view kReplace =
    "UPDATE record SET type=?,scope=?,school=?,date=?,state=?,flags=?,conflicts=?,checksum=?,ops=?"
    " WHERE id=?";
// Names no column of an index, so that only the row itself is written.
constexpr std::string_view kUpdate =
    "UPDATE record SET state=?,flags=?,checksum=?,ops=? WHERE id=?";
constexpr std::string_view kWalk =
    "SELECT id,type,scope,school,date,state,flags,conflicts,checksum,ops"
    " FROM record INDEXED BY record_scope WHERE scope=? AND id>? ORDER BY id LIMIT ?";

}  // namespace

Result<SqliteRecordTable::Packed> SqliteRecordTable::pack(const RecordRow& row) {
  Packed packed;
  packed.indexed.type = row.type;
  DUHUI_TRY(scope, database_.words.intern(row.scope));
  DUHUI_TRY(school, database_.words.intern(row.school_id));
  DUHUI_TRY(state, database_.words.intern(row.state));
  packed.indexed.scope = scope;
  packed.indexed.school = school;
  packed.state = state;
  Date& date = packed.indexed.date;
  date.present = !row.date.empty();
  if (const auto day = to_day(row.date)) {
    date.is_day = true;
    date.day = *day;
  } else {
    date.text = row.date;
  }
  packed.flags = (row.born ? kBorn : 0) | (row.deleted ? kDeleted : 0);
  packed.conflicts = row.open_conflicts;
  packed.indexed.in_conflict = row.open_conflicts > 0;
  packed.checksum = row.checksum;
  DUHUI_TRY(ops, encode_ops(row.id, row.ops, database_.origins));
  packed.ops = std::move(ops);
  return packed;
}

Result<RecordRow> SqliteRecordTable::unpack(const RecordId& id, const Packed& packed) {
  RecordRow row;
  row.id = id;
  row.type = static_cast<std::uint32_t>(packed.indexed.type);
  DUHUI_TRY(scope, database_.words.bytes_of(packed.indexed.scope));
  row.scope = scope;
  DUHUI_TRY(school, database_.words.bytes_of(packed.indexed.school));
  row.school_id = school;
  DUHUI_TRY(state, database_.words.bytes_of(packed.state));
  row.state = state;
  const Date& date = packed.indexed.date;
  row.date = date.is_day ? from_day(date.day) : date.text;
  row.born = (packed.flags & kBorn) != 0;
  row.deleted = (packed.flags & kDeleted) != 0;
  row.open_conflicts = static_cast<std::uint32_t>(packed.conflicts);
  row.checksum = packed.checksum;
  DUHUI_TRY(ops, decode_ops(id, packed.ops, database_.origins));
  row.ops = std::move(ops);
  return row;
}

SqliteRecordTable::Packed SqliteRecordTable::packed_at(const Statement& statement) {
  Packed packed;
  packed.indexed.type = statement.number_at(1);
  packed.indexed.scope = statement.number_at(2);
  packed.indexed.school = statement.number_at(3);
  Date& date = packed.indexed.date;
  date.present = !statement.is_null(4);
  date.is_day = statement.is_number(4);
  if (date.is_day) {
    date.day = statement.number_at(4);
  } else if (date.present) {
    date.text = statement.text_at(4);
  }
  packed.state = statement.number_at(5);
  packed.flags = statement.number_at(6);
  packed.conflicts = statement.number_at(7);
  packed.indexed.in_conflict = packed.conflicts > 0;
  packed.checksum = statement.unsigned_at(8);
  packed.ops = statement.text_at(9);
  return packed;
}

Result<SqliteRecordTable::Held> SqliteRecordTable::load(const RecordId& id) {
  DUHUI_TRY(statement, database_.connection.prepare(kGet));
  DUHUI_TRY(found, statement.bytes(id.view()).step());
  Held held;
  if (!found) return held;
  held.on_disk = true;
  held.present = true;
  held.now = packed_at(statement);
  held.disk = held.now.indexed;
  return held;
}

Result<SqliteRecordTable::Held*> SqliteRecordTable::hold(const RecordId& id) {
  if (const auto known = held_.find(id); known != held_.end()) return &known->second;
  if (held_.size() >= kHeldMax) {
    DUHUI_CHECK_OK(flush());
    forget();
  }
  DUHUI_TRY(held, load(id));
  return &held_.emplace(id, std::move(held)).first->second;
}

Result<std::optional<RecordRow>> SqliteRecordTable::get(const RecordId& id) {
  const auto answer = [&](const Held& held) -> Result<std::optional<RecordRow>> {
    if (!held.present) return std::optional<RecordRow>{};
    DUHUI_TRY(row, unpack(id, held.now));
    return std::optional<RecordRow>(std::move(row));
  };
  if (!database_.connection.writable()) {
    DUHUI_TRY(held, load(id));
    return answer(held);
  }
  DUHUI_TRY(held, hold(id));
  return answer(*held);
}

Result<std::vector<std::optional<RecordRow>>> SqliteRecordTable::get_many(
    const std::vector<RecordId>& ids) {
  DUHUI_CHECK_OK(check_size("ids", ids.size(), kStoreRowsMax));
  std::vector<std::optional<RecordRow>> rows;
  rows.reserve(ids.size());
  for (const RecordId& id : ids) {
    DUHUI_TRY(row, get(id));
    rows.push_back(std::move(row));
  }
  return rows;
}

Status SqliteRecordTable::put(const RecordRow& row) {
  DUHUI_CHECK_OK(check_writable(database_));
  DUHUI_CHECK_OK(check_record(row));
  DUHUI_TRY(packed, pack(row));
  DUHUI_TRY(held, hold(row.id));
  held->now = std::move(packed);
  held->present = true;
  held->dirty = true;
  return Done{};
}

Status SqliteRecordTable::write(const RecordId& id, const Held& held) {
  const Packed& now = held.now;
  if (held.on_disk && held.disk == now.indexed && !now.indexed.in_conflict) {
    DUHUI_TRY(update, database_.connection.prepare(kUpdate));
    return update.number(now.state)
        .number(now.flags)
        .unsigned_number(now.checksum)
        .bytes(now.ops)
        .bytes(id.view())
        .run();
  }
  DUHUI_TRY(statement, database_.connection.prepare(held.on_disk ? kReplace : kInsert));
  const Indexed& indexed = now.indexed;
  statement.number(indexed.type).number(indexed.scope).number(indexed.school);
  if (indexed.date.is_day) {
    statement.number(indexed.date.day);
  } else if (indexed.date.present) {
    statement.bytes(indexed.date.text);
  } else {
    statement.null();
  }
  return statement.number(now.state)
      .number(now.flags)
      .number(now.conflicts)
      .unsigned_number(now.checksum)
      .bytes(now.ops)
      .bytes(id.view())
      .run();
}

Status SqliteRecordTable::flush() {
  std::vector<std::pair<const RecordId, Held>*> dirty;
  dirty.reserve(held_.size());
  for (auto& entry : held_) {
    if (entry.second.dirty) dirty.push_back(&entry);
  }
  std::sort(dirty.begin(), dirty.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  for (auto* entry : dirty) {
    Held& held = entry->second;
    DUHUI_CHECK_OK(write(entry->first, held));
    held.dirty = false;
    held.on_disk = true;
    held.disk = held.now.indexed;
  }
  return Done{};
}

Result<std::vector<RecordRow>> SqliteRecordTable::rows_of(Statement& statement) {
  std::vector<RecordRow> rows;
  for (;;) {
    DUHUI_TRY(found, statement.step());
    if (!found) return rows;
    const auto id = RecordId::from_bytes(statement.bytes_at(0));
    if (!id) return Error{ErrorCode::corrupt_data, "record: an id that is not 16 bytes"};
    DUHUI_TRY(row, unpack(*id, packed_at(statement)));
    rows.push_back(std::move(row));
  }
}

Result<std::vector<RecordRow>> SqliteRecordTable::walk(std::string_view scope,
                                                       const RecordId& after,
                                                       std::uint32_t limit) {
  DUHUI_CHECK_OK(flush());
  DUHUI_TRY(number, database_.words.find(scope));
  if (number < 0) return std::vector<RecordRow>{};
  DUHUI_TRY(statement, database_.connection.prepare(kWalk));
  statement.number(number).bytes(after.view()).number(std::min(limit, kStoreRowsMax));
  return rows_of(statement);
}

Status SqliteRecordTable::link(const RecordId& from, std::string_view name, std::string_view to) {
  DUHUI_CHECK_OK(check_writable(database_));
  DUHUI_CHECK_OK(check_text("link name", name));
  DUHUI_CHECK_OK(check_text("link target", to));
  DUHUI_TRY(number, database_.words.intern(name));
  DUHUI_TRY(statement, database_.connection.prepare(
                           "INSERT OR IGNORE INTO link(name,target,source) VALUES(?,?,?)"));
  return statement.number(number).bytes(to).bytes(from.view()).run();
}

Result<std::vector<RecordId>> SqliteRecordTable::linked_to(std::string_view name,
                                                           std::string_view to) {
  std::vector<RecordId> ids;
  DUHUI_TRY(number, database_.words.find(name));
  if (number < 0) return ids;
  DUHUI_TRY(statement, database_.connection.prepare(
                           "SELECT source FROM link WHERE name=? AND target=? ORDER BY source"));
  statement.number(number).bytes(to);
  for (;;) {
    DUHUI_TRY(found, statement.step());
    if (!found) return ids;
    const auto id = RecordId::from_bytes(statement.bytes_at(0));
    if (!id) return Error{ErrorCode::corrupt_data, "link: an id that is not 16 bytes"};
    ids.push_back(*id);
  }
}

}  // namespace duhui::hub

// The console's record queries: which index drives which question (docs/storage.md has the table).

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "hub/ports/store_limits.h"
#include "hub/store/sqlite/record_codec.h"
#include "hub/store/sqlite/sqlite_record_table.h"

namespace duhui::hub {
namespace {

// Up to this many scopes their index beats reading all records in id order.
constexpr std::int64_t kScopesByIndexMax = 16;

constexpr std::string_view kColumns =
    "SELECT r.id,r.type,r.scope,r.school,r.date,r.state,r.flags,r.conflicts,r.checksum,r.ops ";
constexpr std::string_view kInScopes =
    "scope IN (SELECT id FROM word WHERE text=? UNION ALL SELECT id FROM word WHERE text>=?"
    " AND text<?)";

// Every school once, one seek each, so that (school, type, date) also answers for all schools.
constexpr std::string_view kEachSchool =
    "WITH RECURSIVE each(school) AS ("
    "SELECT min(school) FROM record INDEXED BY record_school UNION ALL "
    "SELECT (SELECT min(school) FROM record INDEXED BY record_school WHERE school>each.school)"
    " FROM each WHERE each.school IS NOT NULL) ";

using Parameter = std::variant<std::int64_t, std::string>;

/// What is below a scope stands between these two; '0' is the character after '/'. Nothing, where
/// it is not wanted.
std::string below(const RecordTable::Query& query) {
  return query.below ? query.scope_prefix + "/" : query.scope_prefix;
}
std::string end_of(const RecordTable::Query& query) {
  return query.below ? query.scope_prefix + "0" : query.scope_prefix;
}

}  // namespace

/// A query being written: text before the date term, and its parameters in order. A term that must
/// not choose the index has a unary plus.
struct SqliteRecordTable::Condition {
  std::string sql;
  std::vector<Parameter> parameters;
  bool by_school_index = false;  // dates may narrow the index

  void add(std::string_view text, std::initializer_list<Parameter> values) {
    sql += text;
    parameters.insert(parameters.end(), values.begin(), values.end());
  }
  void add_scopes(std::string_view before, const Query& query) {
    sql += before;
    add(kInScopes, {query.scope_prefix, below(query), end_of(query)});
  }
};

Result<bool> SqliteRecordTable::narrow(const Query& query, Condition& condition) {
  const bool dated = !query.date_from.empty() || !query.date_to.empty();
  std::int64_t scopes = 0;
  if (!query.scope_prefix.empty()) {
    DUHUI_TRY(counting, database_.connection.prepare(
                            "SELECT count(*) FROM (SELECT id FROM word WHERE text=? UNION ALL "
                            "SELECT id FROM word WHERE text>=? AND text<? LIMIT 17)"));
    const std::string from = below(query);
    const std::string end = end_of(query);
    DUHUI_TRY(counted, counting.bytes(query.scope_prefix).bytes(from).bytes(end).step());
    scopes = counted ? counting.number_at(0) : 0;
    if (scopes == 0) return false;
  }
  bool scope_done = query.scope_prefix.empty();
  bool type_done = query.type == 0;
  if (query.only_conflicts) {
    condition.add("FROM record r INDEXED BY record_conflict WHERE r.conflicts>0", {});
    if (!query.school_id.empty()) {
      DUHUI_TRY(school, database_.words.find(query.school_id));
      condition.add(" AND +r.school=?", {school});
    }
  } else if (!query.school_id.empty()) {
    DUHUI_TRY(school, database_.words.find(query.school_id));
    condition.add("FROM record r INDEXED BY record_school WHERE r.school=?", {school});
    if (!type_done) condition.add(" AND r.type=?", {std::int64_t{query.type}});
    condition.by_school_index = !type_done;
    type_done = true;
  } else if (dated && !type_done) {
    condition.sql.insert(0, kEachSchool);
    condition.add(
        "FROM each CROSS JOIN record r INDEXED BY record_school"
        " WHERE r.school=each.school AND r.type=?",
        {std::int64_t{query.type}});
    condition.by_school_index = type_done = true;
  } else if (!scope_done && scopes <= kScopesByIndexMax) {
    condition.add_scopes("FROM record r INDEXED BY record_scope WHERE r.", query);
    scope_done = true;
  } else {
    condition.add("FROM record r WHERE 1", {});
  }
  if (!scope_done) condition.add_scopes(" AND +r.", query);
  if (!type_done) condition.add(" AND +r.type=?", {std::int64_t{query.type}});
  if (!query.state.empty()) {
    DUHUI_TRY(state, database_.words.find(query.state));
    condition.add(" AND +r.state=?", {state});
  }
  return true;
}

Result<std::vector<RecordRow>> SqliteRecordTable::run(const Condition& condition,
                                                      const Query& query) {
  const std::string sql = condition.sql + " AND r.id>? ORDER BY r.id LIMIT ?";
  DUHUI_TRY(statement, database_.connection.prepare(sql));
  for (const Parameter& parameter : condition.parameters) {
    if (const auto* number = std::get_if<std::int64_t>(&parameter)) {
      statement.number(*number);
    } else {
      statement.bytes(*std::get_if<std::string>(&parameter));
    }
  }
  statement.bytes(query.after.view()).number(std::min(query.limit, kStoreRowsMax));
  return rows_of(statement);
}

Result<std::vector<RecordRow>> SqliteRecordTable::find(const Query& query) {
  DUHUI_CHECK_OK(flush());
  Condition condition;
  condition.sql = kColumns;
  DUHUI_TRY(possible, narrow(query, condition));
  if (!possible) return std::vector<RecordRow>{};
  if (query.date_from.empty() && query.date_to.empty()) return run(condition, query);

  // Plain dates are kept as day numbers, other texts as they are, and any number sorts before any
  // text: two ranges, each of them narrow.
  const std::string column = condition.by_school_index ? " AND r.date" : " AND +r.date";
  Condition days = condition;
  const std::int64_t from = first_day_from(query.date_from);
  const std::int64_t to = last_day_to(query.date_to.empty() ? "~" : query.date_to);
  days.add(column + ">=?" + column + "<=?", {from, to});
  DUHUI_TRY(rows, run(days, query));

  Condition texts = condition;
  texts.add(column + ">=?", {query.date_from});
  if (!query.date_to.empty()) texts.add(column + "<=?", {query.date_to});
  DUHUI_TRY(odd, run(texts, query));
  if (odd.empty()) return rows;
  std::vector<RecordRow> merged;
  merged.reserve(rows.size() + odd.size());
  std::merge(std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()),
             std::make_move_iterator(odd.begin()), std::make_move_iterator(odd.end()),
             std::back_inserter(merged),
             [](const RecordRow& a, const RecordRow& b) { return a.id < b.id; });
  const std::size_t limit = std::min(query.limit, kStoreRowsMax);
  if (merged.size() > limit) merged.resize(limit);
  return merged;
}

}  // namespace duhui::hub

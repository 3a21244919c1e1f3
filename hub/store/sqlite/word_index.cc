#include "hub/store/sqlite/word_index.h"

namespace duhui::hub {
namespace {

// Entries of about 100 bytes; a province has fewer schools and devices than this.
constexpr std::size_t kCachedMax = 32'768;

}  // namespace

WordIndex::WordIndex(Connection& connection, std::string_view table, std::string_view column)
    : connection_(connection),
      find_sql_("SELECT id FROM " + std::string(table) + " WHERE " + std::string(column) + "=?"),
      add_sql_("INSERT INTO " + std::string(table) + "(" + std::string(column) +
               ") VALUES(?) RETURNING id"),
      get_sql_("SELECT " + std::string(column) + " FROM " + std::string(table) + " WHERE id=?") {}

Result<std::int64_t> WordIndex::find(std::string_view bytes) {
  if (bytes.empty()) return std::int64_t{0};
  if (const auto known = numbers_.find(bytes); known != numbers_.end()) return known->second;
  DUHUI_TRY(statement, connection_.prepare(find_sql_));
  DUHUI_TRY(found, statement.bytes(bytes).step());
  if (!found) return std::int64_t{-1};
  const std::int64_t number = statement.number_at(0);
  remember(bytes, number);
  return number;
}

Result<std::int64_t> WordIndex::intern(std::string_view bytes) {
  DUHUI_TRY(known, find(bytes));
  if (known >= 0) return known;
  DUHUI_TRY(statement, connection_.prepare(add_sql_));
  DUHUI_TRY(added, statement.bytes(bytes).step());
  if (!added) return Error{ErrorCode::storage_failed, add_sql_ + ": no id came back"};
  const std::int64_t number = statement.number_at(0);
  remember(bytes, number);
  return number;
}

Result<std::string_view> WordIndex::bytes_of(std::int64_t number) {
  if (number == 0) return std::string_view{};
  if (const auto known = words_.find(number); known != words_.end())
    return std::string_view(known->second);
  DUHUI_TRY(statement, connection_.prepare(get_sql_));
  DUHUI_TRY(found, statement.number(number).step());
  if (!found) return Error{ErrorCode::corrupt_data, get_sql_ + ": " + std::to_string(number)};
  remember(statement.bytes_at(0), number);
  return std::string_view(words_.find(number)->second);
}

void WordIndex::forget() {
  numbers_.clear();
  words_.clear();
}

void WordIndex::remember(std::string_view bytes, std::int64_t number) {
  if (words_.size() >= kCachedMax) forget();
  numbers_.insert_or_assign(std::string(bytes), number);
  words_.insert_or_assign(number, std::string(bytes));
}

Status check_writable(const Database& database) {
  if (database.connection.writable()) return Done{};
  return Error{ErrorCode::refused, "read_only: a change in a reading transaction"};
}

}  // namespace duhui::hub

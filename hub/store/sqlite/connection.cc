#include "hub/store/sqlite/connection.h"

#include <utility>

#include <sqlite3.h>

namespace duhui::hub {
namespace {

// The find query has some two hundred shapes; past this something builds statements from data.
constexpr std::size_t kStatementsMax = 512;

ErrorCode code_of(int result) {
  switch (result & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::corrupt_data;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::unavailable;
    case SQLITE_TOOBIG:
      return ErrorCode::limit_exceeded;
    case SQLITE_CONSTRAINT:
      return ErrorCode::conflict;
    default:
      return ErrorCode::storage_failed;
  }
}

}  // namespace

Statement::~Statement() {
  if (handle_ != nullptr) sqlite3_reset(handle_);
}

Statement& Statement::number(std::int64_t value) {
  sqlite3_bind_int64(handle_, next_++, value);
  return *this;
}

Statement& Statement::bytes(std::string_view value) {
  // A null pointer would bind NULL instead of empty bytes.
  sqlite3_bind_blob64(handle_, next_++, value.empty() ? "" : value.data(), value.size(),
                      SQLITE_STATIC);
  return *this;
}

Statement& Statement::null() {
  sqlite3_bind_null(handle_, next_++);
  return *this;
}

Result<bool> Statement::step() {
  const int result = sqlite3_step(handle_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return connection_->error(result, sqlite3_sql(handle_));
}

Status Statement::run() {
  auto stepped = step();
  if (!stepped) return std::move(stepped).error();
  return Done{};
}

void Statement::reset() {
  sqlite3_reset(handle_);
  next_ = 1;
}

std::int64_t Statement::number_at(int column) const {
  return sqlite3_column_int64(handle_, column);
}

std::string_view Statement::bytes_at(int column) const {
  const void* data = sqlite3_column_blob(handle_, column);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data),
          static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

bool Statement::is_number(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_INTEGER;
}

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path,
                                                     const ConnectionOptions& options) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= options.writable ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  if (options.create) flags |= SQLITE_OPEN_CREATE;
  sqlite3* handle = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  if (result != SQLITE_OK) {
    const std::string why = handle == nullptr ? sqlite3_errstr(result) : sqlite3_errmsg(handle);
    sqlite3_close_v2(handle);
    return Error{code_of(result), "open " + path + ": " + why};
  }
  std::unique_ptr<Connection> connection(new Connection(handle, options.writable));
  sqlite3_busy_timeout(handle, options.busy_timeout_ms);
  // A damaged or crafted file must not make SQL run that we did not write.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  const std::string settings =
      "PRAGMA cache_size=-" + std::to_string(options.cache_bytes / 1024) +
      ";PRAGMA mmap_size=0"  // a bad sector under a map would kill the process
      ";PRAGMA cell_size_check=1" +
      (options.writable ? ";PRAGMA synchronous=FULL" : ";PRAGMA query_only=1");
  DUHUI_CHECK_OK(connection->execute(settings.c_str()));
  return connection;
}

Connection::~Connection() {
  for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close_v2(handle_);
}

Status Connection::execute(const char* sql) {
  const int result = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) return error(result, sql);
  return Done{};
}

Result<Statement> Connection::prepare(std::string_view sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end()) return Statement(*this, found->second);
  if (statements_.size() >= kStatementsMax)
    return Error{ErrorCode::limit_exceeded, "prepare: too many different statements"};
  sqlite3_stmt* statement = nullptr;
  const int result = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (result != SQLITE_OK) return error(result, sql);
  statements_.emplace(std::string(sql), statement);
  return Statement(*this, statement);
}

Result<std::int64_t> Connection::number(std::string_view sql) {
  DUHUI_TRY(statement, prepare(sql));
  DUHUI_TRY(found, statement.step());
  return found ? statement.number_at(0) : 0;
}

Error Connection::error(int code, std::string_view context) {
  const int kind = code & 0xff;
  if (kind == SQLITE_IOERR || kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB) broken_ = true;
  return {code_of(code), std::string(context.substr(0, 120)) + ": " + sqlite3_errmsg(handle_)};
}

}  // namespace duhui::hub

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "shared/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace duhui::hub {

class Connection;

/// One use of a prepared statement: bind, step, read columns. Goes back to the connection's cache
/// when it is destroyed. Bound bytes must live until then.
class Statement {
 public:
  Statement(Connection& connection, sqlite3_stmt* handle)
      : connection_(&connection), handle_(handle) {}
  Statement(Statement&& other) noexcept
      : connection_(other.connection_), handle_(std::exchange(other.handle_, nullptr)) {}
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  /// Bind the next parameter.
  Statement& number(std::int64_t value);
  Statement& unsigned_number(std::uint64_t value) {
    return number(static_cast<std::int64_t>(value));
  }
  Statement& bytes(std::string_view value);
  Statement& null();

  /// True: a row is there; false: done.
  Result<bool> step();
  /// Steps a statement that returns no rows.
  Status run();
  /// For the next round of the same statement.
  void reset();

  std::int64_t number_at(int column) const;
  std::uint64_t unsigned_at(int column) const {
    return static_cast<std::uint64_t>(number_at(column));
  }
  /// Valid until the next step.
  std::string_view bytes_at(int column) const;
  std::string text_at(int column) const { return std::string(bytes_at(column)); }
  bool is_null(int column) const;
  bool is_number(int column) const;

 private:
  Connection* connection_;
  sqlite3_stmt* handle_;
  int next_ = 1;
};

struct ConnectionOptions {
  bool writable = false;
  bool create = false;
  std::size_t cache_bytes = 0;
  int busy_timeout_ms = 10'000;
};

/// One SQLite handle with its cache of prepared statements. One thread at a time.
class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const std::string& path,
                                                  const ConnectionOptions& options);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  bool writable() const { return writable_; }
  sqlite3* handle() { return handle_; }

  /// Runs statements without parameters.
  Status execute(const char* sql);
  /// A statement from the cache; compiled at its first use.
  Result<Statement> prepare(std::string_view sql);
  /// The number a one-row statement answers.
  Result<std::int64_t> number(std::string_view sql);

  /// `code` as an Error: "what we did: what SQLite said". Keeps the worst code seen.
  Error error(int code, std::string_view context);
  /// True after an error that makes the handle untrustworthy: reopen.
  bool is_broken() const { return broken_; }

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  Connection(sqlite3* handle, bool writable) : handle_(handle), writable_(writable) {}

  sqlite3* handle_;
  const bool writable_;
  bool broken_ = false;
  std::unordered_map<std::string, sqlite3_stmt*, TextHash, std::equal_to<>> statements_;
};

}  // namespace duhui::hub

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "hub/store/sqlite/connection.h"
#include "shared/base/result.h"

namespace duhui::hub {

/// Small numbers for bytes that repeat, both ways, with a bounded cache. A number, once committed,
/// means the same bytes for ever, so the cache survives transactions; `forget` it after a rollback.
class WordIndex {
 public:
  /// `table` has columns (id INTEGER PRIMARY KEY, <column> UNIQUE).
  WordIndex(Connection& connection, std::string_view table, std::string_view column);

  /// The number of `bytes`; makes one. Empty bytes are 0.
  Result<std::int64_t> intern(std::string_view bytes);
  /// The number of `bytes`; -1: it has none.
  Result<std::int64_t> find(std::string_view bytes);
  /// Valid until the next call that may fill the cache.
  Result<std::string_view> bytes_of(std::int64_t number);
  void forget();

 private:
  void remember(std::string_view bytes, std::int64_t number);

  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  Connection& connection_;
  const std::string find_sql_;
  const std::string add_sql_;
  const std::string get_sql_;
  std::unordered_map<std::string, std::int64_t, TextHash, std::equal_to<>> numbers_;
  std::unordered_map<std::int64_t, std::string> words_;
};

/// One connection and the numbers it has learnt: what every table of a transaction works on.
struct Database {
  explicit Database(Connection& opened)
      : connection(opened), words(opened, "word", "text"), origins(opened, "origin", "bytes") {}

  void forget() {
    words.forget();
    origins.forget();
  }

  Connection& connection;
  WordIndex words;
  WordIndex origins;
};

/// `refused` on a read-only connection.
Status check_writable(const Database& database);

}  // namespace duhui::hub

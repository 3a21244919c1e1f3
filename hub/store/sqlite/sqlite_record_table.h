#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hub/ports/store.h"
#include "hub/store/sqlite/word_index.h"

namespace duhui::hub {

/// The record and link tables on one connection.
///
/// In a writing transaction rows are held in memory from the first `get` or `put` of their id, and
/// changed ones written by `flush`: in id order, which keeps the inserts of the three b-trees near
/// each other; once, however often they were put; and without touching an index whose columns
/// stayed the same. `flush` runs before every query, at the commit and when too many are held.
class SqliteRecordTable final : public RecordTable {
 public:
  explicit SqliteRecordTable(Database& database) : database_(database) {}

  Result<std::optional<RecordRow>> get(const RecordId& id) override;
  Result<std::vector<std::optional<RecordRow>>> get_many(const std::vector<RecordId>& ids) override;
  Status put(const RecordRow& row) override;
  Result<std::vector<RecordRow>> find(const Query& query) override;
  Result<std::vector<RecordRow>> walk(std::string_view scope,
                                      const RecordId& after,
                                      std::uint32_t limit) override;
  Status link(const RecordId& from, std::string_view name, std::string_view to) override;
  Result<std::vector<RecordId>> linked_to(std::string_view name, std::string_view to) override;

  /// Writes what is held. Call before the commit.
  Status flush();
  /// Forgets what is held. Call at the end of every transaction.
  void forget() { held_.clear(); }

 private:
  /// A business date: nothing, a day number, or text that is not a plain date.
  struct Date {
    bool present = false;
    bool is_day = false;
    std::int64_t day = 0;
    std::string text;
    friend bool operator==(const Date&, const Date&) = default;
  };
  /// The columns that indexes hold.
  struct Indexed {
    std::int64_t type = 0;
    std::int64_t scope = 0;
    std::int64_t school = 0;
    Date date;
    bool in_conflict = false;
    friend bool operator==(const Indexed&, const Indexed&) = default;
  };
  struct Packed {
    Indexed indexed;
    std::int64_t state = 0;
    std::int64_t flags = 0;
    std::int64_t conflicts = 0;
    std::uint64_t checksum = 0;
    std::string ops;
  };
  struct Held {
    bool on_disk = false;
    bool present = false;
    bool dirty = false;
    Indexed disk;  // as the row on disk has them
    Packed now;
  };
  struct Condition;  // a find query as SQL

  Result<Packed> pack(const RecordRow& row);
  Result<RecordRow> unpack(const RecordId& id, const Packed& packed);
  static Packed packed_at(const Statement& statement);
  Result<Held> load(const RecordId& id);
  /// The row in memory, loaded when it is not there yet.
  Result<Held*> hold(const RecordId& id);
  Status write(const RecordId& id, const Held& held);
  Result<std::vector<RecordRow>> rows_of(Statement& statement);
  /// False: nothing can match.
  Result<bool> narrow(const Query& query, Condition& condition);
  Result<std::vector<RecordRow>> run(const Condition& condition, const Query& query);

  Database& database_;
  std::unordered_map<RecordId, Held> held_;
};

}  // namespace duhui::hub

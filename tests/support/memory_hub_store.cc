#include "tests/support/memory_hub_store.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

#include "hub/ports/store_limits.h"

namespace duhui::hub {
namespace {

/// The state, how to undo the running transaction, and whether it may change anything.
struct Ledger {
  MemoryHubState state;
  std::vector<std::function<void()>> undo;
  bool writable = false;

  Status check_writable() const {
    if (writable) return Done{};
    return Error{ErrorCode::refused, "read_only: a change in a reading transaction"};
  }

  template <typename Key, typename Value>
  void put(std::map<Key, Value>& map, const Key& key, const Value& value) {
    const auto found = map.find(key);
    if (found == map.end()) {
      map.emplace(key, value);
      undo.push_back([&map, key] { map.erase(key); });
    } else {
      undo.push_back([&map, key, before = std::move(found->second)] { map[key] = before; });
      found->second = value;
    }
  }
  template <typename Key, typename Value>
  void erase(std::map<Key, Value>& map, const Key& key) {
    const auto found = map.find(key);
    if (found == map.end()) return;
    undo.push_back([&map, key, before = std::move(found->second)] { map.emplace(key, before); });
    map.erase(found);
  }
  template <typename Key>
  void put(std::set<Key>& set, const Key& key) {
    if (set.insert(key).second) undo.push_back([&set, key] { set.erase(key); });
  }
  template <typename Key>
  void erase(std::set<Key>& set, const Key& key) {
    if (set.erase(key) > 0) undo.push_back([&set, key] { set.insert(key); });
  }
};

template <typename Map, typename Key>
std::optional<typename Map::mapped_type> value_at(const Map& map, const Key& key) {
  const auto found = map.find(key);
  if (found == map.end()) return std::nullopt;
  return found->second;
}

class MemoryStreams final : public StreamTable {
 public:
  explicit MemoryStreams(Ledger& ledger) : ledger_(ledger) {}

  Result<std::optional<StreamRow>> get(const Origin& origin) override {
    return value_at(ledger_.state.streams, origin);
  }
  Result<std::vector<StreamRow>> of_device(const DeviceId& device) override {
    std::vector<StreamRow> rows;
    for (const auto& [origin, row] : ledger_.state.streams) {
      if (row.device == device) rows.push_back(row);
    }
    return rows;
  }
  Status put(const StreamRow& row) override {
    DUHUI_CHECK_OK(ledger_.check_writable());
    DUHUI_CHECK_OK(check_stream(row));
    ledger_.put(ledger_.state.streams, row.origin, row);
    return Done{};
  }
  Status add_batch(const BatchRow& row) override {
    DUHUI_CHECK_OK(ledger_.check_writable());
    DUHUI_CHECK_OK(check_batch(row));
    const auto* neighbour = last_from(row.origin, row.first_seq + row.count - 1);
    if (neighbour != nullptr && neighbour->first_seq + neighbour->count > row.first_seq)
      return Error{ErrorCode::conflict, "batch: is already there"};
    ledger_.put(ledger_.state.batches, {row.origin, row.first_seq}, row);
    return Done{};
  }
  Result<std::optional<BatchRow>> batch_at(const Origin& origin, std::uint64_t seq) override {
    const auto* row = last_from(origin, seq);
    if (row == nullptr || seq - row->first_seq >= row->count) return std::optional<BatchRow>{};
    return std::optional<BatchRow>(*row);
  }
  Status restamp(const Origin& origin, std::uint64_t first_seq, std::string_view stamps) override {
    DUHUI_CHECK_OK(ledger_.check_writable());
    const auto* row = last_from(origin, first_seq);
    if (row == nullptr || row->first_seq != first_seq) {
      return Error{ErrorCode::not_found, "batch: none begins there"};
    }
    BatchRow changed = *row;
    changed.stamps = std::string(stamps);
    ledger_.put(ledger_.state.batches, {origin, first_seq}, changed);
    return Done{};
  }

 private:
  const BatchRow* last_from(const Origin& origin, std::uint64_t seq) const {
    auto next = ledger_.state.batches.upper_bound({origin, seq});
    if (next == ledger_.state.batches.begin()) return nullptr;
    --next;
    return next->first.first == origin ? &next->second : nullptr;
  }

  Ledger& ledger_;
};

class MemoryRecords final : public RecordTable {
 public:
  explicit MemoryRecords(Ledger& ledger) : ledger_(ledger) {}

  Result<std::optional<RecordRow>> get(const RecordId& id) override {
    return value_at(ledger_.state.records, id);
  }
  Result<std::vector<std::optional<RecordRow>>> get_many(
      const std::vector<RecordId>& ids) override {
    DUHUI_CHECK_OK(check_size("ids", ids.size(), kStoreRowsMax));
    std::vector<std::optional<RecordRow>> rows;
    for (const RecordId& id : ids) rows.push_back(value_at(ledger_.state.records, id));
    return rows;
  }
  Status put(const RecordRow& row) override {
    DUHUI_CHECK_OK(ledger_.check_writable());
    DUHUI_CHECK_OK(check_record(row));
    if (const auto before = value_at(ledger_.state.records, row.id))
      ledger_.erase(ledger_.state.by_scope, {before->scope, row.id});
    ledger_.put(ledger_.state.records, row.id, row);
    ledger_.put(ledger_.state.by_scope, {row.scope, row.id});
    return Done{};
  }
  Result<std::vector<RecordRow>> find(const Query& query) override {
    std::vector<RecordRow> rows;
    const std::size_t limit = std::min(query.limit, kStoreRowsMax);
    auto next = ledger_.state.records.upper_bound(query.after);
    for (; next != ledger_.state.records.end() && rows.size() < limit; ++next) {
      if (matches(next->second, query)) rows.push_back(next->second);
    }
    return rows;
  }
  Result<std::vector<RecordRow>> walk(std::string_view scope,
                                      const RecordId& after,
                                      std::uint32_t limit) override {
    std::vector<RecordRow> rows;
    const std::size_t most = std::min(limit, kStoreRowsMax);
    const auto& index = ledger_.state.by_scope;
    auto next = index.upper_bound({std::string(scope), after});
    for (; next != index.end() && next->first == scope && rows.size() < most; ++next)
      rows.push_back(ledger_.state.records.at(next->second));
    return rows;
  }
  Status link(const RecordId& from, std::string_view name, std::string_view to) override {
    DUHUI_CHECK_OK(ledger_.check_writable());
    DUHUI_CHECK_OK(check_text("link name", name));
    DUHUI_CHECK_OK(check_text("link target", to));
    ledger_.put(ledger_.state.links, {std::string(name), std::string(to), from});
    return Done{};
  }
  Result<std::vector<RecordId>> linked_to(std::string_view name, std::string_view to) override {
    std::vector<RecordId> ids;
    const auto& links = ledger_.state.links;
    auto next = links.lower_bound({std::string(name), std::string(to), RecordId{}});
    for (; next != links.end(); ++next) {
      if (std::get<0>(*next) != name || std::get<1>(*next) != to) break;
      ids.push_back(std::get<2>(*next));
    }
    return ids;
  }

 private:
  static bool matches(const RecordRow& row, const Query& query) {
    if (query.type != 0 && row.type != query.type) return false;
    if (!in_scope(row.scope, query.scope_prefix)) return false;
    const bool exactly = !query.below && !query.scope_prefix.empty();
    if (exactly && row.scope != query.scope_prefix) return false;
    if (!query.school_id.empty() && row.school_id != query.school_id) return false;
    if (!query.state.empty() && row.state != query.state) return false;
    if (query.only_conflicts && row.open_conflicts == 0) return false;
    if (query.date_from.empty() && query.date_to.empty()) return true;
    return !row.date.empty() && row.date >= query.date_from &&
           (query.date_to.empty() || row.date <= query.date_to);
  }

  Ledger& ledger_;
};

class MemoryFeed final : public FeedTable {
 public:
  explicit MemoryFeed(Ledger& ledger) : ledger_(ledger) {}

  Result<FeedHead> head(std::string_view scope) override {
    return value_at(ledger_.state.feed_heads, std::string(scope)).value_or(FeedHead{});
  }
  Status append(const FeedRow& row) override {
    DUHUI_CHECK_OK(ledger_.check_writable());
    DUHUI_CHECK_OK(check_feed(row));
    DUHUI_TRY(before, head(row.scope));
    if (row.first != before.through + 1)
      return Error{ErrorCode::conflict, "feed of " + row.scope + ": does not follow"};
    ledger_.put(ledger_.state.feed, {row.scope, row.first}, row);
    ledger_.put(ledger_.state.feed_heads, row.scope,
                FeedHead{row.first + row.count - 1, row.checksum_after});
    return Done{};
  }
  Result<std::vector<FeedRow>> read(std::string_view scope,
                                    std::uint64_t after,
                                    std::uint32_t limit) override {
    std::vector<FeedRow> rows;
    const std::size_t most = std::min(limit, kStoreRowsMax);
    for (auto next = first_of(scope); is_of(next, scope) && rows.size() < most; ++next) {
      if (next->second.first + next->second.count - 1 > after) rows.push_back(next->second);
    }
    return rows;
  }
  Result<std::uint64_t> first_kept(std::string_view scope) override {
    if (const auto next = first_of(scope); is_of(next, scope)) return next->second.first;
    DUHUI_TRY(last, head(scope));
    return last.through + 1;
  }
  Status trim(std::string_view scope, std::uint64_t through) override {
    DUHUI_CHECK_OK(ledger_.check_writable());
    for (auto next = first_of(scope); is_of(next, scope);) {
      const auto key = next->first;
      const bool whole = next->second.first + next->second.count - 1 <= through;
      ++next;
      if (whole) ledger_.erase(ledger_.state.feed, key);
    }
    return Done{};
  }
  Result<std::vector<std::string>> scopes() override {
    std::vector<std::string> all;
    for (const auto& [scope, head] : ledger_.state.feed_heads) all.push_back(scope);
    return all;
  }

 private:
  using Iterator = decltype(MemoryHubState::feed)::const_iterator;
  Iterator first_of(std::string_view scope) const {
    return ledger_.state.feed.lower_bound({std::string(scope), 0});
  }
  bool is_of(Iterator next, std::string_view scope) const {
    return next != ledger_.state.feed.end() && next->first.first == scope;
  }

  Ledger& ledger_;
};

class MemoryDevices final : public DeviceTable {
 public:
  explicit MemoryDevices(Ledger& ledger) : ledger_(ledger) {}

  Result<std::optional<DeviceRow>> get(const DeviceId& id) override {
    return value_at(ledger_.state.devices, id);
  }
  Result<std::vector<DeviceRow>> all() override {
    std::vector<DeviceRow> rows;
    for (const auto& [id, row] : ledger_.state.devices) rows.push_back(row);
    return rows;
  }
  Status put(const DeviceRow& row) override {
    DUHUI_CHECK_OK(ledger_.check_writable());
    DUHUI_CHECK_OK(check_device(row));
    ledger_.put(ledger_.state.devices, row.id, row);
    return Done{};
  }

 private:
  Ledger& ledger_;
};

class MemoryReview final : public ReviewTable {
 public:
  explicit MemoryReview(Ledger& ledger) : ledger_(ledger) {}

  Status set_conflicts(const RecordId& record, const std::vector<ConflictRow>& rows) override {
    DUHUI_CHECK_OK(ledger_.check_writable());
    for (const ConflictRow& row : rows) DUHUI_CHECK_OK(check_conflict(record, row));
    auto& conflicts = ledger_.state.conflicts;
    for (auto next = conflicts.lower_bound({record, 0, ""}); next != conflicts.end();) {
      const auto key = next->first;
      if (std::get<0>(key) != record) break;
      ++next;
      ledger_.erase(conflicts, key);
    }
    for (const ConflictRow& row : rows) ledger_.put(conflicts, {record, row.field, row.key}, row);
    return Done{};
  }
  Result<std::vector<ConflictRow>> conflicts(std::string_view scope_prefix,
                                             std::uint32_t limit) override {
    std::vector<ConflictRow> rows;
    for (const auto& [key, row] : ledger_.state.conflicts) {
      if (in_scope(row.scope, scope_prefix)) rows.push_back(row);
    }
    // The map is in order of record, field and key already.
    std::stable_sort(rows.begin(), rows.end(), [](const ConflictRow& a, const ConflictRow& b) {
      return a.opened_at < b.opened_at;
    });
    rows.resize(std::min<std::size_t>(rows.size(), std::min(limit, kStoreRowsMax)));
    return rows;
  }
  Status add_quarantine(const QuarantineRow& row) override {
    DUHUI_CHECK_OK(ledger_.check_writable());
    DUHUI_CHECK_OK(check_quarantine(row));
    ledger_.put(ledger_.state.quarantine, row.dot, row);
    return Done{};
  }
  Status drop_quarantine(const Dot& dot) override {
    DUHUI_CHECK_OK(ledger_.check_writable());
    ledger_.erase(ledger_.state.quarantine, dot);
    return Done{};
  }
  Result<std::vector<QuarantineRow>> quarantine(std::uint32_t limit) override {
    return rows_where([](const QuarantineRow& row) { return row.kind != kSetAsideKind; }, limit);
  }
  Result<std::vector<QuarantineRow>> quarantine_of(std::string_view kind,
                                                   std::uint32_t limit) override {
    return rows_where([kind](const QuarantineRow& row) { return row.kind == kind; }, limit);
  }
  Result<std::optional<QuarantineRow>> quarantined(const Dot& dot) override {
    const auto at = ledger_.state.quarantine.find(dot);
    if (at == ledger_.state.quarantine.end()) return std::optional<QuarantineRow>{};
    return std::optional<QuarantineRow>(at->second);
  }

 private:
  template <typename Wanted>
  std::vector<QuarantineRow> rows_where(Wanted wanted, std::uint32_t limit) const {
    std::vector<QuarantineRow> rows;
    for (const auto& [dot, row] : ledger_.state.quarantine) {
      if (wanted(row)) rows.push_back(row);
    }
    std::stable_sort(rows.begin(), rows.end(), [](const QuarantineRow& a, const QuarantineRow& b) {
      return a.received_at < b.received_at;
    });
    rows.resize(std::min<std::size_t>(rows.size(), std::min(limit, kStoreRowsMax)));
    return rows;
  }

  Ledger& ledger_;
};

class MemorySettings final : public SettingTable {
 public:
  explicit MemorySettings(Ledger& ledger) : ledger_(ledger) {}

  Result<std::optional<std::string>> get(std::string_view key) override {
    return value_at(ledger_.state.settings, std::string(key));
  }
  Status put(std::string_view key, std::string_view value) override {
    DUHUI_CHECK_OK(ledger_.check_writable());
    DUHUI_CHECK_OK(check_text("setting key", key));
    DUHUI_CHECK_OK(check_size("setting", value.size(), kStorePayloadMax));
    ledger_.put(ledger_.state.settings, std::string(key), std::string(value));
    return Done{};
  }
  Status erase(std::string_view key) override {
    DUHUI_CHECK_OK(ledger_.check_writable());
    ledger_.erase(ledger_.state.settings, std::string(key));
    return Done{};
  }
  Result<std::vector<std::pair<std::string, std::string>>> list(std::string_view prefix) override {
    std::vector<std::pair<std::string, std::string>> found;
    auto next = ledger_.state.settings.lower_bound(std::string(prefix));
    for (; next != ledger_.state.settings.end() && next->first.starts_with(prefix); ++next)
      found.emplace_back(next->first, next->second);
    return found;
  }

 private:
  Ledger& ledger_;
};

class MemoryAudit final : public AuditTable {
 public:
  explicit MemoryAudit(Ledger& ledger) : ledger_(ledger) {}

  Result<AuditHead> head() override {
    if (ledger_.state.audit.empty()) return AuditHead{};
    const AuditRow& newest = ledger_.state.audit.rbegin()->second;
    return AuditHead{newest.seq, newest.chain};
  }
  Status append(const AuditRow& row) override {
    DUHUI_CHECK_OK(ledger_.check_writable());
    DUHUI_CHECK_OK(check_audit(row));
    if (row.seq != ledger_.state.audit.size() + 1) return audit_conflict(row.seq);
    ledger_.put(ledger_.state.audit, row.seq, row);
    return Done{};
  }
  Result<std::vector<AuditRow>> read(std::uint64_t after, std::uint32_t limit) override {
    return values_after(ledger_.state.audit, after, limit);
  }
  Status add_checkpoint(const AuditCheckpoint& checkpoint) override {
    DUHUI_CHECK_OK(ledger_.check_writable());
    if (checkpoint.seq == 0 || checkpoint.seq != ledger_.state.audit.size() ||
        ledger_.state.checkpoints.contains(checkpoint.seq)) {
      return audit_conflict(checkpoint.seq);
    }
    ledger_.put(ledger_.state.checkpoints, checkpoint.seq, checkpoint);
    return Done{};
  }
  Result<std::vector<AuditCheckpoint>> checkpoints(std::uint64_t after,
                                                   std::uint32_t limit) override {
    return values_after(ledger_.state.checkpoints, after, limit);
  }

 private:
  template <typename Row>
  static std::vector<Row> values_after(const std::map<std::uint64_t, Row>& rows,
                                       std::uint64_t after,
                                       std::uint32_t limit) {
    std::vector<Row> found;
    const std::size_t most = std::min(limit, kStoreRowsMax);
    for (auto at = rows.upper_bound(after); at != rows.end() && found.size() < most; ++at)
      found.push_back(at->second);
    return found;
  }

  Ledger& ledger_;
};

}  // namespace

class MemoryHubStore::Tables final : public HubTransaction {
 public:
  StreamTable& streams() override { return streams_; }
  RecordTable& records() override { return records_; }
  FeedTable& feed() override { return feed_; }
  DeviceTable& devices() override { return devices_; }
  ReviewTable& review() override { return review_; }
  SettingTable& settings() override { return settings_; }
  AuditTable& audit() override { return audit_; }

  Ledger ledger;
  bool running = false;

 private:
  MemoryStreams streams_{ledger};
  MemoryRecords records_{ledger};
  MemoryFeed feed_{ledger};
  MemoryDevices devices_{ledger};
  MemoryReview review_{ledger};
  MemorySettings settings_{ledger};
  MemoryAudit audit_{ledger};
};

MemoryHubStore::MemoryHubStore() : tables_(std::make_unique<Tables>()) {}

MemoryHubStore::MemoryHubStore(MemoryHubState state) : MemoryHubStore() {
  tables_->ledger.state = std::move(state);
}

MemoryHubStore::~MemoryHubStore() = default;

Status MemoryHubStore::write(const std::function<Status(HubTransaction&)>& work) {
  assert(!tables_->running);
  Ledger& ledger = tables_->ledger;
  tables_->running = ledger.writable = true;
  auto done = work(*tables_);
  tables_->running = ledger.writable = false;
  if (done && next_commit_) {
    done = *std::exchange(next_commit_, std::nullopt);
  }
  if (done) {
    ++commits_;
  } else {
    for (auto step = ledger.undo.rbegin(); step != ledger.undo.rend(); ++step) (*step)();
  }
  ledger.undo.clear();
  return done;
}

Status MemoryHubStore::read(const std::function<Status(HubTransaction&)>& work) {
  assert(!tables_->running);
  tables_->running = true;
  auto done = work(*tables_);
  tables_->running = false;
  return done;
}

const MemoryHubState& MemoryHubStore::state() const { return tables_->ledger.state; }

void MemoryHubStore::restore(MemoryHubState state) {
  assert(!tables_->running);
  tables_->ledger.state = std::move(state);
}

}  // namespace duhui::hub

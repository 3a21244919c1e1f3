// How fast the hub's SQLite store takes and changes records, next to plain SQLite doing the least
// that could be called the same work, in the same run on the same disk.
//
//   hub_store_bench [--records N] [--per-commit N] [--folder DIR] [--page BYTES]

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <sqlite3.h>
#include <sys/resource.h>

#include "hub/store/sqlite/sqlite_hub_store.h"
#include "shared/base/check.h"

namespace duhui::hub {
namespace {

constexpr std::size_t kPayloadBytes = 64 * 1024;  // one batch of about a hundred records, packed
constexpr std::uint32_t kRecordsPerBatch = 100;
constexpr std::uint32_t kScopes = 50;

struct Settings {
  std::uint32_t records = 100'000;
  std::uint32_t per_commit = 1'000;
  int page_bytes = SqliteHubStoreOptions{}.page_bytes;
  std::string folder = std::filesystem::temp_directory_path().string();
};

struct Figure {
  double wall_s = 0;
  double cpu_s = 0;
};

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

long peak_rss_kb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

Figure timed(const std::function<void()>& work) {
  const double cpu = cpu_seconds();
  const auto begin = std::chrono::steady_clock::now();
  work();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  return {wall.count(), cpu_seconds() - cpu};
}

template <typename T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", to_string(result.error()).c_str());
    std::exit(1);
  }
  return std::move(*result);
}

/// The records that `settings.records` describes: fifty devices, each with its school.
struct Load {
  explicit Load(const Settings& settings) {
    SeededRandom random(1);
    for (std::uint32_t scope = 0; scope < kScopes; ++scope) {
      origins.push_back(Origin::random(random));
      schools.push_back("school-4302020" + std::to_string(1000 + scope));
      scopes.push_back("430200/430202/zone-" + std::to_string(scope % 5) + "/" + schools.back());
    }
    payload.resize(kPayloadBytes);
    random.fill(payload.data(), payload.size());
    ids.reserve(settings.records);
    for (std::uint32_t n = 0; n < settings.records; ++n)
      ids.push_back(mint_record_id(WallTime{1'757'000'000'000 + std::int64_t{n} * 40}, random));
  }

  /// Devices come in turns, a batch each.
  static std::uint32_t device_of(std::uint32_t n) { return n / kRecordsPerBatch % kScopes; }
  static std::uint64_t seq_of(std::uint32_t n) {
    return 1 + n / (kRecordsPerBatch * kScopes) * kRecordsPerBatch + n % kRecordsPerBatch;
  }

  RecordRow record(std::uint32_t n) const {
    const std::uint32_t device = device_of(n);
    RecordRow row;
    row.id = ids[n];
    row.type = 1 + n % 3;
    row.scope = scopes[device];
    row.born = true;
    row.school_id = schools[device];
    row.date = "2025-09-" + std::to_string(10 + n % 20);
    row.state = n % 2 == 0 ? "draft" : "submitted";
    row.checksum = n * 0x9e3779b97f4a7c15ull;
    const std::int64_t time = 1'757'000'000'000 + std::int64_t{n} * 40;
    row.ops.push_back(
        {{origins[device], seq_of(n)}, {time + 1'000, sync::v1::TIME_QUALITY_GOOD, 2, false}});
    return row;
  }

  std::vector<RecordId> ids;
  std::vector<Origin> origins;
  std::vector<std::string> scopes;
  std::vector<std::string> schools;
  std::string payload;
};

/// What a batch of a device adds beside its records.
Status add_batch(HubTransaction& tables,
                 const Load& load,
                 std::uint32_t n,
                 std::uint64_t seq,
                 bool with_payload) {
  const std::uint32_t device = Load::device_of(n);
  BatchRow batch;
  batch.origin = load.origins[device];
  batch.first_seq = seq;
  batch.count = kRecordsPerBatch;
  batch.encoding = sync::v1::ENCODING_ZSTD;
  if (with_payload) batch.payload = load.payload;
  batch.chain.assign(32, 'c');
  batch.signature.assign(64, 's');
  DUHUI_CHECK_OK(tables.streams().add_batch(batch));
  StreamRow stream;
  stream.origin = batch.origin;
  stream.head = seq + kRecordsPerBatch - 1;
  stream.chain = batch.chain;
  DUHUI_CHECK_OK(tables.streams().put(stream));
  DUHUI_TRY(head, tables.feed().head(load.scopes[device]));
  FeedRow run;
  run.scope = load.scopes[device];
  run.first = head.through + 1;
  run.count = kRecordsPerBatch;
  run.origin = batch.origin;
  run.first_seq = seq;
  return tables.feed().append(run);
}

void insert_all(SqliteHubStore& store, const Load& load, const Settings& settings, bool payload) {
  for (std::uint32_t from = 0; from < settings.records; from += settings.per_commit) {
    must(store.write([&](HubTransaction& tables) -> Status {
      const std::uint32_t end = std::min(from + settings.per_commit, settings.records);
      for (std::uint32_t n = from; n < end; ++n) {
        if (n % kRecordsPerBatch == 0)
          DUHUI_CHECK_OK(add_batch(tables, load, n, Load::seq_of(n), payload));
        DUHUI_TRY(before, tables.records().get(load.ids[n]));
        DUHUI_CHECK(!before);
        DUHUI_CHECK_OK(tables.records().put(load.record(n)));
      }
      return Done{};
    }));
  }
}

void update_all(SqliteHubStore& store, const Load& load, const Settings& settings) {
  // After the last seq of every device.
  const std::uint64_t shift = settings.records;
  for (std::uint32_t from = 0; from < settings.records; from += settings.per_commit) {
    must(store.write([&](HubTransaction& tables) -> Status {
      const std::uint32_t end = std::min(from + settings.per_commit, settings.records);
      for (std::uint32_t n = from; n < end; ++n) {
        if (n % kRecordsPerBatch == 0)
          DUHUI_CHECK_OK(add_batch(tables, load, n, shift + Load::seq_of(n), false));
        DUHUI_TRY(row, tables.records().get(load.ids[n]));
        DUHUI_CHECK(row.has_value());
        OpRef op = row->ops.back();
        op.dot.seq += shift;
        op.stamp.effective_ms += 3'600'000;
        row->ops.push_back(op);
        row->checksum += n;
        DUHUI_CHECK_OK(tables.records().put(*row));
      }
      return Done{};
    }));
  }
}

std::uint64_t walk_all(SqliteHubStore& store, const Load& load) {
  std::uint64_t walked = 0;
  for (const std::string& scope : load.scopes) {
    RecordId after;
    for (bool more = true; more;) {
      must(store.read([&](HubTransaction& tables) -> Status {
        DUHUI_TRY(rows, tables.records().walk(scope, after, 500));
        more = !rows.empty();
        if (more) after = rows.back().id;
        walked += rows.size();
        return Done{};
      }));
    }
  }
  return walked;
}

/// The reference: the same pages, sync and commit size; rows of 700 bytes with two indexes and one
/// feed row each, read before they are upserted.
class RawSqlite {
 public:
  RawSqlite(const std::string& path, const Settings& settings) : settings_(settings) {
    DUHUI_CHECK(sqlite3_open(path.c_str(), &database_) == SQLITE_OK);
    run("PRAGMA page_size=" + std::to_string(settings.page_bytes) +
        ";PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA cache_size=-16384;"
        "PRAGMA wal_autocheckpoint=4096;"
        "CREATE TABLE record(id BLOB PRIMARY KEY,scope TEXT,date TEXT,body BLOB) WITHOUT ROWID;"
        "CREATE INDEX a ON record(scope);CREATE INDEX b ON record(date);"
        "CREATE TABLE feed(scope TEXT,seq INTEGER,id BLOB,PRIMARY KEY(scope,seq)) WITHOUT ROWID");
    prepare(get_, "SELECT body FROM record WHERE id=?");
    prepare(put_,
            "INSERT INTO record VALUES(?,?,?,?) ON CONFLICT(id) DO UPDATE SET"
            " body=excluded.body");
    prepare(feed_put_, "INSERT INTO feed VALUES(?,?,?)");
  }
  RawSqlite(const RawSqlite&) = delete;
  RawSqlite& operator=(const RawSqlite&) = delete;
  ~RawSqlite() {
    for (sqlite3_stmt* statement : {get_, put_, feed_put_}) sqlite3_finalize(statement);
    sqlite3_close(database_);
  }

  void upsert_all(const Load& load) {
    for (std::uint32_t from = 0; from < settings_.records; from += settings_.per_commit) {
      run("BEGIN IMMEDIATE");
      const std::uint32_t end = std::min(from + settings_.per_commit, settings_.records);
      for (std::uint32_t n = from; n < end; ++n) upsert(load, n);
      run("COMMIT");
    }
  }

 private:
  static constexpr int kBodyBytes = 700;

  void upsert(const Load& load, std::uint32_t n) {
    const std::string& scope = load.scopes[Load::device_of(n)];
    const std::string date = "2025-09-" + std::to_string(10 + n % 20);
    bind(get_, 1, load.ids[n].view());
    step(get_);
    bind(put_, 1, load.ids[n].view());
    bind(put_, 2, scope);
    bind(put_, 3, date);
    bind(put_, 4, std::string_view(load.payload).substr(n % 60'000, kBodyBytes));
    step(put_);
    bind(feed_put_, 1, scope);
    sqlite3_bind_int64(feed_put_, 2, ++position_);
    bind(feed_put_, 3, load.ids[n].view());
    step(feed_put_);
  }
  static void bind(sqlite3_stmt* statement, int index, std::string_view bytes) {
    sqlite3_bind_blob64(statement, index, bytes.data(), bytes.size(), SQLITE_STATIC);
  }
  static void step(sqlite3_stmt* statement) {
    const int result = sqlite3_step(statement);
    DUHUI_CHECK(result == SQLITE_DONE || result == SQLITE_ROW);
    sqlite3_reset(statement);
  }
  void prepare(sqlite3_stmt*& statement, const char* sql) {
    DUHUI_CHECK(sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr) == SQLITE_OK);
  }
  void run(const std::string& sql) {
    DUHUI_CHECK(sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  }

  const Settings settings_;
  sqlite3* database_ = nullptr;
  sqlite3_stmt* get_ = nullptr;
  sqlite3_stmt* put_ = nullptr;
  sqlite3_stmt* feed_put_ = nullptr;
  std::int64_t position_ = 0;
};

class Report {
 public:
  explicit Report(const Settings& settings) : records_(settings.records) {
    std::printf("%-24s %12s %12s %16s\n", "", "records/s", "seconds", "CPU s per 10k");
  }
  void add(const std::string& name, const Figure& figure) {
    const double rate = records_ / figure.wall_s;
    const double cpu = figure.cpu_s / records_ * 10'000;
    std::printf("%-24s %12.0f %12.3f %16.4f\n", name.c_str(), rate, figure.wall_s, cpu);
    values_.emplace_back(name + ".records_per_s", rate);
    values_.emplace_back(name + ".cpu_s_per_10k", cpu);
  }
  void add(const std::string& name, double value) {
    std::printf("%-24s %12.1f\n", name.c_str(), value);
    values_.emplace_back(name, value);
  }
  void print_json() const {
    std::printf("{");
    const char* before = "";
    for (const auto& [name, value] : values_) {
      std::printf("%s\"%s\": %.6g", before, name.c_str(), value);
      before = ", ";
    }
    std::printf("}\n");
  }

 private:
  const double records_;
  std::vector<std::pair<std::string, double>> values_;
};

void run_store(const std::string& folder,
               const Settings& settings,
               const Load& load,
               Report& report) {
  SqliteHubStoreOptions options;
  options.page_bytes = settings.page_bytes;
  const std::string path = folder + "/hub.db";
  {
    auto store = must(SqliteHubStore::open(path, options));
    report.add("insert", timed([&] { insert_all(*store, load, settings, true); }));
    report.add("update", timed([&] { update_all(*store, load, settings); }));
    std::uint64_t walked = 0;
    report.add("walk", timed([&] { walked = walk_all(*store, load); }));
    DUHUI_CHECK(walked == settings.records);
    must(store->verify());
  }
  const std::string bare = folder + "/bare.db";
  { insert_all(*must(SqliteHubStore::open(bare, options)), load, settings, false); }
  report.add("disk_bytes_per_record",
             static_cast<double>(std::filesystem::file_size(bare)) / settings.records);
}

int bench(const Settings& settings) {
  std::string folder = settings.folder + "/hub_store_bench_XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) {
    std::perror(folder.c_str());
    return 1;
  }
  const Load load(settings);
  Report report(settings);
  report.add("rss_before_mb", static_cast<double>(peak_rss_kb()) / 1024);
  run_store(folder, settings, load, report);
  report.add("rss_peak_mb", static_cast<double>(peak_rss_kb()) / 1024);
  {
    RawSqlite raw(folder + "/raw.db", settings);
    report.add("raw_insert", timed([&] { raw.upsert_all(load); }));
    report.add("raw_update", timed([&] { raw.upsert_all(load); }));
  }
  report.print_json();
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace duhui::hub

int main(int argc, char** argv) {
  duhui::hub::Settings settings;
  for (int n = 1; n + 1 < argc; n += 2) {
    const std::string_view name = argv[n];
    if (name == "--folder") settings.folder = argv[n + 1];
    const auto number = static_cast<std::uint32_t>(std::strtoul(argv[n + 1], nullptr, 10));
    if (name == "--records") settings.records = number;
    if (name == "--per-commit") settings.per_commit = number;
    if (name == "--page") settings.page_bytes = static_cast<int>(number);
  }
  return duhui::hub::bench(settings);
}

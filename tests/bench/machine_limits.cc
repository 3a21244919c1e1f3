#include "tests/bench/machine_limits.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fcntl.h>
#include <leveldb/db.h>
#include <leveldb/write_batch.h>
#include <sqlite3.h>
#include <unistd.h>

#include "shared/base/random.h"
#include "shared/net/http_server.h"
#include "shared/net/task_scope.h"
#include "shared/net/websocket_client.h"
#include "tests/bench/hub_process.h"

namespace duhui::bench {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
constexpr std::size_t kValueBytes = 700;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double fsync_ms(const std::string& folder) {
  constexpr int kTimes = 200;
  const std::string block(4096, 'x');
  const int file = ::open((folder + "/fsync").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  std::vector<double> times;
  for (int n = 0; n < kTimes; ++n) {
    const auto begin = Clock::now();
    if (::write(file, block.data(), block.size()) < 0 || ::fsync(file) != 0) fail("fsync");
    times.push_back(seconds_since(begin) * 1000);
  }
  ::close(file);
  std::nth_element(times.begin(), times.begin() + kTimes / 2, times.end());
  return times[kTimes / 2];
}

double leveldb_per_s(const std::string& folder, int per_batch, int records) {
  SeededRandom random(1);
  leveldb::Options options;
  options.create_if_missing = true;
  leveldb::DB* raw = nullptr;
  if (!leveldb::DB::Open(options, folder + "/leveldb" + std::to_string(per_batch), &raw).ok())
    fail("leveldb");
  const std::unique_ptr<leveldb::DB> database(raw);
  std::string value(kValueBytes, '\0');
  leveldb::WriteOptions synced;
  synced.sync = true;
  const auto begin = Clock::now();
  for (int n = 0; n < records; n += per_batch) {
    leveldb::WriteBatch batch;
    for (int m = 0; m < per_batch; ++m) {
      random.fill(value.data(), 32);
      batch.Put(value.substr(0, 16), value);
    }
    if (!database->Write(synced, &batch).ok()) fail("leveldb");
  }
  return records / seconds_since(begin);
}

class Sqlite {
 public:
  explicit Sqlite(const std::string& path) {
    if (sqlite3_open(path.c_str(), &handle_) != SQLITE_OK) fail("sqlite");
    run("PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;"
        "CREATE TABLE record(id BLOB PRIMARY KEY, scope INT, day INT, value BLOB) WITHOUT ROWID;"
        "CREATE INDEX by_scope ON record(scope);CREATE INDEX by_day ON record(day);"
        "CREATE TABLE feed(seq INTEGER PRIMARY KEY, id BLOB)");
    read_ = prepare("SELECT value FROM record WHERE id=?");
    write_ = prepare(
        "INSERT INTO record VALUES(?,?,?,?) ON CONFLICT(id) DO UPDATE SET value=excluded.value");
    feed_ = prepare("INSERT INTO feed(id) VALUES(?)");
  }
  ~Sqlite() {
    for (sqlite3_stmt* statement : {read_, write_, feed_}) sqlite3_finalize(statement);
    sqlite3_close(handle_);
  }
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  void run(const char* sql) {
    if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
      fail(sqlite3_errmsg(handle_));
  }
  void upsert(const std::string& id, int number, const std::string& value) {
    bind(read_, 1, id);
    step(read_);
    bind(write_, 1, id);
    sqlite3_bind_int(write_, 2, number % 50);
    sqlite3_bind_int(write_, 3, number % 120);
    bind(write_, 4, value);
    step(write_);
    bind(feed_, 1, id);
    step(feed_);
  }

 private:
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* made = nullptr;
    if (sqlite3_prepare_v2(handle_, sql, -1, &made, nullptr) != SQLITE_OK)
      fail(sqlite3_errmsg(handle_));
    return made;
  }
  static void bind(sqlite3_stmt* statement, int at, const std::string& bytes) {
    sqlite3_bind_blob(statement, at, bytes.data(), static_cast<int>(bytes.size()), nullptr);
  }
  static void step(sqlite3_stmt* statement) {
    sqlite3_step(statement);
    sqlite3_reset(statement);
  }

  sqlite3* handle_ = nullptr;
  sqlite3_stmt* read_ = nullptr;
  sqlite3_stmt* write_ = nullptr;
  sqlite3_stmt* feed_ = nullptr;
};

void sqlite_limits(const std::string& folder, nlohmann::json& out) {
  constexpr int kRecords = 20'000;
  constexpr int kPerCommit = 1'000;
  Sqlite database(folder + "/plain.db");
  for (const char* name : {"sqlite_inserts_per_s", "sqlite_updates_per_s"}) {
    SeededRandom random(2);  // the same ids both times
    std::string value(kValueBytes, '\0');
    const auto begin = Clock::now();
    for (int n = 0; n < kRecords; ++n) {
      if (n % kPerCommit == 0) database.run("BEGIN IMMEDIATE");
      random.fill(value.data(), 32);
      database.upsert(value.substr(0, 16), n, value);
      if (n % kPerCommit == kPerCommit - 1) database.run("COMMIT");
    }
    out[name] = kRecords / seconds_since(begin);
  }
}

asio::awaitable<net::HttpResponse> no_page(net::HttpRequest) {
  co_return net::HttpResponse{.status = 404};
}

asio::awaitable<void> echo(std::unique_ptr<net::MessageStream> stream) {
  for (;;) {
    auto message = co_await stream->read();
    if (!message) co_return;
    auto written = co_await stream->write(std::move(message).value());
    if (!written) co_return;
  }
}

asio::awaitable<void> talk(net::MessageStream& stream, int messages) {
  const std::string message(kValueBytes, 'm');
  for (int n = 0; n < messages; ++n) {
    auto written = co_await stream.write(message);
    auto answer = co_await stream.read();
    if (!written || !answer) fail("echo");
  }
}

asio::awaitable<void> talk_to(net::HubAddress hub, double& per_s) {
  constexpr std::size_t kConnections = 50;
  constexpr int kMessages = 400;
  std::vector<std::unique_ptr<net::MessageStream>> streams;
  for (std::size_t n = 0; n < kConnections; ++n) {
    auto stream = co_await net::connect_to_hub(hub, {});
    if (!stream) fail("echo: " + to_string(stream.error()));
    streams.push_back(std::move(stream).value());
  }
  const auto executor = co_await asio::this_coro::executor;
  net::TaskScope talkers(executor);
  const auto begin = Clock::now();
  for (auto& stream : streams) talkers.spawn(talk(*stream, kMessages));
  co_await talkers.wait();
  per_s = static_cast<double>(kConnections) * kMessages / seconds_since(begin);
}

asio::awaitable<void> serve(net::Listener& listener, asio::steady_timer& until) {
  const auto executor = co_await asio::this_coro::executor;
  net::TaskScope scope(executor);
  scope.spawn(listener.run(no_page, echo));
  co_await until.async_wait(asio::as_tuple(asio::use_awaitable));
  scope.cancel();
  co_await scope.wait();
}

void rethrow(std::exception_ptr why) {
  if (why) std::rethrow_exception(why);
}

double echo_per_s() {
  asio::io_context server{1};
  asio::io_context client{1};
  const net::TlsIdentity identity = net::make_tls_identity("echo").value();
  auto listener =
      net::Listener::on_tls(server.get_executor(), "127.0.0.1", 0, identity, {}).value();
  asio::steady_timer until(server, asio::steady_timer::time_point::max());
  asio::co_spawn(server, serve(*listener, until), rethrow);
  std::thread serving([&server] { server.run(); });
  double per_s = 0;
  const net::HubAddress address{
      .host = "127.0.0.1", .port = listener->port(), .pin = identity.pin.str()};
  asio::co_spawn(client, talk_to(address, per_s), rethrow);
  client.run();
  asio::post(server, [&until] { until.cancel(); });
  serving.join();
  return per_s;
}

}  // namespace

nlohmann::json machine_limits(const std::string& folder) {
  nlohmann::json out;
  out["fsync_ms"] = fsync_ms(folder);
  out["leveldb_100_per_s"] = leveldb_per_s(folder, 100, 20'000);
  out["leveldb_1000_per_s"] = leveldb_per_s(folder, 1'000, 40'000);
  sqlite_limits(folder, out);
  out["websocket_echo_per_s"] = echo_per_s();
  return out;
}

}  // namespace duhui::bench

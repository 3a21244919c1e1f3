// Workload W (workload.h) with real devices against a real hub process: TLS on loopback, fsync
// before every acknowledgement. Prints a table, writes JSON.
//
//   sync_bench --hub PROGRAM [--json FILE] [--folder DIR] [--agents N] [--records N] [--seed N]
//              [--only W1,W2,...]

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>

#include "shared/merge/schema.h"
#include "tests/bench/bench_agent.h"
#include "tests/bench/hub_process.h"
#include "tests/bench/machine_limits.h"
#include "tests/bench/workload.h"

namespace duhui::bench {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

struct Settings {
  std::string hub;
  std::string json = "build/bench/sync.json";
  std::string folder;
  std::uint32_t agents = 50;
  std::uint32_t records = 400;  // of each agent
  std::uint64_t seed = 1;
  std::string only = "limits,W1,W2,W3,W4,W5";

  bool wants(const std::string& phase) const { return only.find(phase) != std::string::npos; }
};

constexpr std::size_t kSavedTogether = 200;
constexpr std::uint32_t kSingleWrites = 500;

std::uint64_t bytes_in(const std::string& folder) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) bytes += entry.file_size();
  return bytes;
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Of all devices together.
double own_cpu_seconds() {
  timespec spent{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
}

/// Threads with a loop each: a device's own fsyncs hold up only its neighbours.
class Loops {
 public:
  explicit Loops(std::size_t count) {
    for (std::size_t n = 0; n < count; ++n)
      contexts_.push_back(std::make_unique<asio::io_context>(1));
    for (auto& context : contexts_) {
      guards_.emplace_back(context->get_executor());
      threads_.emplace_back([&context = *context] { context.run(); });
    }
  }
  ~Loops() {
    guards_.clear();
    for (std::thread& thread : threads_) thread.join();
  }
  Loops(const Loops&) = delete;
  Loops& operator=(const Loops&) = delete;

  asio::any_io_executor of(std::size_t n) {
    return contexts_[n % contexts_.size()]->get_executor();
  }

 private:
  std::vector<std::unique_ptr<asio::io_context>> contexts_;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards_;
  std::vector<std::thread> threads_;
};

using Agents = std::vector<std::unique_ptr<BenchAgent>>;

void rethrow(std::exception_ptr why) {
  if (why) std::rethrow_exception(why);
}

/// Connections of some agents: made at once, ended together.
class Connections {
 public:
  Connections(const std::vector<BenchAgent*>& agents,
              const net::HubAddress& hub,
              BenchAgent::Goal goal)
      : agents_(agents), reached_(std::ssize(agents)), ended_(std::ssize(agents)) {
    for (BenchAgent* agent : agents_) {
      asio::post(agent->loop(), [this, agent, hub, goal] {
        asio::co_spawn(agent->loop(),
                       agent->stay_connected(hub, goal, [this] { reached_.count_down(); }),
                       [this](std::exception_ptr why) {
                         rethrow(why);
                         ended_.count_down();
                       });
      });
    }
  }
  ~Connections() {
    for (BenchAgent* agent : agents_) asio::post(agent->loop(), [agent] { agent->stop(); });
    ended_.wait();
  }
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  void wait() { reached_.wait(); }

 private:
  std::vector<BenchAgent*> agents_;
  std::latch reached_;
  std::latch ended_;
};

std::vector<BenchAgent*> pointers(const Agents& agents) {
  std::vector<BenchAgent*> all;
  for (const auto& agent : agents) all.push_back(agent.get());
  return all;
}

/// What the hub spent and the wire carried from its making on.
class Meter {
 public:
  explicit Meter(const HubProcess& hub)
      : hub_(hub), cpu_(hub.cpu_seconds()), own_cpu_(own_cpu_seconds()), wire_(wire_bytes) {
    hub.forget_peak();
  }
  Json read(double records) const {
    const double wall = seconds_since(begin_);
    return {{"records_per_s", records / wall},
            {"wall_s", wall},
            {"wire_bytes_per_record", static_cast<double>(wire_bytes - wire_) / records},
            {"hub_cpu_s_per_10k", (hub_.cpu_seconds() - cpu_) / records * 10'000},
            {"agents_cpu_s_per_10k", (own_cpu_seconds() - own_cpu_) / records * 10'000},
            {"hub_peak_rss_mb", hub_.peak_kb() / 1024}};
  }

 private:
  const HubProcess& hub_;
  double cpu_;
  double own_cpu_;
  std::uint64_t wire_;
  Clock::time_point begin_ = Clock::now();
};

class Bench {
 public:
  explicit Bench(Settings settings)
      : settings_(std::move(settings)),
        hub_folder_(settings_.folder + "/hub"),
        work_(settings_.seed),
        loops_(8) {
    start_hub();
    // The hub knows the people, as it does in an office: it need not correct their ranks.
    const std::string registries = folder_of("registries");
    std::filesystem::create_directories(registries);
    Workload::write_registries(registries);
    hub_->import(registries);
  }

  Json run() {
    if (settings_.wants("limits")) {
      hub_.reset();  // nobody else on the machine
      out_["limits"] = machine_limits(settings_.folder);
      start_hub();
    }
    if (settings_.wants("W1")) enrol_and_push();
    if (settings_.wants("W2")) edit_everything();
    if (settings_.wants("W3")) take_everything();
    if (settings_.wants("W5")) write_singly();
    if (settings_.wants("W4")) idle();
    return out_;
  }

 private:
  void start_hub() { hub_ = std::make_unique<HubProcess>(settings_.hub, hub_folder_); }
  double total() const { return static_cast<double>(settings_.agents) * settings_.records; }
  std::string folder_of(const std::string& name) const { return settings_.folder + "/" + name; }

  std::uint64_t disk_after_restart() {
    hub_.reset();
    start_hub();
    return hub_->disk_bytes();
  }

  void save_all(const std::function<Intent(std::uint32_t agent, std::size_t record)>& intent_of) {
    for (std::uint32_t a = 0; a < settings_.agents; ++a) {
      for (std::size_t from = 0; from < records_[a].size(); from += kSavedTogether) {
        std::vector<Intent> intents;
        const std::size_t end = std::min(from + kSavedTogether, records_[a].size());
        for (std::size_t r = from; r < end; ++r) intents.push_back(intent_of(a, r));
        agents_[a]->save(intents);
      }
    }
  }

  static Intent must(Result<Intent> intent) {
    if (!intent) fail(to_string(intent.error()));
    return std::move(*intent);
  }

  Json push_all() {
    Meter meter(*hub_);
    Json figures;
    {
      Connections connections(pointers(agents_), hub_->address(), BenchAgent::Goal::acknowledged);
      connections.wait();
      figures = meter.read(total());
    }
    return figures;
  }

  void enrol_and_push() {
    for (std::uint32_t a = 0; a < settings_.agents; ++a) {
      agents_.push_back(std::make_unique<BenchAgent>(loops_.of(a),
                                                     folder_of("agent" + std::to_string(a)),
                                                     hub_->ticket(Workload::scope_of(a), 1)));
      auto& mine = records_.emplace_back();
      for (std::uint32_t r = 0; r < settings_.records; ++r) mine.push_back(work_.record(a));
    }
    Connections(pointers(agents_), hub_->address(), BenchAgent::Goal::caught_up).wait();
    save_all([this](std::uint32_t a, std::size_t r) {
      return must(creating_intent(records_[a][r], a));
    });
    const std::uint64_t disk = disk_after_restart();
    out_["W1"] = push_all();
    out_["W1"]["disk_bytes_per_record"] =
        static_cast<double>(disk_after_restart() - disk) / total();
  }

  void edit_everything() {
    save_all([this](std::uint32_t a, std::size_t r) {
      const Json fields = work_.change_score(records_[a][r]);
      return must(editing_intent(records_[a][r], fields));
    });
    const std::uint64_t disk = hub_->disk_bytes();
    out_["W2"] = push_all();
    out_["W2"]["disk_bytes_per_record"] =
        static_cast<double>(disk_after_restart() - disk) / total();
  }

  void take_everything() {
    Agents fresh;
    fresh.push_back(std::make_unique<BenchAgent>(loops_.of(0), folder_of("fresh"),
                                                 hub_->ticket(Workload::district(), 1)));
    const std::uint64_t disk = bytes_in(folder_of("fresh"));
    {
      Meter meter(*hub_);
      Connections connections(pointers(fresh), hub_->address(), BenchAgent::Goal::caught_up);
      connections.wait();
      out_["W3"] = meter.read(total());
    }
    const auto ids = fresh[0]->replica().find(Schema::instance().find("visit_record")->rule.type(),
                                              {}, 1'000'000);
    if (!ids || static_cast<double>(ids->size()) != total()) fail("W3: not everything came");
    out_["W3"]["disk_bytes_per_record"] =
        static_cast<double>(bytes_in(folder_of("fresh")) - disk) / total();
  }

  void write_singly() {
    // Two devices of one school, on threads of their own.
    const std::string ticket = hub_->ticket(Workload::scope_of(0), 2);
    Agents two;
    two.push_back(std::make_unique<BenchAgent>(loops_.of(0), folder_of("writer"), ticket));
    two.push_back(std::make_unique<BenchAgent>(loops_.of(1), folder_of("reader"), ticket));
    if (records_.empty()) fail("W5 edits the records of W1");
    RecordId awaited{};
    std::mutex mutex;
    std::condition_variable heard;
    bool shown = false;
    two[1]->on_change([&](const std::vector<RecordId>& ids) {
      const std::lock_guard lock(mutex);
      shown = shown || std::find(ids.begin(), ids.end(), awaited) != ids.end();
      heard.notify_one();
    });
    Connections connections(pointers(two), hub_->address(), BenchAgent::Goal::caught_up);
    connections.wait();
    std::vector<double> whole;
    std::vector<double> after_saved;
    for (std::uint32_t n = 0; n <= kSingleWrites; ++n) {
      WorkRecord& record = records_[0][n % records_[0].size()];
      const Intent intent = must(editing_intent(record, work_.change_score(record)));
      {
        const std::lock_guard lock(mutex);
        awaited = record.id;
        shown = false;
      }
      Clock::time_point saved;
      const auto begin = Clock::now();
      asio::post(two[0]->loop(), [&] {
        two[0]->save(std::vector{intent});
        saved = Clock::now();
        two[0]->tell();
      });
      std::unique_lock lock(mutex);
      if (!heard.wait_for(lock, std::chrono::seconds(10), [&] { return shown; }))
        fail("W5: never shown");
      if (n == 0) continue;  // warms up
      whole.push_back(seconds_since(begin) * 1000);
      after_saved.push_back(seconds_since(saved) * 1000);
    }
    for (auto* times : {&whole, &after_saved}) std::sort(times->begin(), times->end());
    const auto at = [](const std::vector<double>& times, double part) {
      return times[std::min(times.size() - 1,
                            static_cast<std::size_t>(part * static_cast<double>(times.size())))];
    };
    out_["W5"] = {{"p50_ms", at(whole, 0.5)},
                  {"p99_ms", at(whole, 0.99)},
                  {"after_saved_p50_ms", at(after_saved, 0.5)},
                  {"after_saved_p99_ms", at(after_saved, 0.99)}};
  }

  void idle() {
    constexpr std::size_t kSteps[] = {1'000, 5'000};
    constexpr std::size_t kAtOnce = 100;
    constexpr std::uint32_t kUses = 1'000;
    Agents agents;
    std::vector<std::unique_ptr<Connections>> connections;
    std::string ticket;
    const auto grow = [&](std::size_t to) {
      while (agents.size() < to) {
        std::vector<BenchAgent*> some;
        for (std::size_t n = 0; n < kAtOnce && agents.size() < to; ++n) {
          if (agents.size() % kUses == 0) ticket = hub_->ticket(Workload::scope_of(900), kUses);
          agents.push_back(std::make_unique<BenchAgent>(loops_.of(agents.size()), "", ticket));
          some.push_back(agents.back().get());
        }
        connections.push_back(
            std::make_unique<Connections>(some, hub_->address(), BenchAgent::Goal::live));
        connections.back()->wait();
      }
    };
    hub_.reset();
    start_hub();
    grow(1);  // what the first one loads is not the price of a connection
    const double before = hub_->resident_kb();
    for (const std::size_t count : kSteps) {
      grow(count);
      out_["W4"]["kb_per_connection_at_" + std::to_string(count)] =
          (hub_->resident_kb() - before) / static_cast<double>(count - 1);
    }
    out_["W4"]["kb_per_connection"] = out_["W4"]["kb_per_connection_at_5000"];
  }

  const Settings settings_;
  const std::string hub_folder_;
  Workload work_;
  Loops loops_;
  std::unique_ptr<HubProcess> hub_;
  Agents agents_;
  std::vector<std::vector<WorkRecord>> records_;
  Json out_;
};

struct Figure {
  const char* key;
  const char* unit;
  double reach;  // what is aimed at; 0: no aim
};

constexpr Figure kFigures[] = {
    {"/W1/records_per_s", "records/s", 25'000},
    {"/W1/wire_bytes_per_record", "B", 700},
    {"/W1/hub_cpu_s_per_10k", "s", 0.5},
    {"/W1/agents_cpu_s_per_10k", "s", 0},
    {"/W1/hub_peak_rss_mb", "MB", 150},
    {"/W1/disk_bytes_per_record", "B", 1'200},
    {"/W2/records_per_s", "records/s", 40'000},
    {"/W2/wire_bytes_per_record", "B", 70},
    {"/W2/hub_cpu_s_per_10k", "s", 0.5},
    {"/W2/agents_cpu_s_per_10k", "s", 0},
    {"/W2/hub_peak_rss_mb", "MB", 150},
    {"/W2/disk_bytes_per_record", "B", 0},
    {"/W3/records_per_s", "records/s", 60'000},
    {"/W3/wire_bytes_per_record", "B", 0},
    {"/W3/hub_cpu_s_per_10k", "s", 0},
    {"/W3/agents_cpu_s_per_10k", "s", 0},
    {"/W3/hub_peak_rss_mb", "MB", 150},
    {"/W4/kb_per_connection_at_1000", "KB", 25},
    {"/W4/kb_per_connection_at_5000", "KB", 25},
    {"/W5/p50_ms", "ms", 3},
    {"/W5/p99_ms", "ms", 12},
    {"/W5/after_saved_p50_ms", "ms", 0},
    {"/W5/after_saved_p99_ms", "ms", 0},
    {"/limits/fsync_ms", "ms", 0},
    {"/limits/leveldb_100_per_s", "records/s", 0},
    {"/limits/leveldb_1000_per_s", "records/s", 0},
    {"/limits/sqlite_inserts_per_s", "records/s", 0},
    {"/limits/sqlite_updates_per_s", "records/s", 0},
    {"/limits/websocket_echo_per_s", "messages/s", 0},
};

/// Ours to what the same machine does at most, in the same run.
void add_ratios(Json& out) {
  const auto ratio = [&out](const char* name, const char* ours, const char* limit) {
    const Json::json_pointer over(ours);
    const Json::json_pointer under(limit);
    if (out.contains(over) && out.contains(under)) {
      out["ratios"][name] = out[over].get<double>() / out[under].get<double>();
    }
  };
  ratio("W1_to_sqlite_inserts", "/W1/records_per_s", "/limits/sqlite_inserts_per_s");
  ratio("W1_to_leveldb_100", "/W1/records_per_s", "/limits/leveldb_100_per_s");
  ratio("W2_to_sqlite_updates", "/W2/records_per_s", "/limits/sqlite_updates_per_s");
  ratio("W3_to_leveldb_1000", "/W3/records_per_s", "/limits/leveldb_1000_per_s");
  ratio("W1_to_websocket_echo", "/W1/records_per_s", "/limits/websocket_echo_per_s");
  ratio("W5_p50_to_fsync", "/W5/p50_ms", "/limits/fsync_ms");
}

void print(const Json& out) {
  std::printf("%-34s %14s %14s\n", "", "measured", "to reach");
  for (const Figure& figure : kFigures) {
    const Json::json_pointer at(figure.key);
    if (!out.contains(at)) continue;
    std::printf("%-34s %14.2f", figure.key + 1, out[at].get<double>());
    if (figure.reach > 0) std::printf(" %14.2f", figure.reach);
    std::printf("  %s\n", figure.unit);
  }
  if (!out.contains("ratios")) return;
  for (const auto& [name, value] : out["ratios"].items())
    std::printf("%-34s %14.2f\n", name.c_str(), value.get<double>());
}

std::string hub_beside_this() {
  return (std::filesystem::canonical("/proc/self/exe").parent_path() / "../../hub/app/duhui-hub")
      .string();
}

int run(int argc, char** argv) {
  Settings settings;
  CLI::App app("Measures the hub with real agents over real TLS.", "sync_bench");
  app.add_option("--hub", settings.hub, "the program duhui-hub (default: of the same build)");
  app.add_option("--json", settings.json, "where the figures go")->capture_default_str();
  app.add_option("--folder", settings.folder, "on the disk to measure (default: temporary files)");
  app.add_option("--only", settings.only, "phases, joined by commas")->capture_default_str();
  app.add_option("--agents", settings.agents)->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--records", settings.records, "of each agent")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--seed", settings.seed)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (settings.hub.empty()) settings.hub = hub_beside_this();
  std::string folder =
      settings.folder.empty() ? std::filesystem::temp_directory_path().string() : settings.folder;
  folder += "/duhui-bench-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) fail("cannot make " + folder);
  settings.folder = folder;
  Json out = Bench(settings).run();
  out["settings"] = {
      {"agents", settings.agents}, {"records", settings.records}, {"seed", settings.seed}};
  add_ratios(out);
  print(out);
  const auto parent = std::filesystem::path(settings.json).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent);
  std::ofstream(settings.json) << out.dump(2) << "\n";
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace duhui::bench

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  return duhui::bench::run(argc, argv);
}

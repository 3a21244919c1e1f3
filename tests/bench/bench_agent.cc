#include "tests/bench/bench_agent.h"

#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "tests/bench/hub_process.h"

namespace duhui::bench {
namespace {

namespace asio = boost::asio;

/// Counts what a connection carried when it ends.
class CountedStream final : public net::MessageStream {
 public:
  explicit CountedStream(std::unique_ptr<net::MessageStream> stream) : stream_(std::move(stream)) {}
  ~CountedStream() override { count(); }

  asio::awaitable<Result<std::string>> read() override {
    auto message = co_await stream_->read();
    count();
    co_return message;
  }
  asio::awaitable<Status> write(std::string message) override {
    auto done = co_await stream_->write(std::move(message));
    count();
    co_return done;
  }
  asio::awaitable<void> close(std::string reason) override {
    co_await stream_->close(std::move(reason));
  }
  std::string channel_binding() const override { return stream_->channel_binding(); }
  const Digest& server_pin() const override { return stream_->server_pin(); }
  const std::string& peer() const override { return stream_->peer(); }
  std::uint64_t bytes_read() const override { return stream_->bytes_read(); }
  std::uint64_t bytes_written() const override { return stream_->bytes_written(); }

 private:
  void count() {
    const std::uint64_t now = stream_->bytes_read() + stream_->bytes_written();
    wire_bytes += now - counted_;
    counted_ = now;
  }

  std::unique_ptr<net::MessageStream> stream_;
  std::uint64_t counted_ = 0;
};

template <typename T>
T must(Result<T> result) {
  if (!result) fail(to_string(result.error()));
  return std::move(*result);
}

}  // namespace

std::atomic<std::uint64_t> wire_bytes{0};

BenchAgent::BenchAgent(asio::any_io_executor loop, std::string folder, std::string ticket)
    : loop_(std::move(loop)),
      identity_{DeviceId::random(random_), SigningKey::generate(random_), std::move(ticket)} {
  agent::KvStore* store = nullptr;
  agent::Journal* journal = nullptr;
  if (folder.empty()) {
    memory_store_ = std::make_unique<agent::MemoryKvStore>(memory_);
    memory_journal_ = std::make_unique<agent::MemoryJournal>(memory_);
    store = memory_store_.get();
    journal = memory_journal_.get();
  } else {
    opened_ = must(
        agent::open_agent_store(files_, folder, {.now = clock_.wall(), .reserve_bytes = 1 << 20}));
    store = opened_.store.get();
    journal = opened_.journal.get();
  }
  replica_ = must(agent::Replica::open(*store, *journal, random_, clock_.read(), false));
}

void BenchAgent::save(const std::vector<Intent>& intents) {
  must(replica_->save(intents, clock_.read()));
}

asio::awaitable<void> BenchAgent::stay_connected(net::HubAddress hub,
                                                 Goal goal,
                                                 std::function<void()> reached) {
  goal_ = goal;
  reached_ = std::move(reached);
  stopping_ = false;
  for (;;) {
    auto stream = co_await net::connect_to_hub(hub, {});
    if (stream) {
      agent::LinkRunner runner(std::make_unique<CountedStream>(std::move(stream).value()),
                               *replica_, identity_, "sync_bench", clock_, *this, loop_);
      runner_ = &runner;
      const agent::LinkEnd end = co_await runner.run();
      runner_ = nullptr;
      if (stopping_) co_return;
      if (reconnects_ == 0) std::fprintf(stderr, "a link ended: %s\n", end.reason.c_str());
    } else if (reconnects_ == 0) {
      std::fprintf(stderr, "no link: %s\n", to_string(stream.error()).c_str());
    }
    if (++reconnects_ > 100) fail("a device does not get through to its goal");
    asio::steady_timer pause(loop_, std::chrono::milliseconds(100));
    co_await pause.async_wait(asio::use_awaitable);
  }
}

void BenchAgent::stop() {
  stopping_ = true;
  if (runner_ != nullptr) runner_->stop({.reason = "done"});
}

void BenchAgent::tell() {
  if (runner_ != nullptr) runner_->saved();
}

void BenchAgent::welcomed(const Digest&, const std::string&) {
  identity_.ticket.clear();
  look();
}

void BenchAgent::records_changed(const std::vector<RecordId>& ids) {
  if (heard_) heard_(ids);
}

void BenchAgent::acknowledged(std::uint64_t) { look(); }

void BenchAgent::look() {
  if (!reached_ || runner_ == nullptr || !runner_->live()) return;
  if (goal_ == Goal::acknowledged && replica_->unacknowledged() != 0) return;
  if (goal_ == Goal::caught_up && !runner_->caught_up()) return;
  std::exchange(reached_, nullptr)();
}

}  // namespace duhui::bench

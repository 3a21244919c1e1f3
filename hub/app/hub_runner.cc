#include "hub/app/hub_runner.h"

#include <algorithm>
#include <chrono>
#include <exception>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "hub/app/peer_stream.h"
#include "shared/base/bytes.h"

namespace duhui::hub {

namespace asio = boost::asio;

namespace {

/// Unpacked batches kept by the writing and the reading thread.
constexpr std::size_t kWriterOpsBytes = 16u << 20;
constexpr std::size_t kReaderOpsBytes = 8u << 20;
/// Above what the core's credit lets it send before the device answers: more is a peer that does
/// not read.
constexpr std::size_t kOutboundBytesMax = 12u << 20;
constexpr Duration kTidyInterval = seconds(5);
constexpr Duration kCollectInterval = hours(1);
constexpr Duration kStopStep = milliseconds(10);
/// For the last words to a device that may not read them.
constexpr Duration kFarewellTime = seconds(3);

std::chrono::milliseconds chrono_of(Duration duration) {
  return std::chrono::milliseconds(std::max<std::int64_t>(duration.ms, 0));
}

/// Of "192.0.2.7:5123" the address; of an IPv6 address the first half, for a single host has all of
/// the rest to choose from.
std::string source_of(const std::string& peer) {
  std::string host = peer.substr(0, peer.rfind(':'));
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  boost::system::error_code failed;
  const auto address = asio::ip::make_address(host, failed);
  if (failed) return {};
  if (address.is_v4()) return address.to_string();
  if (address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  const auto bytes = address.to_v6().to_bytes();
  return to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size() / 2});
}

/// What escapes from storage code ends that job alone.
void run_guarded(Job& job, StorageContext& context) {
  try {
    job.run(context);
  } catch (const std::exception& thrown) {
    context.ops.clear();
    job.failed = Error{ErrorCode::storage_failed, std::string("job: ") + thrown.what()};
  }
}

}  // namespace

class HubRunner::Registration {
 public:
  Registration(HubRunner& runner, Link& link) : runner_(runner), link_(link) {
    runner_.links_[link_.id] = &link_;
  }
  ~Registration() {
    runner_.disarm(link_);
    runner_.links_.erase(link_.id);
    runner_.perform(runner_.core_.closed(link_.id));
  }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

 private:
  HubRunner& runner_;
  Link& link_;
};

HubRunner::HubRunner(asio::any_io_executor loop, RunnerParts parts, std::string software)
    : loop_(loop),
      parts_(std::move(parts)),
      writer_(parts_.store, parts_.writer_random, parts_.identity.key, kWriterOpsBytes),
      reader_(parts_.store, parts_.reader_random, parts_.identity.key, kReaderOpsBytes),
      checker_(parts_.store, parts_.reader_random, parts_.identity.key, 0),
      files_(parts_.store, parts_.reader_random, parts_.identity.key, 0),
      core_(parts_.identity, std::move(software)),
      timer_(loop),
      jobs_(loop, parts_.log) {
  for (Lane* lane : {&writer_, &reader_, &files_}) {
    lane->context.blobs = parts_.blobs;
    lane->context.inventory = parts_.inventory;
  }
}

asio::awaitable<void> HubRunner::serve_session(std::unique_ptr<net::MessageStream> stream,
                                               Arrival arrival) {
  Link link(++last_session_, *stream, loop_);
  {
    const Registration registration(*this, link);
    perform(core_.opened(link.id, stream->channel_binding(), parts_.clock.monotonic(),
                         source_of(stream->peer()), arrival));
    if (link.state == Link::State::open) link.tasks.spawn(read_loop(link));
    co_await link.tasks.wait();
  }
  co_await stream->close(link.reason);
}

asio::awaitable<Status> HubRunner::converse(HubPeer& peer) {
  PeerTalk talk(peer);
  std::unique_ptr<net::MessageStream> stream = std::make_unique<PeerStream>(talk, loop_);
  const Arrival arrival = peer.arrival();
  co_await serve_session(std::move(stream), arrival);
  if (talk.failed) co_return *talk.failed;
  if (!peer.over()) co_return Error{ErrorCode::unavailable, "the hub ended it"};
  co_return Done{};
}

asio::awaitable<void> HubRunner::read_loop(Link& link) {
  while (link.state == Link::State::open) {
    auto message = co_await link.stream.read();
    if (!message) {
      end(link, message.error().detail);
      co_return;
    }
    perform(core_.received(link.id, *message, parts_.clock.wall(), parts_.clock.monotonic()));
  }
}

asio::awaitable<void> HubRunner::write_loop(Link& link) {
  while (!link.outbound.empty()) {
    std::vector<std::string> frames = std::exchange(link.outbound, {});
    for (std::string& frame : frames) {
      const std::size_t size = frame.size();
      const auto written = co_await link.stream.write(std::move(frame));
      link.outbound_bytes -= size;
      if (!written) {
        end(link, written.error().detail);
        co_return;
      }
    }
  }
  link.writing = false;
  if (link.state == Link::State::leaving) end(link, link.reason);
}

HubRunner::Link* HubRunner::find(SessionId id) {
  const auto at = links_.find(id);
  return at == links_.end() ? nullptr : at->second;
}

void HubRunner::end(Link& link, std::string reason) {
  if (link.state == Link::State::over) return;
  if (link.state == Link::State::open) link.reason = std::move(reason);
  link.state = Link::State::over;
  link.tasks.cancel();
}

void HubRunner::disarm(Link& link) {
  if (link.deadline) deadlines_.erase({link.deadline->ms, link.id});
  link.deadline.reset();
}

void HubRunner::perform(HubEffects effects) {
  for (HubEffect& effect : effects) {
    std::visit([this](auto& one) { perform(one); }, effect);
  }
}

void HubRunner::perform(SendTo& effect) {
  Link* link = find(effect.session);
  if (link == nullptr || link->state != Link::State::open) return;
  link->outbound_bytes += effect.frame.size();
  if (link->outbound_bytes > kOutboundBytesMax) return end(*link, "reads too slowly");
  link->outbound.push_back(std::move(effect.frame));
  if (link->writing) return;
  link->writing = true;
  link->tasks.spawn(write_loop(*link));
}

void HubRunner::perform(CloseSession& effect) {
  Link* link = find(effect.session);
  if (link == nullptr || link->state != Link::State::open) return;
  if (!link->writing) return end(*link, std::move(effect.reason));
  link->reason = std::move(effect.reason);
  link->state = Link::State::leaving;
  ArmSessionTimer farewell{link->id, kFarewellTime};
  perform(farewell);
}

void HubRunner::perform(ArmSessionTimer& effect) {
  Link* link = find(effect.session);
  if (link == nullptr) return;
  disarm(*link);
  link->deadline = parts_.clock.monotonic() + effect.delay;
  const auto [at, added] = deadlines_.emplace(link->deadline->ms, link->id);
  if (at == deadlines_.begin()) timer_.cancel();  // run_timers looks again
}

void HubRunner::perform(RunJob& effect) { jobs_.spawn(run_job(std::move(effect.job))); }

void HubRunner::perform(DeviceConnected& effect) {
  if (parts_.log) {
    parts_.log("connected: " + effect.name + " (" + to_uuid_text(effect.device.view()) + ")");
  }
}

HubRunner::Lane& HubRunner::lane_of(const Job& job) {
  switch (job.lane()) {
    case Job::Lane::writes:
      return writer_;
    case Job::Lane::reads:
      return reader_;
    case Job::Lane::checks:
      return checker_;
    case Job::Lane::files:
      return files_;
  }
  return writer_;
}

// Jobs of one kind are started in the order of their effects, and a lane has one thread: so they
// also run in that order.
asio::awaitable<void> HubRunner::run_job(std::unique_ptr<Job> job) {
  Lane& lane = lane_of(*job);
  untidy_ = untidy_ || job->lane() == Job::Lane::writes;
  std::function<void()> work = [&job, &lane] { run_guarded(*job, lane.context); };
  co_await lane.pool.perform(std::move(work));
  if (job->failed && parts_.log) parts_.log("job failed: " + to_string(*job->failed));
  perform(core_.job_done(std::move(job), parts_.clock.wall(), parts_.clock.monotonic()));
}

asio::awaitable<Result<std::vector<Dot>>> HubRunner::save(std::vector<Intent> intents) {
  auto job = core_.save(std::move(intents), parts_.clock.wall());
  untidy_ = true;
  std::function<void()> work = [&job, this] { run_guarded(*job, writer_.context); };
  co_await writer_.pool.perform(std::move(work));
  Result<std::vector<Dot>> saved =
      job->failed ? Result<std::vector<Dot>>(*job->failed) : Result<std::vector<Dot>>(job->dots);
  perform(core_.job_done(std::move(job), parts_.clock.wall(), parts_.clock.monotonic()));
  co_return saved;
}

asio::awaitable<Result<Decided>> HubRunner::decide(Decision decision,
                                                   std::vector<Dot> dots,
                                                   std::string person) {
  auto job = core_.decide(decision, std::move(dots), std::move(person), parts_.clock.wall());
  untidy_ = true;
  std::function<void()> work = [&job, this] { run_guarded(*job, writer_.context); };
  co_await writer_.pool.perform(std::move(work));
  Result<Decided> decided =
      job->failed ? Result<Decided>(*job->failed) : Result<Decided>(job->decided);
  perform(core_.job_done(std::move(job), parts_.clock.wall(), parts_.clock.monotonic()));
  co_return decided;
}

asio::awaitable<Status> HubRunner::change(std::function<Status(HubTransaction&)> work) {
  Status done = Done{};
  untidy_ = true;
  std::function<void()> job = [&] { done = parts_.store.write(work); };
  co_await writer_.pool.perform(std::move(job));
  co_return done;
}

asio::awaitable<void> HubRunner::learn_templates() {
  std::function<void()> work = [this] {
    const Status read = parts_.store.read(
        [this](HubTransaction& tx) { return writer_.rules.learn_stored(tx, writer_.ops); });
    if (!read && parts_.log) parts_.log("templates: " + to_string(read.error()));
  };
  co_await writer_.pool.perform(std::move(work));
}

void HubRunner::drop_device(const DeviceId& device, const std::string& why) {
  perform(core_.drop_device(device, why));
}

asio::awaitable<void> HubRunner::run_timers() {
  for (;;) {
    const MonotonicTime now = parts_.clock.monotonic();
    while (!deadlines_.empty() && deadlines_.begin()->first <= now.ms) {
      Link* link = find(deadlines_.begin()->second);
      deadlines_.erase(deadlines_.begin());
      if (link == nullptr) continue;
      link->deadline.reset();
      if (link->state == Link::State::leaving) {
        end(*link, link->reason);
        continue;
      }
      perform(core_.timer_fired(link->id, now));
    }
    const Duration wait =
        deadlines_.empty() ? hours(1) : MonotonicTime{deadlines_.begin()->first} - now;
    timer_.expires_after(chrono_of(wait));
    // An earlier deadline cancels the wait; whoever cancels this coroutine ends it here.
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

asio::awaitable<void> HubRunner::run_tidying() {
  MonotonicTime collect_at = parts_.clock.monotonic();
  asio::steady_timer timer(loop_);
  for (;;) {
    timer.expires_after(chrono_of(kTidyInterval));
    co_await timer.async_wait(asio::use_awaitable);
    if (parts_.clock.monotonic() >= collect_at) {
      collect_at = parts_.clock.monotonic() + kCollectInterval;
      perform(core_.collect_files());
    }
    if (!untidy_ || !core_.idle() || !parts_.tidy) continue;
    untidy_ = false;
    co_await reader_.pool.perform(parts_.tidy);
  }
}

asio::awaitable<void> HubRunner::stop(Duration patience) {
  perform(core_.shut_down());
  asio::steady_timer timer(loop_);
  const MonotonicTime until = parts_.clock.monotonic() + patience;
  while (!links_.empty() && parts_.clock.monotonic() < until) {
    timer.expires_after(chrono_of(kStopStep));
    co_await timer.async_wait(asio::use_awaitable);
  }
  for (const auto& [id, link] : links_) end(*link, "the hub stops");
  co_await jobs_.wait();
}

}  // namespace duhui::hub

#include "agent/app/link_runner.h"

#include <chrono>
#include <utility>
#include <variant>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace duhui::agent {
namespace {

namespace asio = boost::asio;
constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);

/// Frames waiting for the socket. The hub's credit keeps us far below; a full queue is a hub that
/// no longer reads.
constexpr std::size_t kOutboundMax = 256;

}  // namespace

LinkRunner::LinkRunner(std::unique_ptr<net::MessageStream> stream,
                       Replica& replica,
                       const DeviceIdentity& identity,
                       std::string software,
                       const net::SystemClock& clock,
                       LinkEvents& events,
                       asio::any_io_executor executor)
    : stream_(std::move(stream)),
      clock_(clock),
      events_(events),
      traffic_(replica.traffic()),
      session_(replica, identity, std::move(software)),
      outbound_(executor, kOutboundMax),
      timer_(executor, asio::steady_timer::time_point::max()) {}

asio::awaitable<LinkEnd> LinkRunner::run() {
  using asio::experimental::awaitable_operators::operator||;
  if (perform(session_.link_up(stream_->channel_binding(), clock_.read()))) {
    // The first loop to end cancels the other two; we go on when all three have ended.
    co_await (read_loop() || write_loop() || timer_loop());
  }
  for (const Effect& effect : session_.link_down(clock_.read()))
    tell(std::get<FileFetched>(effect));
  LinkEnd why = end_.value_or(LinkEnd{.reason = "ended"});
  const auto state = co_await asio::this_coro::cancellation_state;
  // When the program ends there is no time for a farewell; the stream says what it can by itself.
  if (state.cancelled() == asio::cancellation_type::none) {
    co_await stream_->close(why.reason);
  }
  co_return why;
}

asio::awaitable<void> LinkRunner::read_loop() {
  while (!end_) {
    auto frame = co_await stream_->read();
    if (!frame) {
      stop({.reason = frame.error().detail});
    } else {
      heard_ = true;
      traffic_.wire(stream_->bytes_read() + stream_->bytes_written());
      perform(session_.received(*frame, clock_.read()));
      events_.progressed();
    }
  }
}

asio::awaitable<void> LinkRunner::write_loop() {
  for (;;) {  // the only writer, so writes never overlap
    std::string frame;
    if (bulk_.empty() || outbound_.ready()) {
      auto [closed, next] = co_await outbound_.async_receive(kNoThrow);
      if (closed) co_return;
      if (next.empty()) continue;  // there is a piece of a file
      frame = std::move(next);
    } else {
      frame = std::move(bulk_.front());
      bulk_.pop_front();
    }
    auto written = co_await stream_->write(std::move(frame));
    if (!written) {
      stop({.reason = written.error().detail});
      co_return;
    }
  }
}

asio::awaitable<void> LinkRunner::timer_loop() {
  while (!end_) {
    // Cancelled by stop() and by every re-arming: only a timer that has really expired fires.
    co_await timer_.async_wait(kNoThrow);
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return;
    if (end_ || timer_.expiry() > asio::steady_timer::clock_type::now()) continue;
    timer_.expires_at(asio::steady_timer::time_point::max());
    perform(session_.timer_fired(clock_.read()));
  }
}

bool LinkRunner::fetch(const BlobName& name) {
  std::vector<Effect> effects;
  const bool asked = session_.fetch(name, effects);
  perform(std::move(effects));
  return asked;
}

void LinkRunner::tell(const FileFetched& fetched) {
  events_.file_fetched(fetched.name, fetched.how);
}

void LinkRunner::saved() { perform(session_.saved(clock_.read())); }

void LinkRunner::stop(LinkEnd why) {
  if (!end_) end_ = std::move(why);
  timer_.cancel();
}

bool LinkRunner::perform(std::vector<Effect> effects) {
  for (Effect& effect : effects) {
    if (end_) break;
    if (auto* send = std::get_if<Send>(&effect)) {
      if (send->bulk) {
        bulk_.push_back(std::move(send->frame));
        // Wakes the writer; a queue that is full keeps it awake.
        outbound_.try_send(boost::system::error_code{}, std::string());
      } else if (!outbound_.try_send(boost::system::error_code{}, std::move(send->frame))) {
        stop({.reason = "the hub reads too slowly"});
      }
    } else if (const auto* arm = std::get_if<ArmTimer>(&effect)) {
      timer_.expires_after(std::chrono::milliseconds(arm->delay.ms));
    } else if (const auto* changed = std::get_if<RecordsChanged>(&effect)) {
      events_.records_changed(changed->ids);
    } else if (const auto* fetched = std::get_if<FileFetched>(&effect)) {
      tell(*fetched);
    } else if (std::get_if<VaultChanged>(&effect) != nullptr) {
      events_.vault_changed();
    } else if (std::holds_alternative<FileCarried>(effect)) {
      events_.file_carried();
    } else if (const auto* ack = std::get_if<DurableAck>(&effect)) {
      events_.acknowledged(ack->through);
    } else {
      auto& close = std::get<CloseLink>(effect);
      stop({std::move(close.reason), close.retry_after, close.at_once});
    }
  }
  if (!welcomed_ && !end_ && live()) {
    welcomed_ = true;
    events_.welcomed(stream_->server_pin(), session_.device_name());
  }
  return !end_;
}

}  // namespace duhui::agent

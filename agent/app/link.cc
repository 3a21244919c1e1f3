#include "agent/app/link.h"

#include <chrono>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "shared/net/deadline.h"

namespace duhui::agent {
namespace {

namespace asio = boost::asio;
using asio::experimental::awaitable_operators::operator||;
constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
constexpr auto kNever = asio::steady_timer::time_point::max();

asio::awaitable<void> wait(asio::steady_timer& timer) { co_await timer.async_wait(kNoThrow); }

}  // namespace

Link::Link(asio::any_io_executor executor,
           Parts parts,
           net::HubAddress hub,
           std::string software,
           LinkRoads roads)
    : parts_(parts),
      hub_(std::move(hub)),
      software_(std::move(software)),
      roads_(std::move(roads)),
      executor_(executor),
      pause_(executor),
      changed_(executor, kNever),
      since_(parts.clock.wall()) {}

asio::awaitable<void> Link::run() {
  for (;;) {
    const auto cancelled = co_await asio::this_coro::cancellation_state;
    if (cancelled.cancelled() != asio::cancellation_type::none) co_return;
    if (!enabled_) {
      enter(State::disabled);
      pause_.expires_at(kNever);
      co_await pause_.async_wait(kNoThrow);
      continue;
    }
    enter(State::offline);
    if (delay_.ms > 0) {
      pause_.expires_after(std::chrono::milliseconds(delay_.ms));
      co_await pause_.async_wait(kNoThrow);
      delay_ = {};
      continue;  // enabled or cancelled meanwhile?
    }
    delay_ = backoff_.next(parts_.random);
    co_await connect_once();
  }
}

void Link::enter(State state) {
  if (state_ != state) since_ = parts_.clock.wall();
  state_ = state;
  wake_waiters();
}

LinkBytes Link::bytes_total() const {
  LinkBytes total = bytes();
  for (const RoadFacts& road : by_road_) total += road.bytes;
  return total;
}

void Link::saved() {
  if (runner_ != nullptr) runner_->saved();
}

void Link::enable(bool enabled) {
  enabled_ = enabled;
  if (!enabled && runner_ != nullptr) runner_->stop({.reason = "the link was switched off"});
  if (enabled) delay_ = {};
  if (runner_ == nullptr) enter(enabled ? State::offline : State::disabled);
  pause_.cancel();
}

void Link::connect_now() {
  if (runner_ != nullptr || !enabled_) return;
  delay_ = {};
  pause_.cancel();
}

asio::awaitable<bool> Link::wait_caught_up(Duration limit) {
  const auto end = asio::steady_timer::clock_type::now() + std::chrono::milliseconds(limit.ms);
  connect_now();
  while (!caught_up()) {
    if (state_ == State::disabled) co_return false;
    const auto left = end - asio::steady_timer::clock_type::now();
    const auto left_ms = std::chrono::duration_cast<std::chrono::milliseconds>(left).count();
    if (left_ms <= 0) co_return false;
    // The hub, or what failed, asks for a longer pause: nothing will happen before the limit.
    if (state_ == State::offline && delay_.ms > left_ms) co_return false;
    co_await (wait(changed_) || net::expire_after(milliseconds(left_ms)));
  }
  co_return true;
}

void Link::welcomed(const Digest& pin, const std::string& device_name) {
  // A typed ticket carries only the first bytes of the pin; from now on all of it counts.
  hub_.pin = pin.str();
  revoked_ = runner_ != nullptr && runner_->revoked();
  last_error_.clear();
  worked();
  enter(State::live);
  parts_.events.welcomed(pin, device_name);
}

void Link::records_changed(const std::vector<RecordId>& ids) { parts_.events.records_changed(ids); }

void Link::vault_changed() { parts_.events.vault_changed(); }

void Link::file_fetched(const BlobName& name, const Status& how) {
  parts_.events.file_fetched(name, how);
}

void Link::progressed() { wake_waiters(); }

void Link::file_carried() {
  backoff_.durable_ack();
  carried_ = true;
}

void Link::acknowledged(std::uint64_t through) {
  backoff_.durable_ack();
  carried_ = true;
  by_road_[index_of(road_)].last_success = parts_.clock.wall();
  parts_.events.acknowledged(through);
}

}  // namespace duhui::agent

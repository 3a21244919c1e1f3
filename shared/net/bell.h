#pragma once

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "shared/base/time.h"

namespace duhui::net {

/// Wakes coroutines that wait for something to change. May die before those who wait. One thread:
/// nothing is missed between looking and waiting.
class Bell {
 public:
  Bell() = default;
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  ~Bell() { ring(); }

  void ring() {
    for (Waiter* waiter : std::exchange(waiters_, {})) {
      waiter->bell = nullptr;
      waiter->timer.cancel();
    }
  }

  /// Returns at the next ring, at the latest after `limit`.
  boost::asio::awaitable<void> wait(Duration limit) {
    Waiter waiter(*this, co_await boost::asio::this_coro::executor, limit);
    co_await waiter.timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }

 private:
  struct Waiter {
    Waiter(Bell& of, const boost::asio::any_io_executor& executor, Duration limit)
        : bell(&of),
          timer(executor, std::chrono::milliseconds(std::max<std::int64_t>(limit.ms, 0))) {
      bell->waiters_.push_back(this);
    }
    ~Waiter() {
      if (bell != nullptr) std::erase(bell->waiters_, this);
    }
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    Bell* bell;  // null: it has rung
    boost::asio::steady_timer timer;
  };

  std::vector<Waiter*> waiters_;
};

/// How long it is until a point in time; not negative.
class Until {
 public:
  explicit Until(Duration from_now) : end_(Clock::now() + std::chrono::milliseconds(from_now.ms)) {}
  Duration left() const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now());
    return milliseconds(std::max<std::int64_t>(left.count(), 0));
  }
  bool over() const { return left().ms == 0; }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point end_;
};

}  // namespace duhui::net

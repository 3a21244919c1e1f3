#include "shared/net/task_scope.h"

#include <exception>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "shared/base/check.h"

namespace duhui::net {

namespace asio = boost::asio;

TaskScope::TaskScope(asio::any_io_executor executor, Report report)
    : executor_(std::move(executor)),
      report_(std::move(report)),
      all_ended_(executor_, asio::steady_timer::time_point::max()) {}

TaskScope::~TaskScope() { DUHUI_CHECK(children_.empty()); }

void TaskScope::spawn(asio::awaitable<void> task) {
  const auto child = children_.emplace(children_.end());
  auto on_end = [this, child](std::exception_ptr why) { ended(child, std::move(why)); };
  asio::co_spawn(executor_, std::move(task),
                 asio::bind_cancellation_slot(child->slot(), std::move(on_end)));
}

void TaskScope::ended(std::list<asio::cancellation_signal>::iterator child,
                      std::exception_ptr why) {
  children_.erase(child);
  if (children_.empty()) all_ended_.cancel();
  if (!why || !report_) return;
  try {
    std::rethrow_exception(why);
  } catch (const boost::system::system_error& error) {
    if (error.code() != asio::error::operation_aborted) report_(error.what());
  } catch (const std::exception& error) {
    report_(error.what());
  } catch (...) {
    report_("unknown exception");
  }
}

void TaskScope::cancel() {
  // A child may end, and leave the list, while it is being told.
  for (auto child = children_.begin(); child != children_.end();) {
    auto& signal = *child++;
    signal.emit(asio::cancellation_type::terminal);
  }
}

asio::awaitable<void> TaskScope::wait() {
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!children_.empty()) {
    co_await all_ended_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
}

}  // namespace duhui::net

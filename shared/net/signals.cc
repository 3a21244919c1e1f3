#include "shared/net/signals.h"

#include <csignal>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace duhui::net {

namespace asio = boost::asio;

asio::awaitable<int> wait_for_termination() {
  asio::signal_set signals(co_await asio::this_coro::executor, SIGTERM, SIGINT);
  const auto [failed, number] = co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return failed ? 0 : number;
}

}  // namespace duhui::net

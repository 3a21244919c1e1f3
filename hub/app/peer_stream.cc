#include "hub/app/peer_stream.h"

#include <functional>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace duhui::hub {

namespace asio = boost::asio;

PeerStream::PeerStream(PeerTalk& talk, asio::any_io_executor loop)
    : talk_(talk), heard_(std::move(loop), asio::steady_timer::time_point::max()) {}

asio::awaitable<Result<std::string>> PeerStream::read() {
  for (;;) {
    news_ = false;
    bool over = false;
    Result<std::optional<std::string>> next = std::optional<std::string>{};
    const std::function<void()> ask = [&] {
      over = talk_.peer.over();
      if (!over) next = talk_.peer.next();
      over = over || talk_.peer.over();
    };
    co_await pool_.perform(ask);
    if (!next) {
      talk_.failed = next.error();
      co_return next.error();
    }
    if (*next) co_return std::move(**next);
    if (over) co_return Error{ErrorCode::unavailable, "the bundle is done"};
    if (news_) continue;
    co_await heard_.async_wait(asio::as_tuple(asio::use_awaitable));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
      co_return Error{ErrorCode::unavailable, "cancelled"};
    }
  }
}

asio::awaitable<Status> PeerStream::write(std::string message) {
  Status heard = Done{};
  const std::function<void()> tell = [&] { heard = talk_.peer.heard(message); };
  co_await pool_.perform(tell);
  if (!heard && !talk_.failed) talk_.failed = heard.error();
  news_ = true;
  heard_.cancel();
  co_return heard;
}

asio::awaitable<void> PeerStream::close(std::string reason) {
  if (!talk_.failed && !talk_.peer.over()) {
    talk_.failed = Error{ErrorCode::unavailable, std::move(reason)};
  }
  co_return;
}

}  // namespace duhui::hub

#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <variant>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "shared/net/deadline.h"
#include "shared/net/http.h"

namespace duhui::net {

/// A body of known length on a connection, of which some may have come with the head.
template <typename Stream>
class IncomingBody final : public HttpIncoming {
 public:
  struct Told {
    std::uint64_t size = 0;
    bool wants_go_on = false;  // Expect: 100-continue
  };
  /// `stream` and `early` outlive this.
  IncomingBody(Stream& stream,
               boost::beast::flat_buffer& early,
               Told told,
               const HttpLimits& limits)
      : stream_(stream),
        early_(early),
        left_(told.size),
        wants_go_on_(told.wants_go_on),
        timeout_(limits.piece_timeout) {}

  std::uint64_t left() const override { return left_; }

  boost::asio::awaitable<Result<std::string>> read(std::size_t size) override {
    using boost::asio::experimental::awaitable_operators::operator||;
    if (cut_) co_return Error{ErrorCode::unavailable, "the body was cut off"};
    std::string bytes(static_cast<std::size_t>(std::min<std::uint64_t>(size, left_)), '\0');
    std::size_t have = std::min(bytes.size(), early_.size());
    std::copy_n(static_cast<const char*>(early_.data().data()), have, bytes.data());
    early_.consume(have);
    if (have < bytes.size()) {
      auto ended = co_await (fill(bytes, have) || expire_after(timeout_));
      cut_ = ended.index() != 0 || have < bytes.size();
    }
    bytes.resize(have);
    left_ -= have;
    if (cut_ && bytes.empty()) co_return Error{ErrorCode::unavailable, "the body was cut off"};
    co_return bytes;
  }

 private:
  static constexpr auto kNoThrow = boost::asio::as_tuple(boost::asio::use_awaitable);

  /// Until `bytes` is full or the peer is gone; `have` is true at any time.
  boost::asio::awaitable<void> fill(std::string& bytes, std::size_t& have) {
    if (wants_go_on_) {
      wants_go_on_ = false;
      const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      const auto [failed, count] =
          co_await boost::asio::async_write(stream_, boost::asio::buffer(go_on), kNoThrow);
      if (failed) co_return;
    }
    while (have < bytes.size()) {
      const auto rest = boost::asio::buffer(bytes.data() + have, bytes.size() - have);
      const auto [failed, count] = co_await stream_.async_read_some(rest, kNoThrow);
      have += count;
      if (failed || count == 0) co_return;
    }
  }

  Stream& stream_;
  boost::beast::flat_buffer& early_;
  std::uint64_t left_;
  bool wants_go_on_;
  bool cut_ = false;
  const Duration timeout_;
};

template <typename Stream>
boost::asio::awaitable<bool> send_piece(Stream& stream, const std::string& piece) {
  constexpr auto kNoThrow = boost::asio::as_tuple(boost::asio::use_awaitable);
  const auto [failed, count] =
      co_await boost::asio::async_write(stream, boost::asio::buffer(piece), kNoThrow);
  co_return !failed;
}

/// Sends a body piece by piece, the next one only when the last is gone. False: the connection is
/// over.
template <typename Stream>
boost::asio::awaitable<bool> send_outgoing(Stream& stream,
                                           std::shared_ptr<HttpOutgoing> body,
                                           HttpLimits limits) {
  using boost::asio::experimental::awaitable_operators::operator||;
  for (std::uint64_t offset = 0; offset < body->size;) {
    const auto wanted = std::min<std::uint64_t>(limits.piece_bytes, body->size - offset);
    const auto piece = co_await body->read(offset, static_cast<std::size_t>(wanted));
    if (!piece || piece->empty() || piece->size() > wanted) co_return false;
    auto ended = co_await (send_piece(stream, *piece) || expire_after(limits.piece_timeout));
    const auto* sent = std::get_if<0>(&ended);
    if (sent == nullptr || !*sent) co_return false;
    offset += piece->size();
  }
  co_return true;
}

}  // namespace duhui::net

#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "shared/net/http.h"
#include "shared/net/http_head.h"

namespace duhui::net {

inline constexpr std::size_t kReadStep = 4096;

/// Why there is no request to answer: the peer is gone (no refusal), or what it sent is wrong.
struct HeadRead {
  bool complete = false;
  std::optional<HeadFault> fault{};
};

/// Reads until the whole head is in `buffer`, and as much of what follows as came with it.
template <typename Stream>
boost::asio::awaitable<HeadRead> read_head(Stream& stream,
                                           boost::beast::flat_buffer& buffer,
                                           const HttpLimits& limits) {
  for (;;) {
    const std::string_view all(static_cast<const char*>(buffer.data().data()), buffer.size());
    const std::string_view bytes = all.substr(0, limits.head_bytes_max);
    const std::size_t end = find_head_end(bytes);
    if (end != std::string_view::npos) {
      const auto fault = check_head(bytes.substr(0, end), limits);
      co_return HeadRead{!fault, fault};
    }
    if (auto fault = check_begun_head(bytes)) co_return HeadRead{false, fault};
    if (all.size() >= limits.head_bytes_max) {
      co_return HeadRead{false, HeadFault{431, "the head is too long\n"}};
    }
    const std::size_t room = std::min(kReadStep, limits.head_bytes_max - all.size());
    const auto [failed, count] = co_await stream.async_read_some(
        buffer.prepare(room), boost::asio::as_tuple(boost::asio::use_awaitable));
    if (failed || count == 0) co_return HeadRead{};
    buffer.commit(count);
  }
}

}  // namespace duhui::net

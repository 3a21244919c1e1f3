#pragma once

#include <exception>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "shared/base/result.h"

namespace duhui::agent {

/// Runs a coroutine to its end on a loop of this thread.
template <typename Value>
Result<Value> run_to_end(boost::asio::io_context& loop, boost::asio::awaitable<Value> work) {
  std::optional<Value> value;
  std::string failed = "the loop ended";
  boost::asio::co_spawn(loop, std::move(work), [&](std::exception_ptr escaped, Value result) {
    if (!escaped) {
      value.emplace(std::move(result));
      return;
    }
    try {
      std::rethrow_exception(escaped);
    } catch (const std::exception& error) {
      failed = error.what();
    }
  });
  loop.restart();
  loop.run();
  if (!value) return Error{ErrorCode::unavailable, failed};
  return std::move(*value);
}

}  // namespace duhui::agent

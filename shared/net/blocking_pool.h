#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/awaitable.hpp>

namespace duhui::net {

/// A few threads for what blocks: databases, password hashing, file sync.
/// Outlives every coroutine that waits for it; its destructor waits for the jobs under way.
class BlockingPool {
 public:
  explicit BlockingPool(std::size_t threads);
  ~BlockingPool();
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  /// Runs `job` on a thread of the pool; continues on the caller's executor when it has ended.
  /// Cannot be cancelled: `job` may use what lives on the caller's frame. `job` must not throw.
  boost::asio::awaitable<void> perform(std::function<void()> job);

 private:
  class Threads;
  std::unique_ptr<Threads> threads_;
};

/// The result of `function()`, run on the pool. What it throws is thrown to the caller.
template <typename Function>
boost::asio::awaitable<std::invoke_result_t<Function>> run_blocking(BlockingPool& pool,
                                                                    Function function) {
  using Value = std::invoke_result_t<Function>;
  std::exception_ptr thrown;
  if constexpr (std::is_void_v<Value>) {
    std::function<void()> job = [&function, &thrown] {
      try {
        function();
      } catch (...) {
        thrown = std::current_exception();
      }
    };
    co_await pool.perform(std::move(job));
    if (thrown) std::rethrow_exception(thrown);
  } else {
    std::optional<Value> value;
    std::function<void()> job = [&function, &thrown, &value] {
      try {
        value.emplace(function());
      } catch (...) {
        thrown = std::current_exception();
      }
    };
    co_await pool.perform(std::move(job));
    if (thrown) std::rethrow_exception(thrown);
    co_return std::move(*value);
  }
}

}  // namespace duhui::net

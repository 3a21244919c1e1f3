#include "shared/net/blocking_pool.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace duhui::net {

namespace asio = boost::asio;

class BlockingPool::Threads {
 public:
  explicit Threads(std::size_t count) : pool_(count) {}
  ~Threads() { pool_.join(); }

  asio::thread_pool& pool() { return pool_; }

 private:
  asio::thread_pool pool_;
};

namespace {

/// Starts a job; its handler is called on the handler's own executor, which is kept running.
struct StartJob {
  asio::thread_pool* pool;

  template <typename Handler>
  void operator()(Handler handler, std::function<void()> job) const {
    auto executor = asio::get_associated_executor(handler);
    auto work = asio::make_work_guard(executor);
    auto on_pool = [handler = std::move(handler), job = std::move(job),
                    work = std::move(work)]() mutable {
      job();
      job = nullptr;
      const auto back = work.get_executor();
      asio::post(back, std::move(handler));
    };
    asio::post(*pool, std::move(on_pool));
  }
};

}  // namespace

BlockingPool::BlockingPool(std::size_t threads) : threads_(std::make_unique<Threads>(threads)) {}

BlockingPool::~BlockingPool() = default;

asio::awaitable<void> BlockingPool::perform(std::function<void()> job) {
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(
      StartJob{&threads_->pool()}, asio::use_awaitable, std::move(job));
}

}  // namespace duhui::net

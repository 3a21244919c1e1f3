#include "shared/net/blocking_pool.h"

#include <stdexcept>
#include <string>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace duhui::net {
namespace {

using boost::asio::awaitable;

struct Seen {
  std::thread::id job;
  std::thread::id after;
  std::string value;
  std::string thrown;
};

awaitable<void> use(BlockingPool& pool, Seen& seen) {
  auto job = [&seen]() -> std::string {
    seen.job = std::this_thread::get_id();
    return "from the pool";
  };
  seen.value = co_await run_blocking(pool, job);
  seen.after = std::this_thread::get_id();
  auto broken = []() { throw std::runtime_error("broken job"); };
  try {
    co_await run_blocking(pool, broken);
  } catch (const std::runtime_error& error) {
    seen.thrown = error.what();
  }
}

TEST(BlockingPool, RunsElsewhereAndComesBack) {
  BlockingPool pool(2);
  boost::asio::io_context context;
  Seen seen;
  boost::asio::co_spawn(context, use(pool, seen), [](std::exception_ptr why) {
    if (why) std::rethrow_exception(why);
  });
  context.run_for(std::chrono::seconds(10));
  EXPECT_EQ(seen.value, "from the pool");
  EXPECT_NE(seen.job, std::this_thread::get_id());
  EXPECT_EQ(seen.after, std::this_thread::get_id());
  EXPECT_EQ(seen.thrown, "broken job");
}

}  // namespace
}  // namespace duhui::net

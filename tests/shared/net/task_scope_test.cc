#include "shared/net/task_scope.h"

#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

namespace duhui::net {
namespace {

using boost::asio::awaitable;

awaitable<void> wait_for_ever(int& ended) {
  struct AtEnd {
    int& count;
    ~AtEnd() { ++count; }
  } at_end{ended};
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor,
                                  boost::asio::steady_timer::time_point::max());
  co_await timer.async_wait(boost::asio::use_awaitable);
}

awaitable<void> fail() {
  co_await boost::asio::this_coro::executor;
  throw std::runtime_error("broken child");
}

awaitable<void> cancel_and_wait(TaskScope& scope) {
  scope.cancel();
  co_await scope.wait();
}

void rethrow(std::exception_ptr why) {
  if (why) std::rethrow_exception(why);
}

TEST(TaskScope, CancelEndsAllChildrenAndWaitAwaitsThem) {
  boost::asio::io_context context;
  int ended = 0;
  TaskScope scope(context.get_executor());
  for (int i = 0; i < 10; ++i) scope.spawn(wait_for_ever(ended));
  context.poll();
  EXPECT_EQ(scope.size(), 10u);
  EXPECT_EQ(ended, 0);
  boost::asio::co_spawn(context, cancel_and_wait(scope), rethrow);
  context.run_for(std::chrono::seconds(5));
  EXPECT_EQ(scope.size(), 0u);
  EXPECT_EQ(ended, 10);
  EXPECT_TRUE(context.stopped());
}

TEST(TaskScope, CancelReachesChildrenThatHaveNotStarted) {
  boost::asio::io_context context;
  int ended = 0;
  TaskScope scope(context.get_executor());
  scope.spawn(wait_for_ever(ended));
  boost::asio::co_spawn(context, cancel_and_wait(scope), rethrow);
  context.run_for(std::chrono::seconds(5));
  EXPECT_EQ(scope.size(), 0u);
}

TEST(TaskScope, AFailingChildEndsAloneAndIsReported) {
  boost::asio::io_context context;
  int ended = 0;
  std::vector<std::string> reports;
  TaskScope scope(context.get_executor(),
                  [&reports](std::string_view what) { reports.emplace_back(what); });
  scope.spawn(wait_for_ever(ended));
  scope.spawn(fail());
  context.poll();
  EXPECT_EQ(reports, std::vector<std::string>{"broken child"});
  EXPECT_EQ(scope.size(), 1u);
  boost::asio::co_spawn(context, cancel_and_wait(scope), rethrow);
  context.run_for(std::chrono::seconds(5));
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(reports.size(), 1u);  // being cancelled is no failure
}

}  // namespace
}  // namespace duhui::net

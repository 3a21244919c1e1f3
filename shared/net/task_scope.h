#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

namespace duhui::net {

/// The children of one parent: started together, cancelled together, awaited by the parent.
///
/// Lives on the frame of the coroutine that calls wait() before it returns; a scope that dies with
/// children still running ends the process. Single thread: that of the executor.
class TaskScope {
 public:
  /// Told what escaped from a child, except cancellation. Such a child ends alone.
  using Report = std::function<void(std::string_view what)>;

  explicit TaskScope(boost::asio::any_io_executor executor, Report report = {});
  ~TaskScope();
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;

  void spawn(boost::asio::awaitable<void> task);
  /// Asks all present children to end. Returns at once.
  void cancel();
  /// Returns when no child is left, even if the caller has been cancelled (which cancels no child).
  boost::asio::awaitable<void> wait();

  std::size_t size() const { return children_.size(); }

 private:
  void ended(std::list<boost::asio::cancellation_signal>::iterator child, std::exception_ptr why);

  boost::asio::any_io_executor executor_;
  Report report_;
  std::list<boost::asio::cancellation_signal> children_;
  boost::asio::steady_timer all_ended_;  // never expires: cancelled when the last child has ended
};

}  // namespace duhui::net

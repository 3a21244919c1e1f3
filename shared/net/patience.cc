#include "shared/net/patience.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace duhui::net {
namespace {

constexpr std::chrono::milliseconds kMoment{20};

}  // namespace

Patience::Patience(Duration limit)
    : until_(std::chrono::steady_clock::now() + std::chrono::milliseconds(limit.ms)) {}

bool Patience::wait() {
  if (std::chrono::steady_clock::now() >= until_) return false;
  boost::asio::io_context loop(1);
  boost::asio::steady_timer(loop, kMoment).wait();
  return true;
}

}  // namespace duhui::net

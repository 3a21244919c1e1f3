#include "agent/app/file_watch.h"

#include <chrono>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

namespace duhui::agent {
namespace {

namespace asio = boost::asio;

constexpr auto kLook = std::chrono::minutes(10);
/// Every record is read for it.
constexpr Duration kLookForUnnamed = hours(24);

}  // namespace

asio::awaitable<void> watch_files(FileCollection& files,
                                  Replica& replica,
                                  const Link& link,
                                  const net::SystemClock& clock) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  MonotonicTime unnamed_at{};
  for (;;) {
    timer.expires_after(kLook);
    co_await timer.async_wait(asio::use_awaitable);
    const auto parts = files.collect_parts();
    if (!parts) {
      spdlog::warn("files: {}", to_string(parts.error()));
    } else if (parts->parts.files > 0) {
      spdlog::info("files: {} part(s) of no use removed", parts->parts.files);
    }
    const ClockReading now = clock.read();
    const auto hub_time = replica.traffic().clock().beyond_doubt(now);
    const bool readable = replica.vault_state() != Vault::State::locked;
    if (!hub_time || !readable || !link.caught_up() || now.monotonic < unnamed_at) continue;
    unnamed_at = now.monotonic + kLookForUnnamed;
    const auto done = files.collect_unnamed(*hub_time);
    if (!done) {
      spdlog::warn("files: {}", to_string(done.error()));
    } else if (done->files.files > 0) {
      spdlog::info("files: {} that nobody attached removed, {} bytes", done->files.files,
                   done->files.bytes);
    }
  }
}

}  // namespace duhui::agent

#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "shared/net/http_server.h"
#include "shared/net/websocket_client.h"

namespace duhui::net {

using boost::asio::awaitable;

/// A loop, a TLS listener on any port of 127.0.0.1, and a coroutine of the test that talks to it.
class Loop {
 public:
  boost::asio::io_context& context() { return context_; }
  boost::asio::any_io_executor executor() { return context_.get_executor(); }

  /// Runs until `test` has ended, and then until the listeners have.
  void run(awaitable<void> test) {
    TaskScope scope(executor());
    boost::asio::co_spawn(context_, whole(std::move(test), scope), &Loop::rethrow);
    context_.run_for(std::chrono::seconds(60));
    ASSERT_TRUE(ended_) << "the test hangs";
  }

  Listener& serve(Result<std::unique_ptr<Listener>> listener,
                  HttpHandler on_request,
                  SessionHandler on_session) {
    listeners_.push_back(std::move(listener).value());
    starts_.push_back(listeners_.back()->run(std::move(on_request), std::move(on_session)));
    return *listeners_.back();
  }

 private:
  static void rethrow(std::exception_ptr why) {
    if (why) std::rethrow_exception(why);
  }

  awaitable<void> whole(awaitable<void> test, TaskScope& scope) {
    for (auto& start : starts_) scope.spawn(std::move(start));
    co_await std::move(test);
    scope.cancel();
    co_await scope.wait();
    ended_ = true;
  }

  boost::asio::io_context context_{1};
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<awaitable<void>> starts_;
  bool ended_ = false;
};

inline const TlsIdentity& test_identity() {
  static const TlsIdentity identity = make_tls_identity("hub").value();
  return identity;
}

inline awaitable<HttpResponse> not_found(HttpRequest) {
  co_return HttpResponse{.status = 404, .content_type = "text/plain", .body = "no such page\n"};
}

inline awaitable<void> echo(std::unique_ptr<MessageStream> stream) {
  for (;;) {
    auto message = co_await stream->read();
    if (!message) co_return;
    auto written = co_await stream->write(std::move(message).value());
    if (!written) co_return;
  }
}

inline HubAddress address_of(const Listener& listener) {
  return {.host = "127.0.0.1", .port = listener.port(), .pin = test_identity().pin.str()};
}

}  // namespace duhui::net

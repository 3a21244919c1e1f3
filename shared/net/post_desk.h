#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "shared/crypto/digest.h"
#include "shared/net/connection_gate.h"
#include "shared/net/http.h"
#include "shared/net/http_server.h"
#include "shared/net/message_stream.h"
#include "shared/net/post_exchange.h"
#include "shared/net/task_scope.h"

namespace duhui::net {

struct PostDeskOptions {
  std::size_t message_bytes_max = 1 << 20;
  std::size_t sessions_max = 12'000;
  std::size_t sessions_per_address_max = 2'000;
  std::size_t unread_bytes_max = 2 << 20;    // of one session; beyond it nothing is taken
  std::size_t unsent_bytes_max = 2 << 20;    // of one session; beyond it write() waits
  std::size_t answer_bytes_aim = 256 << 10;  // of the messages in one answer
  Duration wait_max = seconds(55);           // proxies cut what is silent for a minute
  Duration idle = seconds(90);               // without a request: the device is gone
  Duration goodbye = seconds(3);             // for the last words to be fetched
  Duration retry_after = seconds(30);        // asked for when there is no place
  Duration body_timeout = minutes(5);        // a megabyte at 28 kbit/s
  Duration keep_alive = seconds(75);
  /// Not zero: see ListenerOptions::proxied_pin.
  Digest proxied_pin{};
  TaskScope::Report report{};
};

/// The hub's side of sync by POST: many short requests become MessageStreams.
///
/// A session begins with an opening request, which is given an id nobody can guess. Whoever shows
/// that id, inside TLS, is the device of this session. Requests may be lost, repeated, late or
/// answered into nowhere: what they carry is numbered (PostHubSide). Single thread.
class PostDesk {
 public:
  PostDesk(boost::asio::any_io_executor executor, PostDeskOptions options);
  ~PostDesk();
  PostDesk(const PostDesk&) = delete;
  PostDesk& operator=(const PostDesk&) = delete;

  /// Hands each session to `on_session`; until cancelled, then ends all of them.
  boost::asio::awaitable<void> run(SessionHandler on_session);

  /// For ListenerOptions::allow: whoever shows the id of a session may send messages.
  std::optional<HttpAllowance> allowance(const HttpRequest& head) const;
  /// Any POST to kSyncPath.
  boost::asio::awaitable<HttpResponse> answer(HttpRequest request);

  std::size_t sessions() const { return sessions_.size(); }

 private:
  class Session;
  class Stream;
  using Key = Digest;  // of the id, so that looking it up tells nothing about it by its time

  static std::optional<Key> key_of(const HttpRequest& request);
  Session* find(const Key& key) const;
  HttpResponse open(const HttpRequest& request);
  boost::asio::awaitable<HttpResponse> serve(Key key, PostParcel request);
  boost::asio::awaitable<void> run_session(Key key, std::string peer);
  HttpResponse refusal(int status, std::string why) const;

  const boost::asio::any_io_executor executor_;
  const PostDeskOptions options_;
  ConnectionGate gate_;
  std::unordered_map<Key, std::unique_ptr<Session>> sessions_;
  SessionHandler on_session_;
  TaskScope* tasks_ = nullptr;  // on the frame of run()
};

/// The field that carries a session's id; proxies neither log nor keep what is under this name.
constexpr std::string_view kPostSessionField = "authorization";
constexpr std::string_view kPostSessionScheme = "Duhui-Session ";
constexpr std::string_view kPostContentType = "application/octet-stream";

}  // namespace duhui::net

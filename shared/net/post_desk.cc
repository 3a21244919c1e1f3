#include "shared/net/post_desk.h"

#include <algorithm>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "shared/crypto/system_random.h"
#include "shared/crypto/text.h"
#include "shared/net/bell.h"
#include "shared/net/channel_binding.h"

namespace duhui::net {

namespace asio = boost::asio;
namespace {

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
constexpr auto kNever = asio::steady_timer::time_point::max();
constexpr std::size_t kSessionBytes = 32;

Error gone(std::string what) { return {ErrorCode::unavailable, std::move(what)}; }

HttpResponse binary(std::string body) {
  return {.status = 200,
          .content_type = std::string(kPostContentType),
          .body = std::move(body),
          .headers = {{"Cache-Control", "no-store"}}};
}

}  // namespace

/// What requests and the stream have in common. Lives in the table; whoever waits looks it up
/// again.
class PostDesk::Session {
 public:
  Session(const PostDeskOptions& options, std::string binding, ConnectionGate::Pass pass)
      : side(options.unread_bytes_max),
        channel_binding(std::move(binding)),
        lost(options.idle),
        pass_(std::move(pass)) {}

  PostHubSide side;
  const std::string channel_binding;
  Bell changed{};  // everybody who waits looks again
  Until lost;      // unless a request comes
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;

 private:
  ConnectionGate::Pass pass_;
};

/// One session as a MessageStream. Its end is that of run_session(), which owns the place in the
/// table.
class PostDesk::Stream final : public MessageStream {
 public:
  Stream(Session& session, const PostDeskOptions& options, std::string peer)
      : session_(session), options_(options), peer_(std::move(peer)) {}

  asio::awaitable<Result<std::string>> read() override {
    for (;;) {
      if (auto message = session_.side.next()) co_return std::move(*message);
      if (session_.side.ended()) {
        co_return gone("read: closed by the peer: " + *session_.side.ended());
      }
      if (session_.lost.over()) co_return gone("read: no request for too long");
      co_await session_.changed.wait(session_.lost.left());
    }
  }

  asio::awaitable<Status> write(std::string message) override {
    while (session_.side.unsent_bytes() > options_.unsent_bytes_max) {
      if (session_.side.ended()) co_return gone("write: closed by the peer");
      if (session_.lost.over()) co_return gone("write: no request for too long");
      co_await session_.changed.wait(session_.lost.left());
    }
    session_.side.send(std::move(message));
    session_.changed.ring();
    co_return Done{};
  }

  asio::awaitable<void> close(std::string reason) override {
    if (session_.side.ended()) co_return;
    session_.side.say_farewell(std::move(reason));
    session_.changed.ring();
    const Until end(options_.goodbye);
    while (!session_.side.farewell_said() && !session_.side.ended() && !end.over()) {
      co_await session_.changed.wait(end.left());
    }
  }

  std::string channel_binding() const override { return session_.channel_binding; }
  const Digest& server_pin() const override { return no_pin_; }
  const std::string& peer() const override { return peer_; }
  std::uint64_t bytes_read() const override { return session_.bytes_read; }
  std::uint64_t bytes_written() const override { return session_.bytes_written; }

 private:
  Session& session_;
  const PostDeskOptions& options_;
  const std::string peer_;
  const Digest no_pin_{};
};

PostDesk::PostDesk(asio::any_io_executor executor, PostDeskOptions options)
    : executor_(std::move(executor)),
      options_(std::move(options)),
      gate_(options_.sessions_max, options_.sessions_per_address_max) {}

PostDesk::~PostDesk() = default;

asio::awaitable<void> PostDesk::run(SessionHandler on_session) {
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  on_session_ = std::move(on_session);
  TaskScope tasks(executor_, options_.report);
  tasks_ = &tasks;
  asio::steady_timer forever(executor_, kNever);
  co_await forever.async_wait(kNoThrow);
  tasks_ = nullptr;
  tasks.cancel();
  co_await tasks.wait();
  co_await asio::this_coro::throw_if_cancelled(throws);
}

std::optional<PostDesk::Key> PostDesk::key_of(const HttpRequest& request) {
  const std::string_view field = request.header(kPostSessionField);
  if (!field.starts_with(kPostSessionScheme)) return std::nullopt;
  const auto id = from_base64url(field.substr(kPostSessionScheme.size()));
  if (!id || id->size() != kSessionBytes) return std::nullopt;
  return sha256(*id);
}

PostDesk::Session* PostDesk::find(const Key& key) const {
  const auto at = sessions_.find(key);
  return at == sessions_.end() ? nullptr : at->second.get();
}

std::optional<HttpAllowance> PostDesk::allowance(const HttpRequest& head) const {
  if (head.method != "POST" || head.target != kSyncPath) return std::nullopt;
  const auto key = key_of(head);
  if (!key || find(*key) == nullptr) return std::nullopt;
  return HttpAllowance{.body_bytes_max = options_.message_bytes_max + kParcelOverheadMax,
                       .body_timeout = options_.body_timeout,
                       .keep_alive = options_.keep_alive};
}

HttpResponse PostDesk::refusal(int status, std::string why) const {
  return {.status = status, .content_type = "text/plain; charset=utf-8", .body = why + "\n"};
}

asio::awaitable<HttpResponse> PostDesk::answer(HttpRequest request) {
  if (tasks_ == nullptr) co_return refusal(503, "the hub is not ready");
  if (request.header(kPostSessionField).empty()) co_return open(request);
  const auto key = key_of(request);
  if (!key || find(*key) == nullptr) co_return refusal(404, "no such session");
  auto parcel = decode_parcel(request.body, options_.message_bytes_max);
  Session& session = *find(*key);
  session.bytes_read += request.body.size();
  Status taken = Done{};
  if (parcel) {
    taken = session.side.take(*parcel);
  } else {
    taken = std::move(parcel).error();
  }
  if (!taken) {
    // Whoever sends this has the id and breaks the rules: nothing of this session goes on.
    session.side.break_off(taken.error().detail);
    session.changed.ring();
    co_return refusal(400, taken.error().detail);
  }
  co_return co_await serve(*key, std::move(*parcel));
}

HttpResponse PostDesk::open(const HttpRequest& request) {
  auto pass = gate_.enter(request.peer.substr(0, request.peer.rfind(':')));
  if (!pass) {
    HttpResponse full = refusal(503, "too many sessions");
    full.headers.emplace_back("Retry-After", std::to_string(options_.retry_after.ms / 1000));
    return full;
  }
  PostTerms terms{.session = std::string(kSessionBytes, '\0'),
                  .proxied = !options_.proxied_pin.is_zero(),
                  .wait_max = options_.wait_max,
                  .idle = options_.idle};
  SystemRandom().fill(terms.session.data(), terms.session.size());
  std::string binding = terms.proxied ? proxied_binding(terms.session, options_.proxied_pin)
                                      : post_binding(request.channel_binding, terms.session);
  const Key key = sha256(terms.session);
  sessions_[key] = std::make_unique<Session>(options_, std::move(binding), std::move(pass));
  tasks_->spawn(run_session(key, request.peer));
  return binary(encode_terms(terms));
}

asio::awaitable<void> PostDesk::run_session(Key key, std::string peer) {
  struct Place {
    PostDesk& desk;
    const Key& key;
    ~Place() { desk.sessions_.erase(key); }
  };
  const Place place{*this, key};
  auto stream = std::make_unique<Stream>(*find(key), options_, std::move(peer));
  co_await on_session_(std::move(stream));
}

asio::awaitable<HttpResponse> PostDesk::serve(Key key, PostParcel request) {
  const bool poll = request.wait.ms > 0;
  const Until end(std::min(request.wait, options_.wait_max));
  Session* session = find(key);
  session->lost = Until(options_.idle);
  session->changed.ring();  // its reader, and an older poll
  while (poll && session->side.waits(request.number) && !end.over()) {
    co_await session->changed.wait(end.left());
    session = find(key);
    if (session == nullptr) co_return refusal(404, "the session has ended");
  }
  const std::string body =
      encode_parcel(session->side.answer(request.number, poll, options_.answer_bytes_aim));
  session->bytes_written += body.size();
  if (session->side.farewell_said()) session->changed.ring();
  co_return binary(body);
}

}  // namespace duhui::net

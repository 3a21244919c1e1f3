#include "shared/net/post_client.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "shared/crypto/text.h"
#include "shared/net/bell.h"
#include "shared/net/channel_binding.h"
#include "shared/net/deadline.h"
#include "shared/net/post_desk.h"
#include "shared/net/post_exchange.h"

namespace duhui::net {

namespace asio = boost::asio;

namespace {

constexpr Duration kPauseMin = milliseconds(250);  // between two failed requests, doubling
constexpr Duration kPauseMax = seconds(8);
constexpr Duration kGoodbyeTime = seconds(1);
/// A poll that ends without an answer later than this was cut for its length.
constexpr Duration kCutAfter = seconds(1);

Error lost(std::string what) { return {ErrorCode::unavailable, std::move(what)}; }

std::string post_text(const HubAddress& hub, const std::string& session, std::string body) {
  std::string text = "POST " + std::string(kSyncPath) + " HTTP/1.1\r\nHost: " + hub.host + ":" +
                     std::to_string(hub.port) +
                     "\r\nContent-Type: " + std::string(kPostContentType) +
                     "\r\nCache-Control: no-store\r\n";
  if (!session.empty()) {
    text += "Authorization: " + std::string(kPostSessionScheme) + to_base64url(session) + "\r\n";
  }
  text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  return text + body;
}

/// What the hub and what stands before it may answer, and what follows from it.
enum class Verdict : std::uint8_t { fine, later, over };

Verdict judge(const HttpResponse& answer) {
  if (answer.status == 200 && answer.content_type == kPostContentType) return Verdict::fine;
  const bool waited_too_long = answer.status == 408 || answer.status == 504;
  const bool busy = answer.status == 429 || answer.status == 502 || answer.status == 503;
  return waited_too_long || busy ? Verdict::later : Verdict::over;
}

/// One of the two ways to the hub: requests one after the other, on a connection that is made
/// again when it is gone.
class Lane {
 public:
  /// `hub`, `limits` outlive this.
  Lane(const HubAddress& hub, const StreamLimits& limits) : hub_(hub), limits_(limits) {}

  void adopt(HubChannel channel) { channel_ = std::make_unique<HubChannel>(std::move(channel)); }

  asio::awaitable<Result<HttpResponse>> ask(std::string text,
                                            std::size_t body_bytes_max,
                                            Duration limit) {
    // Cancelled, or failed half-way: nobody knows what comes next on it.
    std::unique_ptr<HubChannel> channel = std::move(channel_);
    reused_ = channel != nullptr;
    asked_ = false;
    if (channel == nullptr) {
      ConnectReport report;
      auto made = co_await dial_hub(hub_, limits_, &report);
      if (!made) co_return std::move(made).error();
      channel = std::make_unique<HubChannel>(std::move(made).value());
    }
    const Count count(*this, *channel);
    asked_ = true;
    const auto began = Clock::now();
    auto exchanged = co_await exchange(channel->stream, std::move(text), body_bytes_max, limit);
    lasted_ = milliseconds(
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began).count());
    if (!exchanged) co_return std::move(exchanged).error();
    if (exchanged->keeps_alive) channel_ = std::move(channel);
    co_return std::move(exchanged->answer);
  }

  /// Whether the last request went over a connection that had been made for an earlier one.
  bool reused() const { return reused_; }
  /// Whether the last request was sent at all, and how long it took from then on.
  bool asked() const { return asked_; }
  Duration lasted() const { return lasted_; }
  void close() {
    if (channel_) channel_->stream.say_goodbye({});
    channel_.reset();
  }
  std::uint64_t bytes_read() const { return bytes_read_; }
  std::uint64_t bytes_written() const { return bytes_written_; }

 private:
  using Clock = std::chrono::steady_clock;

  /// Adds what a connection carried, also when the request is cancelled.
  class Count {
   public:
    Count(Lane& lane, HubChannel& channel)
        : lane_(lane),
          stream_(channel.stream),
          read_(stream_.bytes_read()),
          written_(stream_.bytes_written()) {}
    ~Count() {
      lane_.bytes_read_ += stream_.bytes_read() - read_;
      lane_.bytes_written_ += stream_.bytes_written() - written_;
    }
    Count(const Count&) = delete;
    Count& operator=(const Count&) = delete;

   private:
    Lane& lane_;
    TlsStream& stream_;
    const std::uint64_t read_;
    const std::uint64_t written_;
  };

  const HubAddress& hub_;
  const StreamLimits& limits_;
  std::unique_ptr<HubChannel> channel_;
  bool reused_ = false;
  bool asked_ = false;
  Duration lasted_{};
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bytes_written_ = 0;
};

class PostClientStream final : public PostStream {
 public:
  PostClientStream(HubAddress hub,
                   PostClientOptions options,
                   PostTerms terms,
                   HubChannel channel,
                   std::string exporter,
                   bool keeps_alive)
      : hub_(std::move(hub)),
        options_(options),
        session_(terms.session),
        wait_(std::min(options.wait, terms.wait_max)),
        peer_(channel.peer),
        pin_(channel.shown),
        binding_(terms.proxied ? proxied_binding(terms.session, pin_)
                               : post_binding(exporter, terms.session)),
        // Of the connection that opened the session, which is not counted by its lane.
        opening_read_(channel.stream.bytes_read()),
        opening_written_(channel.stream.bytes_written()),
        sender_(hub_, options_.stream),
        poller_(hub_, options_.stream) {
    hub_.pin = pin_.str();  // a typed ticket has only its first bytes
    if (keeps_alive) sender_.adopt(std::move(channel));
  }

  asio::awaitable<Result<std::string>> read() override {
    Pace pace(options_.give_up);
    for (;;) {
      if (auto message = side_.next()) co_return std::move(*message);
      if (side_.ended()) co_return lost("read: closed by the peer: " + *side_.ended());
      auto polled = co_await ask(poller_, side_.poll(wait_), wait_ + options_.answer_margin);
      if (poller_.asked()) learn(!polled, poller_.lasted());
      if (polled) {
        pace.worked();
        continue;
      }
      if (fatal_) co_return lost("read: " + *fatal_);
      auto next = co_await pace.pause(poller_.reused(), polled.error(), asked_for_);
      if (!next) co_return lost("read: " + next.error().detail);
    }
  }

  asio::awaitable<Status> write(std::string message) override {
    side_.send(std::move(message));
    Pace pace(options_.give_up);
    while (!side_.all_sent()) {
      auto sent = co_await ask(sender_, side_.sending(options_.sending_bytes_aim),
                               options_.sending_timeout);
      if (fatal_) co_return lost("write: " + *fatal_);
      if (sent && side_.all_sent()) break;
      // An answer that takes nothing is a hub that has not read the last ones yet.
      const Error why = sent ? lost(std::string(kTakesNothing)) : std::move(sent).error();
      auto next =
          co_await pace.pause(sender_.reused() && why.detail != kTakesNothing, why, asked_for_);
      if (!next) co_return lost("write: " + next.error().detail);
    }
    co_return Done{};
  }

  asio::awaitable<void> close(std::string reason) override {
    using asio::experimental::awaitable_operators::operator||;
    if (!fatal_ && !side_.ended()) {
      co_await (say_farewell(std::move(reason)) || expire_after(kGoodbyeTime));
    }
    sender_.close();
    poller_.close();
  }

  std::string channel_binding() const override { return binding_; }
  const Digest& server_pin() const override { return pin_; }
  const std::string& peer() const override { return peer_; }
  std::uint64_t bytes_read() const override {
    return opening_read_ + sender_.bytes_read() + poller_.bytes_read();
  }
  std::uint64_t bytes_written() const override {
    return opening_written_ + sender_.bytes_written() + poller_.bytes_written();
  }
  Duration poll_wait() const override { return wait_; }

 private:
  /// When to try again, and when to give up.
  class Pace {
   public:
    explicit Pace(Duration give_up) : give_up_(give_up), until_(give_up) {}
    void worked() {
      pause_ = kPauseMin;
      until_ = Until(give_up_);
    }
    /// The error itself: it has failed for too long. `at_once`: the connection may only have been
    /// closed while it was idle.
    asio::awaitable<Status> pause(bool at_once, Error why, Duration asked_for) {
      if (until_.over() || asked_for > give_up_) co_return why;
      if (at_once && !hurried_) {
        hurried_ = true;
        co_return Done{};
      }
      hurried_ = false;
      asio::steady_timer timer(co_await asio::this_coro::executor);
      timer.expires_after(std::chrono::milliseconds(std::max(pause_, asked_for).ms));
      pause_ = std::min(pause_ * 2, kPauseMax);
      co_await timer.async_wait(asio::use_awaitable);
      co_return Done{};
    }

   private:
    const Duration give_up_;
    Until until_;
    Duration pause_ = kPauseMin;
    bool hurried_ = false;
  };

  asio::awaitable<void> say_farewell(std::string reason) {
    const std::string text = post_text(hub_, session_, encode_parcel(side_.farewell(reason)));
    auto said = co_await sender_.ask(text, kParcelOverheadMax, kGoodbyeTime);
    // The connection may have been closed while it was idle.
    if (!said && sender_.reused()) {
      said = co_await sender_.ask(text, kParcelOverheadMax, kGoodbyeTime);
    }
  }

  /// One request and its answer. An error: it is to be repeated, unless `fatal_` is set.
  asio::awaitable<Status> ask(Lane& lane, PostParcel parcel, Duration limit) {
    asked_for_ = {};
    const std::uint64_t number = parcel.number;
    const std::size_t answer_max = options_.stream.message_bytes_max + kParcelOverheadMax;
    std::string text = post_text(hub_, session_, encode_parcel(parcel));
    auto answer = co_await lane.ask(std::move(text), answer_max, limit);
    if (!answer) {
      if (answer.error().code == ErrorCode::refused) fatal_ = answer.error().detail;
      co_return std::move(answer).error();
    }
    const Verdict verdict = judge(*answer);
    if (verdict == Verdict::fine) {
      auto told = decode_parcel(answer->body, options_.stream.message_bytes_max);
      Status taken = told ? side_.take(std::move(*told), number) : Status(told.error());
      if (!taken) fatal_ = taken.error().detail;
      co_return taken;
    }
    const std::string what = "answered " + std::to_string(answer->status);
    if (verdict == Verdict::over) fatal_ = what;
    asked_for_ = retry_after_of(*answer);
    co_return lost(what);
  }

  /// A poll has ended without an answer, or with one, after this time. Where something on the way
  /// cuts them twice about or before their time, the next ones wait less.
  void learn(bool cut, Duration lasted) {
    if (!cut) {
      if (lasted * 2 > wait_) cuts_ = 0;
      return;
    }
    if (lasted < kCutAfter || lasted > wait_ + options_.answer_margin || ++cuts_ < 2) return;
    cuts_ = 0;
    wait_ = std::max(options_.wait_min, milliseconds(std::min(lasted, wait_).ms * 7 / 10));
  }

  static constexpr std::string_view kTakesNothing = "the hub takes nothing";

  HubAddress hub_;
  const PostClientOptions options_;
  const std::string session_;
  Duration wait_;
  const std::string peer_;
  const Digest pin_;
  const std::string binding_;
  const std::uint64_t opening_read_;
  const std::uint64_t opening_written_;
  PostDeviceSide side_;
  Lane sender_;
  Lane poller_;
  int cuts_ = 0;                      // of polls, in a row
  std::optional<std::string> fatal_;  // no request of this session will be answered any more
  Duration asked_for_{};              // by the last answer (Retry-After)
};

}  // namespace

asio::awaitable<Result<std::unique_ptr<PostStream>>> open_post_stream(HubAddress hub,
                                                                      PostClientOptions options,
                                                                      ConnectReport* report) {
  auto channel = co_await dial_hub(hub, options.stream, report);
  if (!channel) co_return std::move(channel).error();
  auto asked = co_await exchange(channel->stream, post_text(hub, {}, {}), kParcelOverheadMax,
                                 options.stream.handshake_timeout);
  report->obstacle = Obstacle::post_refused;
  if (!asked) co_return lost("open session: " + asked.error().detail);
  const HttpResponse& answer = asked->answer;
  report->retry_after = retry_after_of(answer);
  if (answer.status != 200 || answer.content_type != kPostContentType) {
    co_return lost("open session: answered " + std::to_string(answer.status));
  }
  auto terms = decode_terms(answer.body);
  if (!terms) co_return lost("open session: " + terms.error().detail);
  report->obstacle = Obstacle::none;
  std::string exporter = channel->stream.channel_binding();
  co_return std::unique_ptr<PostStream>(std::make_unique<PostClientStream>(
      std::move(hub), options, std::move(*terms), std::move(*channel), std::move(exporter),
      asked->keeps_alive));
}

}  // namespace duhui::net

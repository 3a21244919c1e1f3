// What a session may rely on, whichever road its frames take.

#include "shared/net/message_stream.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "shared/net/deadline.h"
#include "shared/net/post_client.h"
#include "shared/net/post_desk.h"
#include "tests/shared/net/loop.h"

namespace duhui::net {
namespace {

constexpr std::size_t kMessageMax = 100'000;

enum class Road { websocket, post };

using Opened = Result<std::unique_ptr<MessageStream>>;

awaitable<Opened> connect(Road road, HubAddress hub) {
  StreamLimits limits{.message_bytes_max = kMessageMax};
  if (road == Road::websocket) co_return co_await connect_to_hub(hub, limits);
  ConnectReport report;
  PostClientOptions options;
  options.stream = limits;
  auto stream = co_await open_post_stream(hub, options, &report);
  if (!stream) co_return std::move(stream).error();
  co_return std::unique_ptr<MessageStream>(std::move(*stream));
}

struct Case {
  Road road;
  bool behind_proxy;
};

std::string name_of(const testing::TestParamInfo<Case>& info) {
  return std::string(info.param.road == Road::websocket ? "WebSocket" : "Post") +
         (info.param.behind_proxy ? "BehindProxy" : "");
}

/// A hub's listener that takes both roads.
class MessageStreamTest : public testing::TestWithParam<Case> {
 protected:
  Listener& serve(SessionHandler on_session) {
    PostDeskOptions desk{.message_bytes_max = kMessageMax};
    ListenerOptions options;
    options.stream.message_bytes_max = kMessageMax;
    if (GetParam().behind_proxy) {
      desk.proxied_pin = test_identity().pin;
      options.proxied_pin = test_identity().pin;
    }
    posts_ = std::make_unique<PostDesk>(loop_.executor(), desk);
    options.allow = [this](const HttpRequest& head) { return posts_->allowance(head); };
    session_ = std::move(on_session);
    HttpHandler answer = [this](HttpRequest request) { return posts_->answer(std::move(request)); };
    return loop_.serve(Listener::on_tls(loop_.executor(), "127.0.0.1", 0, test_identity(), options),
                       answer, session_);
  }

  /// Runs `talk` with one connection to `hub`.
  void run(Listener& hub, std::function<awaitable<void>(MessageStream&)> talk) {
    loop_.run(beside_the_desk(connect_and(address_of(hub), std::move(talk))));
  }

  awaitable<void> connect_and(HubAddress hub, std::function<awaitable<void>(MessageStream&)> talk) {
    auto stream = co_await connect(GetParam().road, hub);
    EXPECT_TRUE(stream) << stream.error().detail;
    if (stream) co_await talk(**stream);
  }

  awaitable<void> beside_the_desk(awaitable<void> test) {
    TaskScope scope(loop_.executor());
    scope.spawn(posts_->run(session_));
    co_await std::move(test);
    scope.cancel();
    co_await scope.wait();
  }

  Loop loop_;
  std::unique_ptr<PostDesk> posts_;
  SessionHandler session_;
};

INSTANTIATE_TEST_SUITE_P(Roads,
                         MessageStreamTest,
                         testing::Values(Case{Road::websocket, false},
                                         Case{Road::websocket, true},
                                         Case{Road::post, false},
                                         Case{Road::post, true}),
                         name_of);

awaitable<void> echo_many(MessageStream& stream) {
  for (std::size_t i = 0; i < 60; ++i) {
    const std::string message(i * 67 % 3000, static_cast<char>(i));
    auto written = co_await stream.write(message);
    EXPECT_TRUE(written);
    auto answer = co_await stream.read();
    EXPECT_TRUE(answer && *answer == message) << i;
  }
  EXPECT_EQ(stream.server_pin(), test_identity().pin);
  EXPECT_GT(stream.bytes_written(), 60u * 1000);
  EXPECT_GT(stream.bytes_read(), 60u * 1000);
  co_await stream.close("done");
}

TEST_P(MessageStreamTest, EchoesMessageAfterMessage) { run(serve(echo), echo_many); }

awaitable<void> echo_sizes(MessageStream& stream) {
  for (const std::size_t size : {0u, 1u, 125u, 126u, 256u, 65535u, 65536u, 100'000u}) {
    std::string message(size, '\0');
    for (std::size_t i = 0; i < size; ++i) message[i] = static_cast<char>(i * 31 % 251);
    auto written = co_await stream.write(message);
    EXPECT_TRUE(written);
    auto answer = co_await stream.read();
    EXPECT_TRUE(answer && *answer == message) << size;
  }
}

TEST_P(MessageStreamTest, CarriesEverySizeUpToTheLimit) { run(serve(echo), echo_sizes); }

awaitable<void> write_all(MessageStream& stream, int count) {
  for (int i = 0; i < count; ++i) {
    auto written = co_await stream.write(std::to_string(i));
    EXPECT_TRUE(written);
  }
}

awaitable<void> read_all(MessageStream& stream, int count) {
  for (int i = 0; i < count; ++i) {
    auto message = co_await stream.read();
    EXPECT_TRUE(message && *message == std::to_string(i));
  }
}

awaitable<void> both_ways(MessageStream& stream) {
  using boost::asio::experimental::awaitable_operators::operator&&;
  co_await (write_all(stream, 200) && read_all(stream, 200));
}

awaitable<void> both_ways_at_hub(std::unique_ptr<MessageStream> stream) {
  co_await both_ways(*stream);
  auto end = co_await stream->read();
  EXPECT_FALSE(end);
}

TEST_P(MessageStreamTest, ReadsAndWritesAtTheSameTime) { run(serve(both_ways_at_hub), both_ways); }

awaitable<void> say_binding(std::unique_ptr<MessageStream> stream) {
  auto written = co_await stream->write(stream->channel_binding());
  EXPECT_TRUE(written);
  auto more = co_await stream->read();
  EXPECT_FALSE(more);
}

TEST_P(MessageStreamTest, BothEndsKnowTheSameBindingAndNobodyElse) {
  Listener& hub = serve(say_binding);
  std::string mine;
  std::string other;
  const auto compare = [](MessageStream& stream, std::string* seen) -> awaitable<void> {
    auto told = co_await stream.read();
    EXPECT_TRUE(told && *told == stream.channel_binding());
    *seen = stream.channel_binding();
  };
  const auto twice = [&](MessageStream& stream) { return compare(stream, &mine); };
  const auto again = [&](MessageStream& stream) { return compare(stream, &other); };
  const auto test = [&]() -> awaitable<void> {
    co_await connect_and(address_of(hub), twice);
    co_await connect_and(address_of(hub), again);
  };
  loop_.run(beside_the_desk(test()));
  EXPECT_EQ(mine.size(), 32u);
  EXPECT_NE(mine, other);
}

awaitable<void> say_goodbye(std::unique_ptr<MessageStream> stream) {
  auto written = co_await stream->write("last words");
  EXPECT_TRUE(written);
  co_await stream->close("revoked");
}

awaitable<void> hear_goodbye(MessageStream& stream) {
  auto words = co_await stream.read();
  EXPECT_TRUE(words && *words == "last words");
  auto end = co_await stream.read();
  EXPECT_FALSE(end);
  EXPECT_EQ(end.error().detail, "read: closed by the peer: revoked");
}

TEST_P(MessageStreamTest, TheReasonOfACloseComesBehindTheLastMessage) {
  run(serve(say_goodbye), hear_goodbye);
}

awaitable<void> leave(MessageStream& stream) {
  auto written = co_await stream.write("last words");
  EXPECT_TRUE(written);
  co_await stream.close("switched off");
}

awaitable<void> hear_leave(std::unique_ptr<MessageStream> stream, std::string* why) {
  auto words = co_await stream->read();
  EXPECT_TRUE(words && *words == "last words");
  auto end = co_await stream->read();
  EXPECT_FALSE(end);
  if (!end) *why = end.error().detail;
}

TEST_P(MessageStreamTest, TheHubLearnsWhyADeviceLeaves) {
  std::string why;
  const auto on_session = [&why](std::unique_ptr<MessageStream> stream) {
    return hear_leave(std::move(stream), &why);
  };
  run(serve(on_session), leave);
  EXPECT_EQ(why, "read: closed by the peer: switched off");
}

awaitable<void> expect_refused(Road road, HubAddress hub) {
  hub.pin = sha256("another key").str();
  auto stream = co_await connect(road, hub);
  EXPECT_FALSE(stream);
  if (!stream) {
    EXPECT_EQ(stream.error().code, ErrorCode::refused);
  }
}

TEST_P(MessageStreamTest, AnotherKeyIsRefusedAndHearsNothing) {
  int sessions = 0;
  const auto count = [&sessions](std::unique_ptr<MessageStream>) -> awaitable<void> {
    ++sessions;
    co_return;
  };
  Listener& hub = serve(count);
  loop_.run(beside_the_desk(expect_refused(GetParam().road, address_of(hub))));
  EXPECT_EQ(sessions, 0);
}

awaitable<void> wait_for(std::unique_ptr<MessageStream> stream, int* ended) {
  auto message = co_await stream->read();
  EXPECT_FALSE(message);
  ++*ended;
}

TEST_P(MessageStreamTest, ACancelledReadEndsPromptlyAndTheOtherSideNotices) {
  using boost::asio::experimental::awaitable_operators::operator||;
  int ended = 0;
  const auto on_session = [&ended](std::unique_ptr<MessageStream> stream) {
    return wait_for(std::move(stream), &ended);
  };
  const auto give_up = [](MessageStream& stream) -> awaitable<void> {
    co_await (stream.read() || expire_after(milliseconds(200)));
    auto written = co_await stream.write("still there");
    EXPECT_TRUE(written);
    co_await stream.close("enough");
  };
  const auto hears = [&ended](std::unique_ptr<MessageStream> stream) -> awaitable<void> {
    auto message = co_await stream->read();
    EXPECT_TRUE(message && *message == "still there");
    auto end = co_await stream->read();
    EXPECT_FALSE(end);
    ++ended;
  };
  // A WebSocket whose read was cancelled half-way is over.
  if (GetParam().road == Road::post) {
    run(serve(hears), give_up);
  } else {
    const auto only_close = [](MessageStream& stream) -> awaitable<void> {
      co_await (stream.read() || expire_after(milliseconds(200)));
      co_await stream.close("enough");
    };
    run(serve(on_session), only_close);
  }
  EXPECT_EQ(ended, 1);
}

}  // namespace
}  // namespace duhui::net

#include "agent/app/link.h"

#include <map>

#include <gtest/gtest.h>

#include "shared/crypto/system_random.h"
#include "shared/sync/frame_codec.h"
#include "shared/sync/key_history.h"
#include "shared/sync/payload_codec.h"
#include "tests/shared/net/loop.h"
#include "tests/support/memory_store.h"

namespace duhui::agent {
namespace {

using boost::asio::awaitable;

/// The least hub that could work: welcomes, acknowledges, and can be told to hang up.
struct SmallHub {
  std::map<std::string, sync::v1::StreamHead> heads;
  int connections = 0;
  int hang_up_after = 0;  // batches; 0: never
  std::uint64_t ops = 0;
  bool silent = false;
  bool refusing = false;

  awaitable<void> serve(std::unique_ptr<net::MessageStream> stream) {
    ++connections;
    int batches = 0;
    for (;;) {
      auto bytes = co_await stream->read();
      if (!bytes) co_return;
      auto frame = decode_frame(*bytes);
      if (!frame) co_return;
      if (frame->has_batch() && hang_up_after > 0 && ++batches == hang_up_after) {
        hang_up_after = 0;
        co_return;
      }
      const std::string answer = answer_to(*frame, bytes->size());
      if (answer.empty() || silent) continue;
      auto written = co_await stream->write(answer);
      if (!written) co_return;
    }
  }

  std::string answer_to(const sync::v1::Frame& frame, std::size_t size) {
    sync::v1::Frame out;
    if (frame.has_hello() && refusing) {
      out.mutable_goodbye()->set_reason(sync::v1::Goodbye::REASON_UNAUTHORISED);
      out.mutable_goodbye()->set_detail("ticket: used up");
      out.mutable_goodbye()->set_retry_after_ms(60'000);
      return encode_frame(out);
    }
    if (frame.has_hello()) {
      sync::v1::Welcome& welcome = *out.mutable_welcome();
      welcome.set_version(1);
      welcome.set_hub_id(std::string(16, 'h'));
      welcome.set_epoch(5);
      welcome.set_hub_time_ms(1'760'000'000'000);
      *welcome.mutable_hub_head() = heads[frame.hello().head().origin()];
      welcome.set_verdict(sync::v1::STREAM_VERDICT_CONTINUE);
      welcome.set_credit(1 << 20);
      PayloadCodec::announce(&welcome);
      welcome.set_device_name("样例小学");
      return encode_frame(out);
    }
    if (!frame.has_batch()) return {};
    const sync::v1::Batch& batch = frame.batch();
    sync::v1::StreamHead& head = heads[batch.origin()];
    head.set_origin(batch.origin());
    head.set_seq(batch.first_seq() + batch.count() - 1);
    head.set_chain(batch.chain());
    ops += batch.count();
    sync::v1::Ack& ack = *out.mutable_ack();
    ack.set_origin(batch.origin());
    ack.set_through(head.seq());
    ack.set_chain(batch.chain());
    ack.set_credit(size);
    return encode_frame(out);
  }
};

awaitable<net::HttpResponse> answer_keys(std::string keys, net::HttpRequest request) {
  const bool asked = request.method == "GET" && request.target == net::kSyncKeysPath;
  co_return net::HttpResponse{.status = asked ? 200 : 404,
                              .content_type = "application/octet-stream",
                              .body = asked ? std::move(keys) : std::string()};
}

/// An agent in memory, linked to a SmallHub through real TLS on loopback.
class LinkTest : public testing::Test, public LinkEvents {
 public:
  LinkTest()
      : store_(disk_),
        journal_(disk_),
        identity_{
            .id = DeviceId::random(random_), .key = SigningKey::generate(random_), .ticket = "t:s"},
        replica_(Replica::open(store_, journal_, random_, clock_.read(), false).value()),
        hub_listener_(loop_.serve(
            net::Listener::on_tls(loop_.executor(), "127.0.0.1", 0, net::test_identity(), {}),
            net::not_found,
            [this](std::unique_ptr<net::MessageStream> stream) {
              return hub_.serve(std::move(stream));
            })),
        link_(loop_.executor(),
              Link::Parts{.replica = *replica_,
                          .identity = identity_,
                          .random = random_,
                          .clock = clock_,
                          .events = *this},
              net::address_of(hub_listener_),
              "test") {}

  void save() {
    Intent intent;
    intent.record = mint_record_id(clock_.wall(), random_);
    intent.type = 20;
    intent.creates = true;
    intent.scope = "city/school";
    intent.person = "u-sup-001";
    // Field 2, text.
    intent.writes.push_back({{2, {}}, std::string("\x12\x0a") + "2025-10-09"});
    ASSERT_TRUE(replica_->save({intent}, clock_.read()));
    link_.saved();
  }

  /// Runs `test` beside the link, then ends the link.
  void run(awaitable<void> test) { loop_.run(beside_the_link(std::move(test))); }

  void welcomed(const Digest& pin, const std::string& device_name) override {
    pin_ = pin;
    name_ = device_name;
    identity_.ticket.clear();
  }
  void records_changed(const std::vector<RecordId>&) override {}
  void acknowledged(std::uint64_t through) override { through_ = through; }

  net::Loop loop_;
  SystemRandom random_;
  net::SystemClock clock_;
  MemoryDisk disk_;
  MemoryKvStore store_;
  MemoryJournal journal_;
  DeviceIdentity identity_;
  std::unique_ptr<Replica> replica_;
  SmallHub hub_;
  net::Listener& hub_listener_;
  Link link_;
  Digest pin_;
  std::string name_;
  std::uint64_t through_ = 0;

 private:
  awaitable<void> beside_the_link(awaitable<void> test) {
    net::TaskScope scope(loop_.executor());
    scope.spawn(link_.run());
    co_await std::move(test);
    scope.cancel();
    co_await scope.wait();
  }
};

TEST_F(LinkTest, DeliversWhatWasSavedBeforeAndDuringTheConnection) {
  save();
  save();
  const auto test = [](LinkTest& self) -> awaitable<void> {
    EXPECT_TRUE(co_await self.link_.wait_caught_up(seconds(10)));
    EXPECT_EQ(self.hub_.ops, 2u);
    self.save();
    EXPECT_TRUE(co_await self.link_.wait_caught_up(seconds(10)));
  };
  run(test(*this));
  EXPECT_EQ(hub_.ops, 3u);
  EXPECT_EQ(through_, 3u);
  EXPECT_EQ(name_, "样例小学");
  EXPECT_EQ(pin_, net::test_identity().pin);
  EXPECT_EQ(hub_.connections, 1);
}

TEST_F(LinkTest, ConnectsAgainWhenTheHubHangsUp) {
  hub_.hang_up_after = 1;
  save();
  const auto test = [](LinkTest& self) -> awaitable<void> {
    EXPECT_TRUE(co_await self.link_.wait_caught_up(seconds(10)));
  };
  run(test(*this));
  EXPECT_EQ(hub_.connections, 2);
  EXPECT_EQ(replica_->unacknowledged(), 0u);
}

TEST_F(LinkTest, CountsTheBytesOfThisConnectionAndOfAll) {
  save();
  const auto test = [](LinkTest& self) -> awaitable<void> {
    EXPECT_EQ(self.link_.bytes_total().written, 0u);
    EXPECT_TRUE(co_await self.link_.wait_caught_up(seconds(10)));
    const LinkBytes first = self.link_.bytes();
    EXPECT_GT(first.written, 0u);
    EXPECT_GT(first.read, 0u);
    EXPECT_EQ(self.link_.bytes_total().written, first.written);
    self.link_.enable(false);
    self.save();
    EXPECT_FALSE(co_await self.link_.wait_caught_up(hours(1)));
    EXPECT_EQ(self.link_.bytes().written, 0u);  // no connection
    const LinkBytes ended = self.link_.bytes_total();
    EXPECT_GE(ended.written, first.written);
    EXPECT_GE(ended.read, first.read);
    self.link_.enable(true);
    EXPECT_TRUE(co_await self.link_.wait_caught_up(seconds(10)));
    const LinkBytes second = self.link_.bytes();
    EXPECT_GT(second.written, 0u);
    EXPECT_EQ(self.link_.bytes_total().written, ended.written + second.written);
    EXPECT_EQ(self.link_.bytes_total().read, ended.read + second.read);
  };
  run(test(*this));
  EXPECT_EQ(hub_.connections, 2);
}

TEST_F(LinkTest, StaysAwayWhileItIsSwitchedOff) {
  const auto test = [](LinkTest& self) -> awaitable<void> {
    EXPECT_TRUE(co_await self.link_.wait_caught_up(seconds(10)));
    self.link_.enable(false);
    self.save();
    EXPECT_FALSE(co_await self.link_.wait_caught_up(hours(1)));  // at once: nothing will happen
    EXPECT_EQ(self.link_.state(), Link::State::disabled);
    EXPECT_EQ(self.hub_.ops, 0u);
    self.link_.enable(true);
    EXPECT_TRUE(co_await self.link_.wait_caught_up(seconds(10)));
  };
  run(test(*this));
  EXPECT_EQ(hub_.ops, 1u);
}

TEST_F(LinkTest, ARefusalEndsTheWaitingThatWouldBeInVain) {
  hub_.refusing = true;
  save();
  const auto test = [](LinkTest& self) -> awaitable<void> {
    const MonotonicTime began = self.clock_.monotonic();
    EXPECT_FALSE(co_await self.link_.wait_caught_up(seconds(20)));
    EXPECT_LT(self.clock_.monotonic() - began, seconds(10));
    EXPECT_EQ(self.link_.last_error(), "hub: ticket: used up");
    self.hub_.refusing = false;  // a person asks again: at once, whatever the hub asked for
    EXPECT_TRUE(co_await self.link_.wait_caught_up(seconds(10)));
  };
  run(test(*this));
  EXPECT_EQ(hub_.connections, 2);
}

TEST_F(LinkTest, SwitchingOffEndsTheWaiting) {
  save();
  const auto switch_off = [](LinkTest& self) -> awaitable<void> {
    self.link_.enable(false);
    co_return;
  };
  const auto test = [switch_off](LinkTest& self) -> awaitable<void> {
    net::TaskScope scope(self.loop_.executor());
    self.hub_.silent = true;
    scope.spawn(switch_off(self));  // runs once the next line waits
    EXPECT_FALSE(co_await self.link_.wait_caught_up(hours(1)));
    EXPECT_EQ(self.link_.state(), Link::State::disabled);
    co_await scope.wait();
  };
  run(test(*this));
}

TEST_F(LinkTest, FollowsItsHubToANewKey) {
  save();
  const net::TlsIdentity old_key = net::make_tls_identity("hub").value();
  sync::v1::KeyHistory history;
  SeededRandom random(1);
  *history.add_statements() =
      state_new_key(HubId::random(random), old_key.pem, net::test_identity().pin, clock_.wall())
          .value();
  const auto tell = [](std::string keys) -> net::HttpHandler {
    return [keys](net::HttpRequest request) { return answer_keys(keys, std::move(request)); };
  };
  net::Listener& rotated = loop_.serve(
      net::Listener::on_tls(loop_.executor(), "127.0.0.1", 0, net::test_identity(), {}),
      tell(history.SerializeAsString()),
      [this](std::unique_ptr<net::MessageStream> stream) { return hub_.serve(std::move(stream)); });
  Link link(loop_.executor(),
            Link::Parts{.replica = *replica_,
                        .identity = identity_,
                        .random = random_,
                        .clock = clock_,
                        .events = *this},
            {.host = "127.0.0.1", .port = rotated.port(), .pin = old_key.pin.str()}, "test");
  const auto test = [](net::Loop& loop, Link& to_rotated) -> awaitable<void> {
    net::TaskScope scope(loop.executor());
    scope.spawn(to_rotated.run());
    EXPECT_TRUE(co_await to_rotated.wait_caught_up(seconds(10))) << to_rotated.last_error();
    scope.cancel();
    co_await scope.wait();
  };
  loop_.run(test(loop_, link));
  EXPECT_EQ(hub_.ops, 1u);
  EXPECT_EQ(pin_, net::test_identity().pin) << "to be kept";
}

TEST_F(LinkTest, SaysWhyItCannotConnect) {
  Link elsewhere(loop_.executor(),
                 Link::Parts{.replica = *replica_,
                             .identity = identity_,
                             .random = random_,
                             .clock = clock_,
                             .events = *this},
                 {.host = "127.0.0.1", .port = hub_listener_.port(), .pin = std::string(32, 'x')},
                 "test");
  const auto test = [](net::Loop& loop, Link& link) -> awaitable<void> {
    net::TaskScope scope(loop.executor());
    scope.spawn(link.run());
    EXPECT_FALSE(co_await link.wait_caught_up(milliseconds(300)));
    EXPECT_TRUE(link.last_error().starts_with("refused: hub key changed without a statement"))
        << link.last_error();
    scope.cancel();
    co_await scope.wait();
  };
  loop_.run(test(loop_, elsewhere));
}

}  // namespace
}  // namespace duhui::agent

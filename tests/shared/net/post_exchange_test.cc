#include "shared/net/post_exchange.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace duhui::net {
namespace {

constexpr std::size_t kMessageMax = 1000;

PostParcel through_the_wire(const PostParcel& parcel) {
  auto read = decode_parcel(encode_parcel(parcel), kMessageMax);
  EXPECT_TRUE(read) << read.error().detail;
  return std::move(*read);
}

TEST(PostParcel, IsReadAsItWasWritten) {
  PostParcel parcel{.number = 7, .acknowledged = 300, .wait = seconds(25), .first = 12};
  parcel.messages = {"one", "", std::string(kMessageMax, '\0')};
  parcel.farewell = "revoked";
  const PostParcel read = through_the_wire(parcel);
  EXPECT_EQ(read.number, 7u);
  EXPECT_EQ(read.acknowledged, 300u);
  EXPECT_EQ(read.wait, seconds(25));
  EXPECT_EQ(read.first, 12u);
  EXPECT_EQ(read.messages, parcel.messages);
  EXPECT_EQ(read.farewell, "revoked");
}

TEST(PostParcel, IsRefusedWhereverItIsCutOrContinued) {
  PostParcel parcel{.number = 1, .acknowledged = 0, .first = 1};
  parcel.messages = {"one", "two"};
  parcel.farewell = "x";
  const std::string bytes = encode_parcel(parcel);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_parcel(bytes.substr(0, size), kMessageMax)) << size;
  }
  EXPECT_FALSE(decode_parcel(bytes + '\0', kMessageMax));
  EXPECT_FALSE(decode_parcel(bytes, 2)) << "a message over the limit";
}

TEST(PostParcel, LiesAboutLengthsTakeNoMemory) {
  // Version, number, acknowledged, wait, first, then 256 messages, the first of them of 2^60 bytes.
  const std::string lie("\x01\x01\x00\x00\x01\x80\x02\x80\x80\x80\x80\x80\x80\x80\x80\x10", 16);
  EXPECT_FALSE(decode_parcel(lie, kMessageMax));
  const std::string many("\x01\x01\x00\x00\x01\xff\xff\xff\xff\x0f", 10);
  EXPECT_FALSE(decode_parcel(many, kMessageMax));
}

RC_GTEST_PROP(PostParcel, NothingThatComesInHarmsIt, (const std::string& bytes)) {
  auto read = decode_parcel(bytes, kMessageMax);
  if (read) RC_ASSERT(decode_parcel(encode_parcel(*read), kMessageMax));
}

TEST(PostTerms, AreReadAsTheyWereWritten) {
  const PostTerms terms{.session = std::string(32, 's'),
                        .proxied = true,
                        .wait_max = seconds(55),
                        .idle = seconds(90)};
  auto read = decode_terms(encode_terms(terms));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->session, terms.session);
  EXPECT_TRUE(read->proxied);
  EXPECT_EQ(read->wait_max, seconds(55));
  EXPECT_EQ(read->idle, seconds(90));
  EXPECT_FALSE(decode_terms(encode_terms({.session = "short"})));
}

TEST(PostHubSide, AcknowledgingWhatWasNeverSentIsRefused) {
  PostHubSide hub(kMessageMax);
  hub.send("one");
  PostParcel lie{.number = 1, .acknowledged = 2};
  EXPECT_FALSE(hub.take(lie));
}

TEST(PostHubSide, OnlyTheNewestPollWaitsAndBrings) {
  PostHubSide hub(kMessageMax);
  PostParcel old_poll{.number = 1, .wait = seconds(25)};
  PostParcel new_poll{.number = 3, .wait = seconds(25)};
  ASSERT_TRUE(hub.take(old_poll));
  EXPECT_TRUE(hub.waits(1));
  ASSERT_TRUE(hub.take(new_poll));
  EXPECT_FALSE(hub.waits(1));
  hub.send("one");
  EXPECT_FALSE(hub.waits(3));
  EXPECT_TRUE(hub.answer(1, true, kMessageMax).messages.empty());
  EXPECT_EQ(hub.answer(3, true, kMessageMax).messages.size(), 1u);
}

TEST(PostHubSide, TakesNothingMoreWhileItsReaderIsBehind) {
  PostHubSide hub(100);
  PostDeviceSide device;
  for (int i = 0; i < 4; ++i) {
    device.send(std::string(90, static_cast<char>('a' + i)));
    PostParcel request = device.sending(90);
    ASSERT_TRUE(hub.take(request));
    ASSERT_TRUE(device.take(hub.answer(request.number, false, kMessageMax), request.number));
  }
  EXPECT_FALSE(device.all_sent());
  std::string read;
  while (auto message = hub.next()) read += message->front();
  EXPECT_EQ(read, "ab") << "one beyond the limit, and no more";
  PostParcel again = device.sending(kMessageMax);
  ASSERT_TRUE(hub.take(again));
  ASSERT_TRUE(device.take(hub.answer(again.number, false, kMessageMax), again.number));
  EXPECT_TRUE(device.all_sent());
  while (auto message = hub.next()) read += message->front();
  EXPECT_EQ(read, "abcd");
}

TEST(PostHubSide, TheLastWordsComeAfterEverything) {
  PostHubSide hub(kMessageMax);
  PostDeviceSide device;
  hub.send("one");
  hub.send("two");
  hub.say_farewell("stopping");
  std::vector<std::string> read;
  for (int polls = 0; !device.ended() && polls < 5; ++polls) {
    PostParcel poll = device.poll(seconds(1));
    ASSERT_TRUE(hub.take(poll));
    EXPECT_FALSE(hub.waits(poll.number));
    ASSERT_TRUE(device.take(hub.answer(poll.number, true, 3), poll.number));
    while (auto message = device.next()) read.push_back(*message);
  }
  EXPECT_EQ(device.ended(), "stopping");
  EXPECT_EQ(read, (std::vector<std::string>{"one", "two"}));
  EXPECT_TRUE(hub.farewell_said());
}

/// Requests and answers that may be lost, come twice, and overtake each other.
class BadNetwork {
 public:
  BadNetwork() : hub_(4 * kMessageMax) {}

  void step(int what, std::size_t which) {
    switch (what) {
      case 0:
        device_.send("d" + std::to_string(++said_by_device_));
        break;
      case 1:
        hub_.send("h" + std::to_string(++said_by_hub_));
        break;
      case 2:
        requests_.push_back(device_.poll(seconds(1)));
        break;
      case 3:
        requests_.push_back(device_.sending(8));
        break;
      case 4:  // it arrives, and stays in the network to arrive again
        if (!requests_.empty()) arrive(requests_[which % requests_.size()]);
        break;
      case 5:  // lost
        if (!requests_.empty()) erase(requests_, which);
        break;
      case 6:
        if (!answers_.empty()) deliver(answers_[which % answers_.size()]);
        break;
      case 7:
        if (!answers_.empty()) erase(answers_, which);
        break;
      default:
        break;
    }
    look();
  }

  /// The network is good again.
  void settle() {
    for (int i = 0; i < said_by_device_ + said_by_hub_ + 2; ++i) {
      for (const PostParcel& request : {device_.sending(8), device_.poll(seconds(1))}) {
        answers_.clear();
        arrive(request);
        deliver(answers_.back());
        look();
      }
    }
  }

  void expect_all() const {
    RC_ASSERT(at_hub_ == wanted('d', said_by_device_));
    RC_ASSERT(at_device_ == wanted('h', said_by_hub_));
    RC_ASSERT(device_.all_sent());
  }

  /// At every moment: the beginning of what was said, each once and in order.
  void look() {
    while (auto message = hub_.next()) at_hub_.push_back(*message);
    while (auto message = device_.next()) at_device_.push_back(*message);
    RC_ASSERT(at_hub_ == wanted('d', static_cast<int>(at_hub_.size())));
    RC_ASSERT(at_device_ == wanted('h', static_cast<int>(at_device_.size())));
  }

 private:
  static std::vector<std::string> wanted(char who, int count) {
    std::vector<std::string> all;
    for (int i = 1; i <= count; ++i) all.push_back(who + std::to_string(i));
    return all;
  }

  template <typename List>
  static void erase(List& list, std::size_t which) {
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(which % list.size()));
  }

  void arrive(const PostParcel& sent) {
    PostParcel request = through_the_wire(sent);
    RC_ASSERT(hub_.take(request).has_value());
    answers_.push_back(hub_.answer(request.number, request.wait.ms > 0, 8));
  }

  void deliver(const PostParcel& answer) {
    RC_ASSERT(device_.take(through_the_wire(answer), answer.number).has_value());
  }

  PostHubSide hub_;
  PostDeviceSide device_;
  std::vector<PostParcel> requests_;
  std::vector<PostParcel> answers_;
  int said_by_device_ = 0;
  int said_by_hub_ = 0;
  std::vector<std::string> at_hub_;
  std::vector<std::string> at_device_;
};

RC_GTEST_PROP(PostExchange, EachMessageArrivesOnceAndInOrderWhateverHappensToTheRequests, ()) {
  BadNetwork network;
  const auto steps = *rc::gen::container<std::vector<std::pair<int, std::size_t>>>(
      rc::gen::pair(rc::gen::inRange(0, 8), rc::gen::inRange<std::size_t>(0, 1000)));
  for (const auto& [what, which] : steps) network.step(what, which);
  network.settle();
  network.expect_all();
}

}  // namespace
}  // namespace duhui::net

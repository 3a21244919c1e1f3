#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/agent/core/test_device.h"

namespace duhui::agent {

/// A device, one link of it, and the words of a hub that the test writes.
struct Script {
  explicit Script(std::uint64_t seed, std::string records = {}) : device(seed) {
    device.save_all(records);
    connect();
  }

  void connect() {
    session = std::make_unique<SyncSession>(*device.replica, device.identity, "test");
  }

  std::vector<Effect> up() { return session->link_up("binding", device.clock()); }
  std::vector<Effect> hear(const sync::v1::Frame& frame) {
    return session->received(encode_frame(frame), device.clock());
  }
  std::vector<Effect> hear(const sync::v1::Ack& ack) {
    sync::v1::Frame frame;
    *frame.mutable_ack() = ack;
    return hear(frame);
  }
  std::vector<Effect> hear(const sync::v1::FeedPage& page) {
    sync::v1::Frame frame;
    *frame.mutable_feed_page() = page;
    return hear(frame);
  }
  std::vector<Effect> hear(const sync::v1::Welcome& welcome) {
    sync::v1::Frame frame;
    *frame.mutable_welcome() = welcome;
    return hear(frame);
  }

  /// The welcome of a hub that holds the device's stream up to `seq`.
  sync::v1::Welcome welcome(std::uint64_t seq) {
    sync::v1::Welcome welcome;
    welcome.set_version(1);
    welcome.set_epoch(7);
    welcome.set_hub_time_ms(kStart);
    welcome.mutable_hub_head()->set_origin(device.replica->origin().str());
    welcome.mutable_hub_head()->set_seq(seq);
    auto chain = device.replica->chain_at(seq);
    if (chain && *chain) welcome.mutable_hub_head()->set_chain(**chain);
    welcome.set_verdict(sync::v1::STREAM_VERDICT_CONTINUE);
    welcome.set_credit(sync_limits::kUpstreamCredit);
    PayloadCodec::announce(&welcome);
    welcome.set_device_name("a school");
    return welcome;
  }

  /// Past the greeting, with everything up to `acknowledged` at the hub.
  void go_live(std::uint64_t acknowledged) {
    up();
    hear(welcome(acknowledged));
    ASSERT_EQ(session->state(), SyncSession::State::live);
    if (acknowledged > 0) hear(ack_of(device, acknowledged));
  }

  TestDevice device;
  std::unique_ptr<SyncSession> session;
};

/// (first seq, number of ops) of every batch among `effects`.
inline std::vector<std::pair<std::uint64_t, std::uint32_t>> batches(
    const std::vector<Effect>& effects) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> all;
  for (const sync::v1::Frame& frame : sent(effects)) {
    if (frame.has_batch()) all.emplace_back(frame.batch().first_seq(), frame.batch().count());
  }
  return all;
}

}  // namespace duhui::agent

#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "agent/core/bundle_delivery.h"
#include "agent/core/bundle_source.h"
#include "duhui/record/v1/visit.pb.h"
#include "hub/core/bundle_making.h"
#include "hub/core/bundle_taking.h"
#include "shared/base/bytes.h"
#include "shared/merge/schema.h"
#include "shared/sync/bundle_format.h"
#include "shared/sync/bundle_plan.h"
#include "tests/agent/core/test_device.h"
#include "tests/hub/core/test_hub.h"
#include "tests/support/memory_blob_store.h"

namespace duhui {

using agent::BundleDelivery;
using agent::BundleSource;
using agent::TestDevice;
using hub::BundleMaking;
using hub::BundleTaking;

inline constexpr std::int64_t kDay = 24 * 3600 * 1000;

/// What one file of a bundle holds.
struct Carried {
  sync::v1::BundleHeader header{};
  sync::v1::BundleOpening opening{};
  std::vector<std::string> frames{};
};

/// Devices and hubs that only meet by stick, or over links that break.
class Bundles : public ::testing::Test {
 protected:
  static void enrol(hub::TestHub& hub, const TestDevice& device) {
    hub::DeviceRow row;
    row.id = device.identity.id;
    row.public_key = device.identity.key.public_key().str();
    row.name = "a school";
    row.scopes = {"city"};
    ASSERT_TRUE(hub.store.write([&](hub::HubTransaction& tx) { return tx.devices().put(row); }));
  }

  static hub::DeviceRow row_of(hub::TestHub& hub, const TestDevice& device) {
    return hub.store.state().devices.at(device.identity.id);
  }

  /// One batch in each frame behind the greeting, `ops` of them in each.
  Carried export_from(TestDevice& device) {
    Carried carried;
    const std::string id(16, static_cast<char>('a' + bundles_++));
    carried.header.set_bundle_id(id);
    carried.header.set_device_id(device.identity.id.str());
    auto source =
        BundleSource::begin(*device.replica, device.identity, "school", id, device.clock(), "test");
    EXPECT_TRUE(source) << to_string(source.error());
    carried.opening = (*source)->opening();
    carried.frames = (*source)->greeting();
    for (auto frame = (*source)->next();; frame = (*source)->next()) {
      EXPECT_TRUE(frame);
      if (!frame || !*frame) break;
      carried.frames.push_back((**frame).bytes);
    }
    return carried;
  }

  Status talk(hub::TestHub& hub, hub::HubPeer& peer) {
    hub::HubCore core(hub.identity, "test");
    hub::StorageContext context{hub.store,  hub.ops,          hub.rules,
                                hub.random, hub.identity.key, &hub.files};
    return hub::converse(core, context, peer, {.wall = hub_time_, .monotonic = {1}, .boot = 1});
  }

  BundleTaking::Outcome import_at(hub::TestHub& hub, const Carried& carried) {
    std::size_t at = 0;
    BundleTaking taking(carried.header, carried.opening,
                        [&]() -> Result<std::optional<std::string>> {
                          if (at == carried.frames.size()) return std::optional<std::string>{};
                          return std::optional<std::string>(carried.frames[at++]);
                        });
    const Status done = talk(hub, taking);
    EXPECT_TRUE(done) << to_string(done.error());
    EXPECT_TRUE(hub.store.write(
        [&](hub::HubTransaction& tx) { return hub::remember_told(tx, taking.told()); }));
    return taking.outcome();
  }

  Carried answer_of(hub::TestHub& hub, const TestDevice& device) {
    hub::Told told;
    EXPECT_TRUE(hub.store.read([&](hub::HubTransaction& tx) -> Status {
      auto said = hub::told_by(tx, row_of(hub, device));
      if (!said) return said.error();
      told = *said;
      return Done{};
    }));
    Carried carried;
    carried.opening.set_acknowledged(told.hello.acknowledged().seq());
    carried.opening.set_own_log_from(told.hello.own_log_from());
    BundleMaking making(told, [&](std::string_view frame, std::uint64_t, std::uint64_t) -> Status {
      carried.frames.emplace_back(frame);
      return Done{};
    });
    const Status done = talk(hub, making);
    EXPECT_TRUE(done) << to_string(done.error());
    return carried;
  }

  static Status import_from(TestDevice& device,
                            const Carried& carried,
                            BundleDelivery::Outcome* outcome = nullptr) {
    BundleDelivery delivery(*device.replica, carried.opening);
    Status taken = Done{};
    for (const std::string& frame : carried.frames) {
      taken = delivery.take(frame);
      if (!taken) break;
    }
    if (outcome != nullptr) *outcome = delivery.outcome();
    return taken;
  }

  /// There and back.
  void exchange(hub::TestHub& hub, TestDevice& device) {
    import_at(hub, export_from(device));
    hub_time_.ms += 60'000;
    const Status taken = import_from(device, answer_of(hub, device));
    ASSERT_TRUE(taken) << to_string(taken.error());
  }

  /// Over a link, until nothing more is said. False: the device closed.
  static bool connect(hub::TestHub& hub, TestDevice& device) {
    agent::SyncSession session(*device.replica, device.identity, "test");
    const hub::SessionId id = hub.open();
    std::vector<agent::Effect> effects = session.link_up("binding", device.clock());
    for (std::size_t heard = 0;;) {
      for (const agent::Effect& effect : effects) {
        if (const auto* send = std::get_if<agent::Send>(&effect)) hub.say_bytes(id, send->frame);
      }
      effects.clear();
      auto& frames = hub.heard[id];
      if (heard == frames.size()) break;
      effects = session.received(encode_frame(frames[heard++]), device.clock());
    }
    hub.core.closed(id);
    return session.state() == agent::SyncSession::State::live;
  }

  WallTime hub_time_{hub::kNow + 60'000};
  int bundles_ = 0;
};

}  // namespace duhui

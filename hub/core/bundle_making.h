#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "hub/core/bundle_taking.h"
#include "hub/core/hub_peer.h"

namespace duhui::hub {

/// Asks the hub what a device would be sent if it said now what it told by its newest bundle, and
/// gives every frame of it away: the bundle for that device. Nothing at the hub changes by it.
class BundleMaking final : public HubPeer {
 public:
  using Sink =
      std::function<Status(std::string_view frame, std::uint64_t ops, std::uint64_t files)>;
  BundleMaking(Told told, Sink sink) : told_(std::move(told)), sink_(std::move(sink)) {}

  std::string binding() const override { return "duhui bundle v1\n"; }
  Arrival arrival() const override { return {.road = Arrival::Road::told_again}; }
  Result<std::optional<std::string>> next() override;
  Status heard(std::string_view frame) override;
  bool over() const override { return over_; }

  const sync::v1::Welcome& welcome() const { return welcome_; }
  std::uint64_t ops() const { return ops_; }
  /// Files that the hub signs for.
  std::uint64_t files() const { return files_; }

 private:
  std::optional<std::string> next_question();
  std::optional<std::string> next_offer();
  bool text_is_done() const;
  /// The answer to an offer. False: nothing that the device could use.
  bool on_file(const sync::v1::Frame& frame);
  Status on_welcome(const sync::v1::Welcome& welcome);
  void look();

  const Told told_;
  const Sink sink_;
  sync::v1::Welcome welcome_;
  bool said_hello_ = false;
  bool over_ = false;
  std::map<std::string, std::uint64_t> expected_;  // scope -> head that has to be reached
  std::size_t asked_ = 0;                          // of told_.questions
  std::size_t answers_ = 0;                        // that have to come
  bool ack_ = false;                               // has to come
  std::size_t offered_ = 0;                        // of told_.files
  bool offer_ = false;                             // has to be answered
  std::uint64_t credit_ = 0;                       // to give back
  std::uint64_t files_ = 0;
  std::uint64_t ops_ = 0;
};

}  // namespace duhui::hub

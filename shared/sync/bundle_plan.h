#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "duhui/sync/v1/bundle.pb.h"
#include "shared/base/result.h"

namespace duhui {

/// A frame on its way into a bundle.
struct CarriedFrame {
  std::string bytes{};
  std::uint64_t ops = 0;
  std::uint64_t files = 0;
  /// Says what this frame is about: repeated where a part begins with it, so that each part can be
  /// taken by itself. Empty: it needs nothing before it. It counts as one file.
  std::string behind{};
};

/// What a bundle is made of. Gone through twice: once to know how many parts it takes, once to
/// write them; both times it is the same frames.
class FrameSource {
 public:
  virtual ~FrameSource() = default;
  virtual const sync::v1::BundleOpening& opening() const = 0;
  /// What every part begins with, so that each can be taken by itself.
  virtual const std::vector<std::string>& greeting() const = 0;
  /// The next frame; empty optional: that was all. `unavailable`: what it is made of has changed
  /// meanwhile, begin anew.
  virtual Result<std::optional<CarriedFrame>> next() = 0;
  virtual void rewind() = 0;
};

/// One part: how many frames behind the greeting, and what the header says.
struct PartPlan {
  std::uint64_t frames = 0;
  std::uint64_t ops = 0;
  std::uint64_t files = 0;  // of which it has something
  std::uint64_t bytes = 0;  // of content
};

/// Cuts frames into parts of which none is longer than `part_bytes`, unless one frame is. At least
/// one part.
class BundlePlan {
 public:
  BundlePlan(const FrameSource& source, std::uint64_t part_bytes);
  void add(const CarriedFrame& frame);
  const std::vector<PartPlan>& parts() const { return parts_; }

 private:
  const std::uint64_t part_bytes_;
  std::uint64_t begins_with_ = 0;
  std::vector<PartPlan> parts_;
};

}  // namespace duhui

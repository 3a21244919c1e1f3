#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"
#include "shared/sync/bundle_plan.h"

namespace duhui::hub {

/// Frames kept in a file without a name until a bundle is made of them: how many parts it takes is
/// known when all of them are there.
class FrameSpool final : public FrameSource {
 public:
  /// The file lies in `folder`, and is gone with this.
  static Result<std::unique_ptr<FrameSpool>> create(const std::string& folder,
                                                    sync::v1::BundleOpening opening);
  ~FrameSpool() override;
  FrameSpool(const FrameSpool&) = delete;
  FrameSpool& operator=(const FrameSpool&) = delete;

  /// Every part begins with the first frame that is put here.
  Status put(std::string_view frame, std::uint64_t ops, std::uint64_t files);
  std::uint64_t frames() const { return frames_; }

  const sync::v1::BundleOpening& opening() const override { return opening_; }
  const std::vector<std::string>& greeting() const override { return greeting_; }
  Result<std::optional<CarriedFrame>> next() override;
  void rewind() override { at_ = 0; }

 private:
  FrameSpool(int file, sync::v1::BundleOpening opening)
      : file_(file), opening_(std::move(opening)) {}

  const int file_;
  const sync::v1::BundleOpening opening_;
  std::vector<std::string> greeting_;
  std::uint64_t frames_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t at_ = 0;
};

}  // namespace duhui::hub

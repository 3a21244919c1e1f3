#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/random.h"
#include "shared/base/result.h"
#include "shared/carry/bundle_file.h"
#include "shared/carry/bundle_paths.h"
#include "shared/crypto/signing.h"
#include "shared/sync/bundle_format.h"
#include "shared/sync/bundle_plan.h"

namespace duhui {

/// Writes a bundle in parts, a frame at a time, so that whoever drives it can do other things in
/// between. Every part that is finished is whole and can be taken in, whatever becomes of the rest.
class BundleExport {
 public:
  struct Order {
    sync::v1::BundleHeader head{};  // direction, bundle_id, device_id, made_at_ms
    PublicKey to{};
    std::uint64_t part_bytes = 0;
    BundleNames names{};
  };
  /// All outlive this. invalid_input: part_bytes is out of its bounds.
  static Result<std::unique_ptr<BundleExport>> begin(FrameSource& source,
                                                     Order order,
                                                     const SigningKey& from,
                                                     Random& random);

  /// A little more. True: everything is written.
  Result<bool> step();
  /// The next step waits for the medium, perhaps long, and does not touch the source.
  bool waits_for_disk() const { return writer_ && (has_to_write() || is_complete()); }

  struct Part {
    std::string path{};
    std::uint64_t bytes = 0;
    std::uint64_t ops = 0;
    std::uint64_t files = 0;  // of which it has something
  };
  /// Those that are finished.
  const std::vector<Part>& parts() const { return done_; }
  std::size_t parts_in_all() const { return plan_.parts().size(); }

 private:
  BundleExport(FrameSource& source, Order order, const SigningKey& from, Random& random)
      : source_(source),
        order_(std::move(order)),
        from_(from),
        random_(random),
        plan_(source, order_.part_bytes) {}

  /// All frames of the present part are in its writer.
  bool is_complete() const { return frames_ == plan_.parts()[done_.size()].frames; }
  bool has_to_write() const;

  Status plan_more();
  Status begin_part();
  Status add_frame();
  Status finish_part();

  FrameSource& source_;
  const Order order_;
  const SigningKey& from_;
  Random& random_;
  BundlePlan plan_;
  bool planned_ = false;
  std::uint64_t frames_ = 0;  // of the present part, written
  std::unique_ptr<BundleWriter> writer_;
  std::unique_ptr<OutBundle> file_;
  std::vector<Part> done_;
};

}  // namespace duhui

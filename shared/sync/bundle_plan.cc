#include "shared/sync/bundle_plan.h"

#include "shared/sync/bundle_format.h"

namespace duhui {

BundlePlan::BundlePlan(const FrameSource& source, std::uint64_t part_bytes)
    : part_bytes_(part_bytes), begins_with_(bundle_item_bytes(source.opening().ByteSizeLong())) {
  for (const std::string& frame : source.greeting()) {
    begins_with_ += bundle_item_bytes(frame.size());
  }
  parts_.push_back({.bytes = begins_with_});
}

void BundlePlan::add(const CarriedFrame& frame) {
  const std::uint64_t bytes = bundle_item_bytes(frame.bytes.size());
  if (parts_.back().frames > 0 && bundle_file_bytes(parts_.back().bytes + bytes) > part_bytes_) {
    parts_.push_back({.bytes = begins_with_});
  }
  PartPlan& part = parts_.back();
  if (part.frames == 0 && !frame.behind.empty()) {
    ++part.files;
    part.bytes += bundle_item_bytes(frame.behind.size());
  }
  ++part.frames;
  part.ops += frame.ops;
  part.files += frame.files;
  part.bytes += bytes;
}

}  // namespace duhui

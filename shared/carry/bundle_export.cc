#include "shared/carry/bundle_export.h"

#include <utility>

#include "shared/sync/bundle_limits.h"

namespace duhui {
namespace {

/// Gathered before it is given to the medium, which may be slow.
constexpr std::size_t kWriteBytes = 1 << 20;

}  // namespace

Result<std::unique_ptr<BundleExport>> BundleExport::begin(FrameSource& source,
                                                          Order order,
                                                          const SigningKey& from,
                                                          Random& random) {
  if (order.part_bytes < bundle_limits::kPartBytesMin ||
      order.part_bytes > bundle_limits::kPartBytesMax) {
    return Error{ErrorCode::invalid_input, "part size: 64 KiB to 4000 MiB"};
  }
  return std::unique_ptr<BundleExport>(new BundleExport(source, std::move(order), from, random));
}

Result<bool> BundleExport::step() {
  if (!planned_) {
    DUHUI_CHECK_OK(plan_more());
    return false;
  }
  if (done_.size() == plan_.parts().size()) return true;
  if (!writer_) {
    DUHUI_CHECK_OK(begin_part());
  } else if (has_to_write()) {
    DUHUI_CHECK_OK(file_->append(writer_->take()));
  } else if (!is_complete()) {
    DUHUI_CHECK_OK(add_frame());
  } else {
    DUHUI_CHECK_OK(finish_part());
  }
  return done_.size() == plan_.parts().size();
}

bool BundleExport::has_to_write() const { return writer_->waiting() >= kWriteBytes; }

Status BundleExport::plan_more() {
  DUHUI_TRY(frame, source_.next());
  if (frame) {
    plan_.add(*frame);
    return Done{};
  }
  source_.rewind();
  planned_ = true;
  if (plan_.parts().size() > bundle_limits::kPartsMax) {
    return Error{ErrorCode::limit_exceeded, "bundle: too many parts: choose a greater part size"};
  }
  remove_unfinished(order_.names);
  return Done{};
}

Status BundleExport::begin_part() {
  const PartPlan& plan = plan_.parts()[done_.size()];
  sync::v1::BundleHeader head = order_.head;
  head.set_part(static_cast<std::uint32_t>(done_.size() + 1));
  head.set_parts(static_cast<std::uint32_t>(plan_.parts().size()));
  head.set_ops(plan.ops);
  head.set_files(plan.files);
  head.set_bytes(plan.bytes);
  DUHUI_TRY(writer,
            BundleWriter::begin(std::move(head), source_.opening(), order_.to, from_, random_));
  DUHUI_TRY(file, OutBundle::create(order_.names.of_part(done_.size() + 1, plan_.parts().size())));
  for (const std::string& frame : source_.greeting()) writer->add(frame);
  writer_ = std::move(writer);
  file_ = std::move(file);
  frames_ = 0;
  return Done{};
}

Status BundleExport::add_frame() {
  DUHUI_TRY(frame, source_.next());
  if (!frame) return Error{ErrorCode::unavailable, "bundle: its content has changed: begin again"};
  if (frames_ == 0 && !frame->behind.empty()) writer_->add(frame->behind);
  writer_->add(frame->bytes);
  ++frames_;
  return Done{};
}

Status BundleExport::finish_part() {
  const PartPlan& plan = plan_.parts()[done_.size()];
  if (writer_->content_bytes() != plan.bytes) {
    return Error{ErrorCode::unavailable, "bundle: its content has changed: begin again"};
  }
  writer_->finish();
  DUHUI_CHECK_OK(file_->append(writer_->take()));
  DUHUI_CHECK_OK(file_->finish());
  done_.push_back(
      {.path = file_->path(), .bytes = file_->bytes(), .ops = plan.ops, .files = plan.files});
  writer_.reset();
  file_.reset();
  return Done{};
}

}  // namespace duhui

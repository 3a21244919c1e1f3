#include "hub/core/bundle_making.h"

#include <algorithm>
#include <utility>

#include "shared/sync/frame_codec.h"
#include "shared/sync/limits.h"

namespace duhui::hub {

using sync::v1::Frame;

Result<std::optional<std::string>> BundleMaking::next() {
  Frame frame;
  if (!said_hello_) {
    said_hello_ = true;
    *frame.mutable_hello() = told_.hello;
    frame.mutable_hello()->set_upload_only(false);
    frame.mutable_hello()->set_credit(4 * sync_limits::kDownstreamCredit);
    return std::optional<std::string>(encode_frame(frame));
  }
  while (welcome_.version() != 0 && asked_ < told_.questions.size()) {
    const sync::v1::RangeRequest& question = told_.questions[asked_++];
    const bool readable = std::ranges::any_of(
        welcome_.scopes(),
        [&](const sync::v1::ScopeCursor& scope) { return scope.scope() == question.scope(); });
    if (!readable) continue;
    ++answers_;
    *frame.mutable_range_request() = question;
    return std::optional<std::string>(encode_frame(frame));
  }
  look();
  if (over_ || credit_ == 0) return std::optional<std::string>{};
  frame.mutable_seen()->set_credit(std::exchange(credit_, 0));
  return std::optional<std::string>(encode_frame(frame));
}

void BundleMaking::look() {
  over_ = welcome_.version() != 0 && !ack_ && answers_ == 0 && expected_.empty() &&
          asked_ == told_.questions.size();
}

Status BundleMaking::heard(std::string_view bytes) {
  DUHUI_TRY(frame, decode_frame(bytes));
  std::uint64_t ops = 0;
  switch (frame.body_case()) {
    case Frame::kWelcome:
      DUHUI_CHECK_OK(on_welcome(frame.welcome()));
      break;
    case Frame::kAck:
      ack_ = false;
      break;
    case Frame::kFeedPage: {
      const sync::v1::FeedPage& page = frame.feed_page();
      for (const sync::v1::Batch& run : page.runs()) ops += run.count();
      const auto at = expected_.find(page.scope());
      if (at != expected_.end() && page.through() >= at->second) expected_.erase(at);
      credit_ += bytes.size();
      break;
    }
    case Frame::kWalkPage:
      for (const sync::v1::WalkedRecord& record : frame.walk_page().records()) {
        for (const sync::v1::Batch& run : record.runs()) ops += run.count();
      }
      if (frame.walk_page().last()) expected_.erase(frame.walk_page().scope());
      credit_ += bytes.size();
      break;
    case Frame::kRangeAnswer:
      if (answers_ > 0) --answers_;
      break;
    case Frame::kVault:
      break;
    case Frame::kGoodbye:
      return Error{frame.goodbye().reason() == sync::v1::Goodbye::REASON_UNAUTHORISED
                       ? ErrorCode::refused
                       : ErrorCode::unavailable,
                   frame.goodbye().detail()};
    default:
      return Done{};  // pings
  }
  ops_ += ops;
  DUHUI_CHECK_OK(sink_(bytes, ops));
  look();
  return Done{};
}

Status BundleMaking::on_welcome(const sync::v1::Welcome& welcome) {
  welcome_ = welcome;
  if (welcome.verdict() == sync::v1::STREAM_VERDICT_FORK) {
    asked_ = told_.questions.size();  // nothing follows
    return Done{};
  }
  ack_ = welcome.hub_head().seq() > told_.hello.acknowledged().seq();
  for (const sync::v1::ScopeCursor& scope : welcome.scopes()) {
    const auto said = std::ranges::find_if(
        told_.hello.cursors(),
        [&](const sync::v1::ScopeCursor& cursor) { return cursor.scope() == scope.scope(); });
    const bool at_head = said != told_.hello.cursors().end() &&
                         said->through() == scope.through() && said->checksum() == scope.checksum();
    if (!at_head && scope.through() > 0) expected_[scope.scope()] = scope.through();
  }
  if (welcome.revoked()) expected_.clear();
  return Done{};
}

}  // namespace duhui::hub

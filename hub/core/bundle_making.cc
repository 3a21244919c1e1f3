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
  if (auto question = next_question()) return question;
  if (auto offer = next_offer()) return offer;
  look();
  if (over_ || credit_ == 0) return std::optional<std::string>{};
  frame.mutable_seen()->set_credit(std::exchange(credit_, 0));
  return std::optional<std::string>(encode_frame(frame));
}

std::optional<std::string> BundleMaking::next_question() {
  Frame frame;
  while (welcome_.version() != 0 && asked_ < told_.questions.size()) {
    const sync::v1::RangeRequest& question = told_.questions[asked_++];
    const bool readable = std::ranges::any_of(
        welcome_.scopes(),
        [&](const sync::v1::ScopeCursor& scope) { return scope.scope() == question.scope(); });
    if (!readable) continue;
    ++answers_;
    *frame.mutable_range_request() = question;
    return encode_frame(frame);
  }
  return std::nullopt;
}

std::optional<std::string> BundleMaking::next_offer() {
  // Text goes first. An offer that is answered with a question is left for the next one.
  if (!text_is_done() || offer_ || offered_ == told_.files.size()) return std::nullopt;
  Frame frame;
  *frame.mutable_blob_offer() = told_.files[offered_++];
  offer_ = true;
  return encode_frame(frame);
}

bool BundleMaking::text_is_done() const {
  return welcome_.version() != 0 && !ack_ && answers_ == 0 && expected_.empty() &&
         asked_ == told_.questions.size();
}

void BundleMaking::look() { over_ = text_is_done() && !offer_ && offered_ == told_.files.size(); }

Status BundleMaking::heard(std::string_view bytes) {
  DUHUI_TRY(frame, decode_frame(bytes));
  std::uint64_t ops = 0;
  std::uint64_t files = 0;
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
    case Frame::kBlobEnd:
    case Frame::kBlobWant:
      offer_ = false;
      look();
      if (!on_file(frame)) return Done{};
      files = frame.has_blob_end() ? 1 : 0;
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
  files_ += files;
  DUHUI_CHECK_OK(sink_(bytes, ops, files));
  look();
  return Done{};
}

bool BundleMaking::on_file(const Frame& frame) {
  // What is missing says what the next bundle need not hold.
  return frame.has_blob_want() || frame.blob_end().outcome() == sync::v1::BlobEnd::OUTCOME_KEPT;
}

Status BundleMaking::on_welcome(const sync::v1::Welcome& welcome) {
  welcome_ = welcome;
  if (welcome.verdict() == sync::v1::STREAM_VERDICT_FORK) {
    asked_ = told_.questions.size();  // nothing follows
    offered_ = told_.files.size();
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
  if (welcome.revoked()) {
    expected_.clear();
    offered_ = told_.files.size();
  }
  return Done{};
}

}  // namespace duhui::hub

#include "hub/core/bundle_taking.h"

#include <algorithm>
#include <set>
#include <utility>

#include "hub/core/hub_core.h"
#include "shared/base/bytes.h"
#include "shared/sync/bundle_format.h"
#include "shared/sync/bundle_limits.h"
#include "shared/sync/frame_codec.h"
#include "shared/sync/stream_chain.h"

namespace duhui::hub {
namespace {

using sync::v1::Frame;

std::string told_key(std::string_view device) { return "bundle/told/" + to_hex(device); }

/// Frames, each behind its length: a Hello, RangeRequests and BlobOffers.
std::string told_bytes(const Told& told) {
  std::string bytes;
  const auto add = [&bytes](const Frame& frame) {
    const std::string one = encode_frame(frame);
    append_varint(bytes, one.size());
    bytes += one;
  };
  Frame frame;
  *frame.mutable_hello() = told.hello;
  add(frame);
  for (const sync::v1::RangeRequest& question : told.questions) {
    *frame.mutable_range_request() = question;
    add(frame);
  }
  for (const sync::v1::BlobOffer& file : told.files) {
    *frame.mutable_blob_offer() = file;
    add(frame);
  }
  return bytes;
}

Result<Told> parse_told(std::string_view bytes) {
  const Error damaged{ErrorCode::corrupt_data, "bundle: what a device told"};
  Told told;
  while (!bytes.empty()) {
    const auto length = take_varint(bytes);
    if (!length || *length > bytes.size()) return damaged;
    DUHUI_TRY(frame, decode_frame(bytes.substr(0, *length)));
    bytes.remove_prefix(*length);
    if (frame.has_hello()) told.hello = frame.hello();
    if (frame.has_range_request()) told.questions.push_back(frame.range_request());
    if (frame.has_blob_offer()) told.files.push_back(frame.blob_offer());
  }
  return told;
}

/// Those of other parts of the same bundle, and these; not more than an answer may hold.
void add_files(std::vector<sync::v1::BlobOffer> before, Told* told) {
  std::set<std::string> known;
  for (const sync::v1::BlobOffer& file : told->files) known.insert(file.SerializeAsString());
  std::erase_if(before, [&known](const sync::v1::BlobOffer& file) {
    return known.contains(file.SerializeAsString());
  });
  before.insert(before.end(), told->files.begin(), told->files.end());
  const std::size_t over = before.size() - std::min(before.size(), bundle_limits::kOffersMax);
  before.erase(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(over));
  told->files = std::move(before);
}

/// Whether `told` was said before `kept`: of the same stream, and with less of it or of the feeds.
bool is_older(const sync::v1::Hello& told, const sync::v1::Hello& kept) {
  if (told.head().origin() != kept.head().origin()) return false;
  if (told.head().seq() != kept.head().seq()) return told.head().seq() < kept.head().seq();
  if (told.epoch() != kept.epoch()) return false;
  const auto sum = [](const sync::v1::Hello& hello) {
    std::uint64_t all = 0;
    for (const sync::v1::ScopeCursor& cursor : hello.cursors()) all += cursor.through();
    return all;
  };
  return sum(told) < sum(kept);
}

}  // namespace

BundleTaking::BundleTaking(const sync::v1::BundleHeader& header,
                           const sync::v1::BundleOpening& opening,
                           Frames frames)
    : header_(header),
      signed_with_(opening.public_key()),
      hub_seen_{static_cast<std::int64_t>(opening.hub_seen_ms())},
      frames_(std::move(frames)) {}

std::string BundleTaking::binding() const { return bundle_binding(header_.bundle_id()); }

Arrival BundleTaking::arrival() const {
  return {.road = Arrival::Road::carried, .hub_seen = hub_seen_};
}

Result<std::optional<std::string>> BundleTaking::next() {
  const std::optional<std::string> nothing;
  if (over_ || (hello_.has_hello() && !welcomed_)) return nothing;
  for (;;) {
    if (!held_ && !said_all_) {
      DUHUI_TRY(read, frames_());
      said_all_ = !read.has_value();
      if (read) {
        DUHUI_TRY(prepared, prepare(std::move(*read)));
        held_ = std::move(prepared);
        if (!held_) continue;  // not for the hub's ears
      }
    }
    if (!held_) {
      over_ = said_all_ && unanswered_ == 0 && files_.settled();
      return nothing;
    }
    DUHUI_TRY(frame, say());
    if (frame || held_) return frame;
  }
}

Result<std::optional<std::string>> BundleTaking::say() {
  const std::optional<std::string> nothing;
  if (held_->frame.body_case() == Frame::BODY_NOT_SET) {
    if (welcomed_ && held_->bytes.size() > credit_) return nothing;
    if (welcomed_) {
      credit_ -= held_->bytes.size();
      ++unanswered_;
    }
    return std::optional(std::exchange(held_, std::nullopt)->bytes);
  }
  // What names the file has to be at the hub before it.
  if (unanswered_ > 0) return nothing;
  DUHUI_TRY(next, files_.next(&held_->frame));
  if (next == BundleFiles::Next::wait) return nothing;
  const Frame frame = std::move(std::exchange(held_, std::nullopt)->frame);
  return next == BundleFiles::Next::say ? std::optional(encode_frame(frame)) : nothing;
}

BundleTaking::Outcome BundleTaking::outcome() const {
  Outcome outcome = outcome_;
  outcome.files = files_.count();
  return outcome;
}

Told BundleTaking::told() const {
  return {.hello = hello_.hello(), .questions = questions_, .files = files_.offers()};
}

Result<std::optional<BundleTaking::Waiting>> BundleTaking::prepare(std::string bytes) {
  const std::optional<Waiting> nothing;
  const Error foreign{ErrorCode::refused, "bundle: holds a frame that no device puts there"};
  DUHUI_TRY(frame, decode_frame(bytes));
  if (frame.has_hello() == hello_.has_hello()) return foreign;  // first, and once
  if (frame.has_hello()) {
    if (frame.hello().device_id() != header_.device_id()) {
      return Error{ErrorCode::refused, "bundle: of another device than its header says"};
    }
    if (frame.hello().public_key() != signed_with_) {
      return Error{ErrorCode::refused, "bundle: not signed by the device that says hello in it"};
    }
    hello_ = frame;
    // Pages go into the bundle that answers this one.
    frame.mutable_hello()->set_upload_only(true);
    return std::optional(Waiting{.bytes = encode_frame(frame)});
  }
  if (frame.has_range_request()) {
    if (questions_.size() >= bundle_limits::kQuestionsMax) return foreign;
    questions_.push_back(frame.range_request());
    return nothing;
  }
  if (frame.has_blob_offer() || frame.has_blob_piece()) {
    if (outcome_.fork || outcome_.revoked) return nothing;
    return std::optional(Waiting{.frame = std::move(frame)});
  }
  // A fork is found by asking back and forth: nothing of this branch can be taken by file.
  if (frame.has_batch()) {
    count(frame.batch());
    if (outcome_.fork) return nothing;
    return std::optional(Waiting{.bytes = std::move(bytes)});
  }
  if (!frame.has_gap()) return foreign;
  // Told anew in each part: it costs no credit and brings no answer.
  credit_ += bytes.size();
  --unanswered_;
  return std::optional(Waiting{.bytes = std::move(bytes)});
}

void BundleTaking::count(const sync::v1::Batch& batch) {
  last_seq_ = std::max(last_seq_, batch.first_seq() + batch.count() - 1);
  const std::uint64_t end = batch.first_seq() + batch.count();
  const std::uint64_t known =
      std::min<std::uint64_t>(end, std::max(through_ + 1, batch.first_seq())) - batch.first_seq();
  outcome_.known += known;
  // Settled when its ack is here.
  outcome_.waiting += batch.count() - known;
}

Status BundleTaking::heard(std::string_view bytes) {
  DUHUI_TRY(frame, decode_frame(bytes));
  if (frame.has_welcome()) {
    const sync::v1::Welcome& welcome = frame.welcome();
    welcomed_ = true;
    credit_ = welcome.credit();
    through_ = welcome.hub_head().seq();
    outcome_.device_name = welcome.device_name();
    outcome_.revoked = welcome.revoked();
    outcome_.fork = welcome.verdict() == sync::v1::STREAM_VERDICT_FORK;
    // What was acknowledged and not heard follows at once.
    if (!outcome_.fork && through_ > hello_.hello().acknowledged().seq()) ++unanswered_;
    return Done{};
  }
  if (frame.has_ack()) {
    const sync::v1::Ack& ack = frame.ack();
    credit_ += ack.credit();
    if (ack.has_receipt() && unanswered_ > 0) --unanswered_;  // the others bring credit only
    outcome_.aside += static_cast<std::uint64_t>(ack.notes_size());
    if (ack.through() > through_) {
      outcome_.taken += ack.through() - through_;
      outcome_.waiting -= std::min(outcome_.waiting, ack.through() - through_);
      through_ = ack.through();
    }
    return Done{};
  }
  if (frame.has_goodbye()) {
    const sync::v1::Goodbye& goodbye = frame.goodbye();
    if (goodbye.detail() == HubCore::kForked) {
      outcome_.fork = true;
      outcome_.waiting = 0;
      over_ = true;
      return Done{};
    }
    const bool busy = goodbye.reason() == sync::v1::Goodbye::REASON_BUSY ||
                      goodbye.reason() == sync::v1::Goodbye::REASON_REPLACED ||
                      goodbye.reason() == sync::v1::Goodbye::REASON_SHUTDOWN;
    return Error{busy ? ErrorCode::unavailable : ErrorCode::refused, goodbye.detail()};
  }
  // Of others, pings and vaults, there is nothing a file could answer.
  return files_.heard(frame);
}

Status remember_told(HubTransaction& tx, Told told) {
  const std::string key = told_key(told.hello.device_id());
  DUHUI_TRY(bytes, tx.settings().get(key));
  if (bytes) {
    auto kept = parse_told(*bytes);
    if (kept && is_older(told.hello, kept->hello)) return Done{};
    // A later bundle tells of all that it waits for; another part of the same one of its share.
    if (kept && !is_older(kept->hello, told.hello)) add_files(std::move(kept->files), &told);
  }
  add_files({}, &told);
  return tx.settings().put(key, told_bytes(told));
}

Result<Told> told_by(HubTransaction& tx, const DeviceRow& device) {
  DUHUI_TRY(bytes, tx.settings().get(told_key(device.id.view())));
  if (bytes) {
    DUHUI_TRY(told, parse_told(*bytes));
    // It has been enrolled anew, or goes on under another name since.
    if (told.hello.public_key() == device.public_key &&
        told.hello.head().origin() == device.current_origin.view()) {
      return told;
    }
  }
  Told told;
  told.hello.set_version(1);
  told.hello.set_device_id(device.id.str());
  told.hello.set_public_key(device.public_key);
  DUHUI_TRY(stream, tx.streams().get(device.current_origin));
  told.hello.mutable_head()->set_origin(device.current_origin.str());
  told.hello.mutable_head()->set_chain(empty_chain());
  if (stream) {
    // It has what it sent. Which of it it knows to be here is not known: it hears that when it
    // tells.
    told.hello.mutable_head()->set_seq(stream->head);
    told.hello.mutable_head()->set_chain(stream->chain);
    *told.hello.mutable_acknowledged() = told.hello.head();
  }
  return told;
}

}  // namespace duhui::hub

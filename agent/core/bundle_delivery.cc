#include "agent/core/bundle_delivery.h"

#include <utility>

#include "shared/sync/frame_codec.h"

namespace duhui::agent {

using sync::v1::Frame;

namespace {

Error refused(std::string why) { return {ErrorCode::refused, "bundle: " + std::move(why)}; }

}  // namespace

Status BundleDelivery::take(std::string_view bytes) {
  DUHUI_TRY(frame, decode_frame(bytes));
  if (!greeted_ && !frame.has_welcome()) return refused("does not begin with a welcome");
  switch (frame.body_case()) {
    case Frame::kWelcome:
      return greeted_ ? Status(refused("two welcomes")) : on_welcome(frame.welcome());
    case Frame::kAck:
      return on_ack(std::move(*frame.mutable_ack()));
    case Frame::kFeedPage:
      return on_page(std::move(*frame.mutable_feed_page()));
    case Frame::kWalkPage:
      return on_walk(frame.walk_page());
    case Frame::kRangeAnswer:
      return on_answer(frame.range_answer());
    case Frame::kVault:
      if (!outcome_.welcomed) return Done{};
      outcome_.vault_changed = true;
      return replica_.keep_vault(frame.vault());
    case Frame::kBlobEnd:
      return on_receipt(frame.blob_end());
    case Frame::kBlobWant:
      return on_want(frame.blob_want());
    case Frame::kForkPoint:
    case Frame::kHello:
    case Frame::kBatch:
    case Frame::kGap:
    case Frame::kSeen:
    case Frame::kRangeRequest:
    case Frame::kPing:
    case Frame::kPong:
    case Frame::kGoodbye:
    case Frame::kForkProbe:
    case Frame::kRefill:
    case Frame::kBlobOffer:
    case Frame::kBlobPiece:
    case Frame::kBlobSeen:
    case Frame::BODY_NOT_SET:
      break;
  }
  return refused("holds a frame that no hub puts there");
}

std::uint64_t BundleDelivery::through(const std::string& scope) const {
  const auto at = replica_.scopes().find(scope);
  return at == replica_.scopes().end() ? 0 : at->second.through();
}

std::int64_t BundleDelivery::later(std::int64_t hub_time_ms) const {
  const auto seen = static_cast<std::int64_t>(replica_.state().hub_seen_ms());
  return hub_time_ms > seen ? hub_time_ms : 0;
}

Status BundleDelivery::applied(Result<std::vector<RecordId>> changed) {
  if (!changed) {
    return changed.error().code == ErrorCode::conflict ? goes_on_elsewhere()
                                                       : Status(std::move(changed).error());
  }
  outcome_.changed.insert(outcome_.changed.end(), changed->begin(), changed->end());
  return Done{};
}

Status BundleDelivery::goes_on_elsewhere() {
  // Where the two part is found by asking back and forth, which a file cannot.
  replica_.doubt_stream(true);
  return Error{
      ErrorCode::conflict,
      "bundle: a copy of this device went on under the same name (fork): connect it to the "
      "hub once, by any network; nothing is lost"};
}

Status BundleDelivery::on_welcome(const sync::v1::Welcome& welcome) {
  DUHUI_CHECK_OK(replica_.settle());
  const store::v1::AgentState& state = replica_.state();
  if (!state.hub_id().empty() && state.hub_id() != welcome.hub_id()) {
    return refused("of another hub");
  }
  const bool newer = later(welcome.hub_time_ms()) != 0;
  const bool same_life = state.epoch() == welcome.epoch();
  if (!same_life && !newer) {
    return refused("of an earlier life of the hub: older than what this device has heard");
  }
  if (welcome.hub_head().origin() != replica_.origin().view()) {
    return refused("made for an earlier state of this device: export from here again");
  }
  DUHUI_CHECK_OK(judge_stream(welcome));
  greeted_ = true;
  outcome_.device_name = welcome.device_name();
  outcome_.revoked = welcome.revoked();
  // What only was acknowledged since does not go back.
  const bool forgets = same_life && welcome.hub_head().seq() < state.acknowledged();
  if (!newer || forgets) return Done{};
  new_life_ = !same_life && state.epoch() != 0;
  outcome_.welcomed = true;
  outcome_.vault_changed = welcome.has_vault();
  return replica_.welcomed(welcome);
}

Status BundleDelivery::judge_stream(const sync::v1::Welcome& welcome) {
  const std::uint64_t hub_seq = welcome.hub_head().seq();
  const std::uint64_t head = replica_.state().head();
  if (welcome.verdict() == sync::v1::STREAM_VERDICT_FORK) return goes_on_elsewhere();
  std::uint64_t common = head;
  if (hub_seq <= head) {
    DUHUI_TRY(chain, replica_.chain_at(hub_seq));
    if (hub_seq > 0 && chain && *chain != welcome.hub_head().chain()) return goes_on_elsewhere();
    DUHUI_TRY(gap, replica_.has_gap_after(hub_seq));
    if (!gap) return Done{};
    common = hub_seq;
  }
  // A copy of this device may have written what the hub has: whether both agree up to here only a
  // connection can tell. What was acknowledged is known to be the same.
  if (hub_seq > head && replica_.unacknowledged() > 0) return goes_on_elsewhere();
  // The hub has more of this stream than the device, whose disk was put back, or the device has
  // holes: as over a link it goes on under a new name.
  DUHUI_CHECK_OK(replica_.reincarnate(common));
  outcome_.new_origin = true;
  return refused(
      "this device's disk was put back or damaged: it goes on under a new name; export from here "
      "again, what was forgotten comes with the answer");
}

Status BundleDelivery::on_ack(sync::v1::Ack ack) {
  const store::v1::AgentState& state = replica_.state();
  const std::uint64_t before = state.acknowledged();
  if (ack.origin() != replica_.origin().view() || ack.through() > state.head()) {
    return refused("acknowledges ops this device does not have");
  }
  // Without the stamps in between it must not be taken: the next bundle, or a link, brings all.
  if (before < told_acknowledged_) return Done{};
  if (ack.through() < before || (ack.through() == before && state.has_receipt())) return Done{};
  DUHUI_TRY(chain, replica_.chain_at(ack.through()));
  if (chain && *chain != ack.chain()) return goes_on_elsewhere();
  ack.set_hub_time_ms(later(ack.hub_time_ms()));
  DUHUI_CHECK_OK(replica_.acknowledged(ack));
  outcome_.acknowledged += ack.through() - before;
  return Done{};
}

Status BundleDelivery::on_page(sync::v1::FeedPage page) {
  if (new_life_ && page.after() == 0 && begun_anew_.insert(page.scope()).second &&
      through(page.scope()) != 0) {
    // The hub's feed took another way than ours: it starts again, duplicates are free.
    DUHUI_CHECK_OK(replica_.forget_cursor(page.scope()));
  }
  const std::uint64_t ours = through(page.scope());
  if (page.through() <= ours) {
    ++outcome_.old_pages;
    return Done{};
  }
  page.set_hub_time_ms(later(page.hub_time_ms()));
  ++outcome_.pages;
  if (page.after() <= ours && replica_.state().own_log_from() <= told_log_from_) {
    page.set_after(ours);
    return applied(replica_.apply(page));
  }
  // A part in between has not come yet, or own ops that it leaves out were lost since: its ops may
  // be read now, the cursor waits.
  google::protobuf::RepeatedPtrField<sync::v1::WalkedRecord> ops;
  *ops.Add()->mutable_runs() = std::move(*page.mutable_runs());
  return applied(replica_.apply(page.scope(), ops));
}

Status BundleDelivery::on_walk(const sync::v1::WalkPage& page) {
  if (page.last() && page.continue_after() <= through(page.scope())) {
    ++outcome_.old_pages;
    return Done{};
  }
  ++outcome_.pages;
  return applied(replica_.apply(page));
}

Status BundleDelivery::on_answer(const sync::v1::RangeAnswer& answer) {
  return applied(replica_.apply(answer.scope(), answer.records()));
}

Status BundleDelivery::on_receipt(const sync::v1::BlobEnd& end) {
  const auto name = blob_name(end.sha256(), end.receipt().size(), end.record_id());
  if (!name || end.outcome() != sync::v1::BlobEnd::OUTCOME_KEPT) {
    return refused("a receipt of a file that is none");
  }
  DUHUI_TRY(known, replica_.blobs().find(name->sha256, name->record));
  // Of a file that was named on a disk that was put back, or signed for before.
  if (!known || known->size() != name->size || known->has_receipt()) return Done{};
  const store::v1::AgentState& state = replica_.state();
  if (!is_receipt_for(end.receipt(), *name, state.hub_id(), state.hub_key())) {
    return refused("a receipt of a file that the hub did not sign");
  }
  DUHUI_CHECK_OK(replica_.blobs().kept(*name, end.receipt()));
  ++outcome_.receipts;
  return Done{};
}

Status BundleDelivery::on_want(const sync::v1::BlobWant& want) {
  const auto name = blob_name(want.sha256(), want.size(), want.record_id());
  if (!name) return refused("asks for a file that is none");
  DUHUI_TRY(held, ChunkMap::from_runs(name->size, want.runs()));
  DUHUI_TRY(known, replica_.blobs().find(name->sha256, name->record));
  const bool waits = known && known->size() == name->size && !known->has_receipt();
  // An old bundle makes the next one longer than it need be, and nothing else.
  return waits ? replica_.blobs().hub_has(*name, held) : Status(Done{});
}

}  // namespace duhui::agent

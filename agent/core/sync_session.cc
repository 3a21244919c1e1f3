#include "agent/core/sync_session.h"

#include <algorithm>
#include <utility>

#include "agent/core/hello.h"
#include "shared/sync/frame_codec.h"
#include "shared/sync/stream_chain.h"

namespace duhui::agent {

using sync::v1::Frame;

SyncSession::SyncSession(Replica& replica, const DeviceIdentity& identity, std::string software)
    : replica_(replica), identity_(identity), software_(std::move(software)) {}

void SyncSession::send(const Frame& frame, std::vector<Effect>& effects) {
  Send out{encode_frame(frame)};
  replica_.traffic().frame(ByteKind::text, out.frame.size());
  effects.push_back(std::move(out));
}

void SyncSession::ask(const Frame& frame, std::vector<Effect>& effects) {
  ++questions_;
  send(frame, effects);
}

void SyncSession::close(std::string reason,
                        std::vector<Effect>& effects,
                        bool at_once,
                        Duration retry_after) {
  if (state_ == State::closed) return;
  state_ = State::closed;
  effects.push_back(CloseLink{std::move(reason), retry_after, at_once});
}

void SyncSession::arm(std::vector<Effect>& effects) {
  if (state_ == State::closed) return;
  const bool waiting = state_ != State::live || !in_flight_.empty() || ping_sent_;
  effects.push_back(ArmTimer{waiting ? sync_limits::kReplyTimeout : sync_limits::kPingInterval});
}

bool SyncSession::caught_up() const {
  if (state_ != State::live || replica_.unacknowledged() != 0 || questions_ != 0) return false;
  return std::all_of(at_head_.begin(), at_head_.end(),
                     [](const auto& scope) { return scope.second; });
}

std::vector<Effect> SyncSession::link_up(std::string_view channel_binding,
                                         const ClockReading& clock) {
  std::vector<Effect> effects;
  heard_at_ = clock.monotonic;
  replica_.traffic().opened(clock);
  if (auto settled = replica_.settle(); !settled) {
    close(to_string(settled.error()), effects);
    return effects;
  }
  Frame frame;
  *frame.mutable_hello() = make_hello(replica_, identity_, channel_binding, clock, software_);
  const store::v1::AgentState& state = replica_.state();
  send(frame, effects);

  hello_head_ = state.head();
  next_seq_ = state.acknowledged() + 1;
  next_unsent_at_hello_ = next_seq_;
  // A first contact waits for the welcome: the hub does not know the device's key yet.
  // Holes in the own log wait for it, too.
  if (state.epoch() != 0 && identity_.ticket.empty() && !state.has_holes() &&
      !replica_.stream_in_doubt()) {
    const std::uint64_t before = credit_;
    packing_ = PayloadCodec::known_to(state.hub_dictionaries(), state.hub_encodings());
    push_more(effects, clock);
    sent_before_welcome_ = before - credit_;
  }
  arm(effects);
  return effects;
}

void SyncSession::push_more(std::vector<Effect>& effects, const ClockReading& clock) {
  if (state_ == State::closed || state_ == State::probing) return;
  const store::v1::AgentState& state = replica_.state();
  while (next_seq_ <= state.head() && credit_ > 0) {
    auto ops =
        replica_.own_ops(next_seq_, sync_limits::kBatchRawBytesAim, sync_limits::kBatchOpsMax);
    if (!ops) return close("own log: " + to_string(ops.error()), effects);
    if (ops->empty()) return close("own log ends before its head", effects);
    // Packed they are smallest when they can be read; while the vault is locked they go as they
    // are.
    for (Replica::OwnOp& own : *ops) own.op = replica_.as_readable(own.op);
    std::vector<std::string_view> views;
    views.reserve(ops->size());
    for (const Replica::OwnOp& own : *ops) views.push_back(own.op);
    Frame frame;
    sync::v1::Batch& batch = *frame.mutable_batch();
    batch.set_origin(state.origin());
    batch.set_first_seq(next_seq_);
    codec_.pack(views, packing_, &batch);
    batch.set_chain(ops->back().chain);
    const Dot last{replica_.origin(), ops->back().seq};
    batch.set_signature(identity_.key.sign(batch_statement(last, batch.chain())));
    Send out{encode_frame(frame)};
    if (out.frame.size() > credit_) return;  // the next Ack brings more
    credit_ -= out.frame.size();
    count_batch(*ops, out.frame.size());
    in_flight_.push_back({last.seq, clock.monotonic});
    next_seq_ = last.seq + 1;
    effects.push_back(std::move(out));
  }
}

std::vector<Effect> SyncSession::saved(const ClockReading& clock) {
  std::vector<Effect> effects;
  if (state_ != State::live) return effects;
  const bool idle = in_flight_.empty();
  push_more(effects, clock);
  if (idle && !in_flight_.empty()) arm(effects);
  return effects;
}

std::vector<Effect> SyncSession::timer_fired(const ClockReading& clock) {
  std::vector<Effect> effects;
  if (state_ == State::closed) return effects;
  const Duration silence = clock.monotonic - heard_at_;
  const bool oldest_late = !in_flight_.empty() && clock.monotonic - in_flight_.front().sent_at >=
                                                      sync_limits::kReplyTimeout;
  if (state_ != State::live || oldest_late || ping_sent_) {
    // Half-open: the other side is gone although the socket says otherwise.
    if (silence >= sync_limits::kReplyTimeout) {
      close("no answer in time", effects);
      return effects;
    }
  } else if (silence >= sync_limits::kPingInterval) {
    Frame frame;
    frame.mutable_ping()->set_token(static_cast<std::uint64_t>(clock.monotonic.ms));
    send(frame, effects);
    ping_sent_ = true;
  }
  arm(effects);
  return effects;
}

std::vector<Effect> SyncSession::received(std::string_view bytes, const ClockReading& clock) {
  std::vector<Effect> effects;
  if (state_ == State::closed) return effects;
  heard_at_ = clock.monotonic;
  ping_sent_ = false;
  auto frame = decode_frame(bytes);
  if (!frame) {
    close(to_string(frame.error()), effects);
    return effects;
  }
  count_received(*frame, bytes.size());
  const bool greeting = state_ == State::greeting;
  switch (frame->body_case()) {
    case Frame::kWelcome:
      if (greeting) {
        replica_.traffic().hub_said({frame->welcome().hub_time_ms()}, clock);
        on_welcome(frame->welcome(), effects);
      } else {
        close("welcome out of turn", effects);
      }
      break;
    case Frame::kAck:
      replica_.traffic().hub_said({frame->ack().hub_time_ms()}, clock);
      on_ack(frame->ack(), effects);
      break;
    case Frame::kFeedPage:
      on_feed_page(frame->feed_page(), bytes.size(), effects);
      break;
    case Frame::kWalkPage:
      on_walk_page(frame->walk_page(), bytes.size(), effects);
      break;
    case Frame::kRangeAnswer:
      on_range_answer(frame->range_answer(), bytes.size(), effects);
      break;
    case Frame::kForkPoint:
      on_fork_point(frame->fork_point(), effects);
      break;
    case Frame::kPing: {
      Frame pong;
      pong.mutable_pong()->set_token(frame->ping().token());
      send(pong, effects);
      break;
    }
    case Frame::kPong:
      break;
    case Frame::kGoodbye:
      // What is sent ahead would be turned away again before the common point is found.
      if (frame->goodbye().reason() == sync::v1::Goodbye::REASON_REPLACED) {
        replica_.doubt_stream(true);
      }
      close("hub: " + frame->goodbye().detail(), effects, false,
            milliseconds(frame->goodbye().retry_after_ms()));
      break;
    case Frame::kVault:
      if (auto kept = replica_.keep_vault(frame->vault()); !kept) {
        close(to_string(kept.error()), effects);
        break;
      }
      effects.push_back(VaultChanged{});
      break;
    case Frame::kBlobWant:
    case Frame::kBlobPiece:
    case Frame::kBlobSeen:
    case Frame::kBlobEnd:
      on_file_frame(*frame, clock.monotonic, effects);
      break;
    case Frame::kHello:
    case Frame::kBatch:
    case Frame::kBlobOffer:
    case Frame::kGap:
    case Frame::kSeen:
    case Frame::kRangeRequest:
    case Frame::kForkProbe:
    case Frame::kRefill:
    case Frame::BODY_NOT_SET:
      close("frame of a kind only devices send", effects);
      break;
  }
  // After any frame, not only those that bring credit: a save that failed may be on the disk all
  // the same; the replica learns of it when it is next used, and nobody else will tell.
  if (state_ == State::live) push_more(effects, clock);
  look_at_traffic(clock, effects);
  pump_files(clock.monotonic, effects);
  arm(effects);
  return effects;
}

void SyncSession::on_welcome(const sync::v1::Welcome& welcome, std::vector<Effect>& effects) {
  const store::v1::AgentState& state = replica_.state();
  const std::uint64_t hub_seq = welcome.hub_head().seq();
  for (const sync::v1::ScopeCursor& head : welcome.scopes()) {
    const auto at = replica_.scopes().find(head.scope());
    at_head_[head.scope()] = at != replica_.scopes().end() &&
                             at->second.through() == head.through() &&
                             at->second.feed_checksum() == head.checksum();
  }
  device_name_ = welcome.device_name();
  revoked_ = welcome.revoked();
  packing_ = PayloadCodec::known_to(welcome.dictionaries(), welcome.encodings());

  // Does the hub hold the same stream? Compare where both have something.
  bool fork = welcome.verdict() == sync::v1::STREAM_VERDICT_FORK;
  if (!fork && welcome.verdict() != sync::v1::STREAM_VERDICT_DEVICE_BEHIND && hub_seq > 0 &&
      hub_seq <= state.head()) {
    auto chain = replica_.chain_at(hub_seq);
    if (!chain) return close(to_string(chain.error()), effects);
    // A position this device no longer holds was acknowledged and lies before its own log.
    if (*chain) fork = **chain != welcome.hub_head().chain();
  }
  if (welcome.verdict() == sync::v1::STREAM_VERDICT_DEVICE_BEHIND) {
    return reincarnate(hello_head_, effects);  // what was saved since the hello is re-emitted, too
  }
  if (fork) {
    state_ = State::probing;
    probe_low_ = state.own_log_from() - 1;
    probe_high_ = std::min(state.head(), hub_seq);
    return probe(probe_low_, probe_high_, effects);
  }
  auto gap = replica_.has_gap_after(hub_seq);
  if (!gap) return close(to_string(gap.error()), effects);
  if (*gap) return reincarnate(hub_seq, effects);
  const std::uint64_t acknowledged_at_hello = next_unsent_at_hello_ - 1;
  if (auto kept = replica_.welcomed(welcome); !kept) return close(to_string(kept.error()), effects);
  state_ = State::live;
  replica_.doubt_stream(false);
  // A hub that lacks what it had acknowledged gets everything after its head again; what was sent
  // early did not continue its stream and was passed over.
  if (hub_seq < acknowledged_at_hello) {
    in_flight_.clear();
    next_seq_ = hub_seq + 1;
  }
  // What it has needs no sending; its beginning may not even be here any more.
  if (hub_seq <= state.head()) next_seq_ = std::max(next_seq_, hub_seq + 1);
  for (const sync::v1::ScopeCursor& head : welcome.scopes()) {
    if (at_head_[head.scope()])
      compare_checksum(head.scope(), head.through(), head.checksum(), effects);
  }
  for (const sync::v1::Gap& lost : state.gaps()) {
    Frame frame;
    *frame.mutable_gap() = lost;
    send(frame, effects);
  }
  credit_ = welcome.credit() > sent_before_welcome_ ? welcome.credit() - sent_before_welcome_ : 0;
  if (welcome.has_vault()) effects.push_back(VaultChanged{});
  if (replica_.files() != nullptr && !revoked_) {
    exchange_.emplace(replica_.blobs(), *replica_.files(), replica_.traffic(), state.hub_id(),
                      state.hub_key());
  }
  ask_for_half_open(effects);
}

void SyncSession::on_ack(const sync::v1::Ack& ack, std::vector<Effect>& effects) {
  if (state_ != State::live) return;
  if (ack.origin() != replica_.origin().view()) return close("ack of another stream", effects);
  if (auto kept = replica_.acknowledged(ack); !kept) return close(to_string(kept.error()), effects);
  while (!in_flight_.empty() && in_flight_.front().last_seq <= ack.through())
    in_flight_.pop_front();
  next_seq_ = std::max(next_seq_, ack.through() + 1);
  credit_ += ack.credit();
  // Not caught up before the pages that this commit made are here.
  for (const sync::v1::ScopeCursor& head : ack.grown()) {
    const auto at = replica_.scopes().find(head.scope());
    at_head_[head.scope()] =
        at != replica_.scopes().end() && at->second.through() >= head.through();
    postponed_.erase(head.scope());  // its page brings another sum
  }
  compare_postponed(effects);
  answered_.clear();
  ask_for_half_open(effects);
  effects.push_back(DurableAck{ack.through()});
}

void SyncSession::grant(const std::string& scope, std::size_t bytes, std::vector<Effect>& effects) {
  ungranted_ += bytes;
  const bool head = at_head_[scope];
  if (!head && ungranted_ < sync_limits::kDownstreamCredit / 4) return;
  Frame frame;
  sync::v1::Seen& seen = *frame.mutable_seen();
  seen.set_credit(ungranted_);
  const auto at = replica_.scopes().find(scope);
  if (at != replica_.scopes().end()) {
    sync::v1::ScopeCursor* cursor = seen.add_cursors();
    cursor->set_scope(scope);
    cursor->set_through(at->second.through());
  }
  ungranted_ = 0;
  send(frame, effects);
}

void SyncSession::on_feed_page(const sync::v1::FeedPage& page,
                               std::size_t bytes,
                               std::vector<Effect>& effects) {
  if (state_ != State::live) return;
  const auto& scopes = replica_.scopes();
  const auto at = scopes.find(page.scope());
  if (page.after() == 0 && at != scopes.end() && at->second.through() != 0) {
    // The hub's feed took another way than ours: it starts again, duplicates are free.
    if (auto forgotten = replica_.forget_cursor(page.scope()); !forgotten) {
      return close(to_string(forgotten.error()), effects);
    }
  }
  auto changed = replica_.apply(page);
  if (!changed) return not_applied(changed.error(), effects);
  if (!changed->empty()) effects.push_back(RecordsChanged{std::move(*changed)});
  at_head_[page.scope()] = page.at_head();
  answered_.clear();
  ask_for_half_open(effects);
  grant(page.scope(), bytes, effects);
  if (page.at_head()) compare_checksum(page.scope(), page.through(), page.checksum(), effects);
}

void SyncSession::not_applied(const Error& error, std::vector<Effect>& effects) {
  // A copy of this device wrote under the same origin: the next hello finds the common point.
  close(to_string(error), effects, error.code == ErrorCode::conflict);
}

void SyncSession::on_walk_page(const sync::v1::WalkPage& page,
                               std::size_t bytes,
                               std::vector<Effect>& effects) {
  if (state_ != State::live) return;
  auto changed = replica_.apply(page);
  if (!changed) return not_applied(changed.error(), effects);
  if (!changed->empty()) effects.push_back(RecordsChanged{std::move(*changed)});
  at_head_[page.scope()] = page.last();
  ask_for_half_open(effects);
  grant(page.scope(), bytes, effects);
  // What changed behind the walk shows in the sum.
  if (page.last()) compare_checksum(page.scope(), page.continue_after(), page.checksum(), effects);
}

void SyncSession::ask_for_half_open(std::vector<Effect>& effects) {
  constexpr std::size_t kAskedMax = 8;
  if (state_ != State::live || asked_.size() >= kAskedMax) return;
  auto records = replica_.half_open();
  if (!records) return close(to_string(records.error()), effects);
  for (const Replica::HalfOpen& record : *records) {
    if (asked_.size() >= kAskedMax) return;
    if (!at_head_.contains(record.scope) || answered_.contains(record.id)) continue;
    if (!asked_.insert(record.id).second) continue;
    Frame frame;
    sync::v1::RangeRequest& request = *frame.mutable_range_request();
    request.set_scope(record.scope);
    request.set_low(record.id.str());
    request.set_high(record.id.str());
    // No checksum, no records: whatever the hub has is different, and it sends it.
    ask(frame, effects);
  }
}

void SyncSession::compare_checksum(const std::string& scope,
                                   std::uint64_t through,
                                   std::uint64_t checksum,
                                   std::vector<Effect>& effects) {
  // Only comparable when nothing of ours is on its way; once per feed position.
  if (replica_.unacknowledged() != 0) {
    postponed_[scope] = {through, checksum};
    return;
  }
  postponed_.erase(scope);
  if (checked_[scope] == through) return;
  checked_[scope] = through;
  const auto at = replica_.scopes().find(scope);
  const std::uint64_t ours = at == replica_.scopes().end() ? 0 : at->second.checksum();
  if (ours == checksum) {
    if (auto noted = replica_.same_as_hub(scope); !noted) close(to_string(noted.error()), effects);
    return;
  }
  RecordId low, high;
  high.bytes.fill('\xff');
  auto sum = replica_.range_sum(scope, low, high);
  if (!sum) return close(to_string(sum.error()), effects);
  Frame frame;
  sync::v1::RangeRequest& request = *frame.mutable_range_request();
  request.set_scope(scope);
  request.set_low(low.str());
  request.set_high(high.str());
  request.set_checksum(sum->checksum);
  request.set_records(sum->records);
  ask(frame, effects);
}

void SyncSession::compare_postponed(std::vector<Effect>& effects) {
  if (replica_.unacknowledged() != 0) return;
  for (const auto& [scope, sum] : std::exchange(postponed_, {})) {
    const auto at = replica_.scopes().find(scope);
    if (at != replica_.scopes().end() && at->second.through() == sum.through) {
      compare_checksum(scope, sum.through, sum.checksum, effects);
    }
  }
}

void SyncSession::on_range_answer(const sync::v1::RangeAnswer& answer,
                                  std::size_t bytes,
                                  std::vector<Effect>& effects) {
  if (state_ != State::live) return;
  if (questions_ > 0) --questions_;
  auto changed = replica_.apply(answer.scope(), answer.records());
  if (!changed) return not_applied(changed.error(), effects);
  if (!changed->empty()) effects.push_back(RecordsChanged{std::move(*changed)});
  if (const auto id = RecordId::from_bytes(answer.low()); id && answer.low() == answer.high()) {
    asked_.erase(*id);
    answered_.insert(*id);
  }
  ask_for_half_open(effects);
  for (const sync::v1::RangeRequest& part : answer.parts()) {
    const auto low = RecordId::from_bytes(part.low());
    const auto high = RecordId::from_bytes(part.high());
    if (!low || !high) return close("range: not ids", effects);
    auto sum = replica_.range_sum(answer.scope(), *low, *high);
    if (!sum) return close(to_string(sum.error()), effects);
    if (sum->checksum == part.checksum() && sum->records == part.records()) continue;
    Frame frame;
    sync::v1::RangeRequest& request = *frame.mutable_range_request();
    request = part;
    request.set_scope(answer.scope());
    request.set_checksum(sum->checksum);
    request.set_records(sum->records);
    ask(frame, effects);
  }
  if (!answer.equal() && answer.parts().empty()) {
    auto refill = replica_.sealed_beyond(answer);
    if (!refill) return close(to_string(refill.error()), effects);
    if (!refill->records().empty()) {
      Frame frame;
      *frame.mutable_refill() = std::move(*refill);
      send(frame, effects);
    }
  }
  grant(answer.scope(), bytes, effects);
}

}  // namespace duhui::agent

#include "hub/core/hub_core.h"

#include <algorithm>
#include <utility>

#include "hub/core/file_collection.h"
#include "shared/sync/frame_codec.h"
#include "shared/sync/limits.h"
#include "shared/sync/payload_codec.h"
#include "shared/sync/stream_chain.h"

namespace duhui::hub {

using sync::v1::Frame;
using sync::v1::Goodbye;

namespace {

constexpr std::uint32_t kQuestionsMax = 32;

}  // namespace

HubCore::HubCore(const HubIdentity& identity, std::string software, HubLimits limits)
    : identity_(identity), software_(std::move(software)), limits_(limits) {}

HubCore::Session* HubCore::find(SessionId id) {
  const auto at = sessions_.find(id);
  return at == sessions_.end() || at->second.state == Session::State::leaving ? nullptr
                                                                              : &at->second;
}

std::set<DeviceId> HubCore::connected_devices() const {
  std::set<DeviceId> devices;
  for (const auto& [id, session] : sessions_) {
    if (session.state == Session::State::live && session.arrival.road == Arrival::Road::link) {
      devices.insert(session.device.id);
    }
  }
  return devices;
}

void HubCore::send(Session& session, const Frame& frame, HubEffects& effects) {
  effects.push_back(SendTo{session.id, encode_frame(frame)});
}

void HubCore::goodbye(Session& session,
                      Goodbye::Reason reason,
                      std::string detail,
                      HubEffects& effects,
                      Duration retry_after) {
  Frame frame;
  frame.mutable_goodbye()->set_reason(reason);
  frame.mutable_goodbye()->set_detail(detail);
  frame.mutable_goodbye()->set_retry_after_ms(static_cast<std::uint32_t>(retry_after.ms));
  send(session, frame, effects);
  effects.push_back(CloseSession{session.id, std::move(detail)});
  session.state = Session::State::leaving;
}

HubEffects HubCore::opened(SessionId id,
                           std::string channel_binding,
                           MonotonicTime now,
                           std::string source,
                           const Arrival& arrival) {
  HubEffects effects;
  Session& session = sessions_[id];
  session.id = id;
  session.binding = std::move(channel_binding);
  session.source = std::move(source);
  session.arrival = arrival;
  session.heard_at = now;
  if (shutting_down_ || sessions_.size() > limits_.sessions_max) {
    // Spread the returning devices: the later ones wait longer.
    goodbye(session, Goodbye::REASON_BUSY, "busy", effects, seconds(30));
    return effects;
  }
  effects.push_back(ArmSessionTimer{id, sync_limits::kReplyTimeout});
  return effects;
}

HubEffects HubCore::closed(SessionId id) {
  HubEffects effects;
  const auto at = sessions_.find(id);
  if (at == sessions_.end()) return effects;
  if (at->second.files) {
    BlobExchange::Out out;
    at->second.files->closed(out);
    for (auto& job : out.jobs) effects.push_back(RunJob{std::move(job)});
  }
  for (const auto& [scope, feed] : at->second.feeds) {
    const auto subscribed = subscribers_.find(scope);
    if (subscribed == subscribers_.end()) continue;
    subscribed->second.erase(id);
    if (subscribed->second.empty()) subscribers_.erase(subscribed);
  }
  sessions_.erase(at);
  return effects;
}

void HubCore::on_file_frame(Session& session,
                            const Frame& frame,
                            MonotonicTime now,
                            HubEffects& effects) {
  if (session.state != Session::State::live || !session.files) return;
  BlobExchange::Out out;
  const bool has_vault = !session.vault.keepers().empty();
  if (auto sound = session.files->received(frame, has_vault, now, out); !sound) {
    return goodbye(session, Goodbye::REASON_PROTOCOL, to_string(sound.error()), effects);
  }
  perform(session, std::move(out), effects);
}

void HubCore::perform(Session& session, BlobExchange::Out out, HubEffects& effects) {
  for (const Frame& frame : out.frames) send(session, frame, effects);
  for (auto& job : out.jobs) effects.push_back(RunJob{std::move(job)});
}

HubEffects HubCore::timer_fired(SessionId id, MonotonicTime now) {
  HubEffects effects;
  Session* session = find(id);
  if (session == nullptr) return effects;
  const Duration silence = now - session->heard_at;
  if (session->state != Session::State::live) {
    if (silence >= sync_limits::kReplyTimeout && session->state == Session::State::opened) {
      goodbye(*session, Goodbye::REASON_PROTOCOL, "no hello in time", effects);
      return effects;
    }
  } else if (silence >= sync_limits::kPingInterval * 2) {
    goodbye(*session, Goodbye::REASON_PROTOCOL, "no answer in time", effects);
    return effects;
  } else if (silence >= sync_limits::kPingInterval && !session->pinged) {
    Frame frame;
    frame.mutable_ping()->set_token(static_cast<std::uint64_t>(now.ms));
    send(*session, frame, effects);
    session->pinged = true;
  }
  note_contacts(effects);
  const bool live = session->state == Session::State::live;
  effects.push_back(
      ArmSessionTimer{id, live ? sync_limits::kPingInterval : sync_limits::kReplyTimeout});
  return effects;
}

HubEffects HubCore::received(SessionId id,
                             std::string_view bytes,
                             WallTime wall,
                             MonotonicTime now) {
  HubEffects effects;
  Session* session = find(id);
  if (session == nullptr) return effects;
  session->heard_at = now;
  session->pinged = false;
  auto frame = decode_frame(bytes);
  if (!frame) {
    goodbye(*session, Goodbye::REASON_PROTOCOL, to_string(frame.error()), effects);
    return effects;
  }
  if (session->state == Session::State::opened && !frame->has_hello()) {
    goodbye(*session, Goodbye::REASON_PROTOCOL, "hello comes first", effects);
    return effects;
  }
  switch (frame->body_case()) {
    case Frame::kHello:
      on_hello(*session, frame->hello(), wall, effects);
      break;
    case Frame::kBatch:
      on_batch(*session, std::move(*frame->mutable_batch()), bytes.size(), wall, effects);
      break;
    case Frame::kSeen:
      session->credit_out = std::min<std::uint64_t>(session->credit_out + frame->seen().credit(),
                                                    4 * sync_limits::kDownstreamCredit);
      feed_more(*session, wall, effects);
      break;
    case Frame::kForkProbe:
    case Frame::kRangeRequest:
      on_question(*session, std::move(*frame), effects);
      break;
    case Frame::kRefill:
      if (session->state != Session::State::live || session->revoked ||
          session->questions_running >= kQuestionsMax)
        break;
      ++session->questions_running;
      effects.push_back(RunJob{std::make_unique<RefillJob>(session->id, session->device.id,
                                                           std::move(*frame->mutable_refill()),
                                                           identity_.origin, hlc_, wall)});
      break;
    case Frame::kPing: {
      Frame pong;
      pong.mutable_pong()->set_token(frame->ping().token());
      send(*session, pong, effects);
      break;
    }
    case Frame::kPong:
      break;
    case Frame::kGap:
      // Once is enough to be seen in the list of devices.
      if (session->state != Session::State::live || session->gap_told) break;
      session->gap_told = true;
      effects.push_back(RunJob{std::make_unique<FlagJob>(id, session->device.id, "ops_lost")});
      break;
    case Frame::kGoodbye:
      effects.push_back(CloseSession{id, frame->goodbye().detail()});
      session->state = Session::State::leaving;
      break;
    case Frame::kBlobOffer:
    case Frame::kBlobWant:
    case Frame::kBlobPiece:
    case Frame::kBlobSeen:
      on_file_frame(*session, *frame, now, effects);
      break;
    case Frame::kBlobEnd:
    case Frame::kWelcome:
    case Frame::kAck:
    case Frame::kFeedPage:
    case Frame::kWalkPage:
    case Frame::kRangeAnswer:
    case Frame::kForkPoint:
    case Frame::kVault:
    case Frame::BODY_NOT_SET:
      goodbye(*session, Goodbye::REASON_PROTOCOL, "frame of a kind only hubs send", effects);
      break;
  }
  return effects;
}

void HubCore::on_batch(Session& session,
                       sync::v1::Batch&& batch,
                       std::size_t bytes,
                       WallTime wall,
                       HubEffects& effects) {
  if (bytes > session.credit_in) {
    return goodbye(session, Goodbye::REASON_PROTOCOL, "more than the credit", effects);
  }
  session.credit_in -= bytes;
  // Before it waits anywhere: what it may take in memory must be true, and only a hub stamps.
  if (batch.count() == 0 || batch.count() > sync_limits::kBatchOpsMax ||
      batch.raw_bytes() >
          (batch.count() == 1 ? sync_limits::kBatchRawBytesMax : sync_limits::kBatchRowsBytesMax) ||
      batch.stamps_size() > 0) {
    return goodbye(session, Goodbye::REASON_PROTOCOL, "batch: over the limits", effects);
  }
  if (session.state == Session::State::greeting) {
    if (session.early.size() >= sync_limits::kEarlyBatchesMax) {
      return goodbye(session, Goodbye::REASON_PROTOCOL, "too many batches before the welcome",
                     effects);
    }
    session.early.push_back(std::move(batch));
    session.early_bytes.push_back(bytes);
    return;
  }
  if (batch.origin() != session.origin.view()) {
    return goodbye(session, Goodbye::REASON_PROTOCOL, "batch of another stream", effects);
  }
#if defined(DUHUI_BUG) && DUHUI_BUG == 1  // acknowledges before the commit
  Frame hasty;
  hasty.mutable_ack()->set_origin(batch.origin());
  hasty.mutable_ack()->set_through(batch.first_seq() + batch.count() - 1);
  hasty.mutable_ack()->set_chain(batch.chain());
  send(session, hasty, effects);
#endif
  auto item = std::make_shared<CommitJob::Item>();
  item->session = session.id;
  item->frame_bytes = bytes;
  item->incoming = {.batch = std::move(batch),
                    .device = session.device.id,
                    .public_key = session.device.public_key,
                    .scopes = session.device.scopes,
                    .device_clock = session.device_clock,
                    .hub_clock = session.hub_clock,
                    .revoked = session.revoked};
  pending_bytes_ += bytes;
  queue_.push_back(std::move(item));
  start_commit(wall, effects);
}

void HubCore::start_commit(WallTime wall, HubEffects& effects) {
  if (!commit_running_ && front_is_free()) issue_commit(wall, effects);
  if (commit_running_) check_ahead(effects);
}

void HubCore::check_ahead(HubEffects& effects) {
  if (checking_ > 0) return;
  auto job = std::make_unique<CheckJob>();
  std::size_t bytes = 0;
  for (std::size_t at = checked_; at < queue_.size(); ++at) {
    const std::size_t weight = queue_[at]->weight();
    if (checked_bytes_ + bytes + weight > limits_.checked_bytes_max) break;
    if (bytes != 0 && bytes + weight > limits_.check_bytes_max) break;
    bytes += weight;
    job->items.push_back(queue_[at]);
  }
  if (job->items.empty()) return;
  checking_ = job->items.size();
  effects.push_back(RunJob{std::move(job)});
}

void HubCore::checked(const CheckJob& job, WallTime wall, HubEffects& effects) {
  for (const auto& item : job.items) checked_bytes_ += item->weight();
  checked_ += checking_;
  checking_ = 0;
  start_commit(wall, effects);
}

void HubCore::note_contacts(HubEffects& effects) {
  if (commit_running_ || contacts_.empty()) return;
  WallTime newest;
  for (const auto& [device, contact] : contacts_) newest = std::max(newest, contact.at);
  issue_commit(newest, effects);
}

void HubCore::issue_commit(WallTime wall, HubEffects& effects) {
  auto job = std::make_unique<CommitJob>(identity_.origin, hlc_, wall);
  for (auto& [device, contact] : std::exchange(contacts_, {})) job->contacts.push_back(contact);
  std::size_t bytes = 0;
  std::size_t ops = 0;
  while (front_is_free()) {
    const std::size_t weight = queue_.front()->weight();
    const std::size_t count = queue_.front()->incoming.batch.count();
    const bool full =
        bytes + weight > limits_.commit_bytes_max || ops + count > limits_.commit_ops_max;
    if (full && !job->items.empty()) break;
    bytes += weight;
    ops += count;
    if (checked_ > 0) {
      --checked_;
      checked_bytes_ -= weight;
    }
    job->items.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  commit_running_ = true;
  effects.push_back(RunJob{std::move(job)});
}

void HubCore::on_question(Session& session, Frame&& frame, HubEffects& effects) {
  if (session.state != Session::State::live) return;
  const bool too_long = frame.has_fork_probe() &&
                        frame.fork_probe().points_size() > static_cast<int>(sync_limits::kTrailMax);
  if (too_long || session.questions_running >= kQuestionsMax) {
    return goodbye(session, Goodbye::REASON_PROTOCOL, "too many questions", effects);
  }
  if (frame.has_range_request()) {
    const std::string& scope = frame.range_request().scope();
    if (!session.feeds.contains(scope)) {
      return goodbye(session, Goodbye::REASON_UNAUTHORISED, "scope: " + scope, effects);
    }
  }
  if (frame.has_fork_probe() && !session.fork_told) {
    // A disk that was put back and has written more since looks like one that goes on, until the
    // device compares chains.
    session.fork_told = true;
    effects.push_back(
        RunJob{std::make_unique<FlagJob>(session.id, session.device.id, "fork_detected")});
  }
  ++session.questions_running;
  auto job = std::make_unique<QuestionJob>(session.id, std::move(frame));
  job->own_origin = session.origin;
  job->packing = session.packing;
  if (!session.vault.keepers().empty()) {
    job->vault = VaultKey::of_device(identity_.key, session.device.id);
  }
  effects.push_back(RunJob{std::move(job)});
}

HubEffects HubCore::job_done(std::unique_ptr<Job> job, WallTime wall, MonotonicTime now) {
  HubEffects effects;
  if (auto* hello = dynamic_cast<HelloJob*>(job.get())) {
    welcome(*hello, wall, now, effects);
  } else if (auto* commit = dynamic_cast<CommitJob*>(job.get())) {
    committed(*commit, wall, effects);
  } else if (auto* check = dynamic_cast<CheckJob*>(job.get())) {
    checked(*check, wall, effects);
  } else if (auto* save = dynamic_cast<SaveJob*>(job.get())) {
    hlc_ = std::max(hlc_, save->hlc);
    if (!save->failed) {
      people_changed(save->people, effects);
      wake(save->grown, wall, effects);
    }
  } else if (auto* keepers = dynamic_cast<VaultJob*>(job.get())) {
    vault_found(*keepers, effects);
  } else if (auto* decided = dynamic_cast<DecideJob*>(job.get())) {
    hlc_ = std::max(hlc_, decided->hlc);
    if (!decided->failed) wake(decided->grown, wall, effects);
  } else if (auto* refill = dynamic_cast<RefillJob*>(job.get())) {
    if (Session* session = find(refill->session)) --session->questions_running;
    hlc_ = std::max(hlc_, refill->hlc);
    if (!refill->failed) {
      people_changed(refill->people, effects);
      wake(refill->grown, wall, effects);
    }
  } else if (auto* blob = dynamic_cast<BlobJob*>(job.get())) {
    Session* session = find(blob->session);
    if (session == nullptr || !session->files) {
      const auto* write = dynamic_cast<const BlobWriteJob*>(blob);
      if (write != nullptr && write->whole) {
        // Its sender will hear of it when it is here again.
        effects.push_back(
            RunJob{std::make_unique<BlobBroughtJob>(write->session, write->name, write->by)});
      }
      return effects;
    }
    // A link that hangs may have brought a part of it, by the same device or another.
    if (auto* look_up = dynamic_cast<BlobLookUpJob*>(blob); look_up != nullptr && look_up->part) {
      for (const auto& [id, other] : sessions_) {
        if (id != session->id && other.files) {
          other.files->add_brought(look_up->name, &look_up->part->held);
        }
      }
    }
    BlobExchange::Out out;
    session->files->done(*blob, wall, now, out);
    perform(*session, std::move(out), effects);
  } else if (auto* look = dynamic_cast<CollectLookJob*>(job.get())) {
    collecting_ = !look->found.empty();
    if (collecting_) {
      effects.push_back(RunJob{std::make_unique<CollectDropJob>(std::move(look->found))});
    }
  } else if (dynamic_cast<CollectDropJob*>(job.get()) != nullptr) {
    collecting_ = false;
  } else if (auto* feed = dynamic_cast<FeedJob*>(job.get())) {
    fed(*feed, wall, effects);
  } else if (auto* question = dynamic_cast<QuestionJob*>(job.get())) {
    if (Session* session = find(question->session)) {
      --session->questions_running;
      if (question->failed) {
        const bool storage = question->failed->code == ErrorCode::storage_failed;
        goodbye(*session, storage ? Goodbye::REASON_BUSY : Goodbye::REASON_PROTOCOL,
                to_string(*question->failed), effects, storage ? seconds(2) : Duration{});
      } else {
        send(*session, question->answer, effects);
      }
    }
  }
  return effects;
}

std::unique_ptr<SaveJob> HubCore::save(std::vector<Intent> intents, WallTime wall) const {
  return std::make_unique<SaveJob>(identity_.origin, hlc_, wall, std::move(intents));
}

std::unique_ptr<DecideJob> HubCore::decide(Decision decision,
                                           std::vector<Dot> dots,
                                           std::string person,
                                           WallTime wall) const {
  return std::make_unique<DecideJob>(identity_.origin, hlc_, wall, decision, std::move(dots),
                                     std::move(person));
}

HubEffects HubCore::collect_files() {
  HubEffects effects;
  if (collecting_ || shutting_down_) return effects;
  collecting_ = true;
  effects.push_back(RunJob{std::make_unique<CollectLookJob>()});
  return effects;
}

HubEffects HubCore::shut_down() {
  HubEffects effects;
  shutting_down_ = true;
  note_contacts(effects);
  for (auto& [id, session] : sessions_) {
    if (session.state == Session::State::leaving) continue;
    goodbye(session, Goodbye::REASON_SHUTDOWN, "the hub stops", effects, seconds(2));
  }
  return effects;
}

HubEffects HubCore::drop_device(const DeviceId& device, const std::string& why) {
  HubEffects effects;
  for (auto& [id, session] : sessions_) {
    if (session.state == Session::State::live && session.device.id == device) {
      goodbye(session, Goodbye::REASON_UNAUTHORISED, why, effects);
    }
  }
  return effects;
}

}  // namespace duhui::hub

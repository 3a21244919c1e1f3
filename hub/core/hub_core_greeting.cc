// A device says hello and is welcomed, or is not.

#include <algorithm>
#include <utility>

#include "hub/core/hub_core.h"
#include "shared/sync/frame_codec.h"
#include "shared/sync/limits.h"
#include "shared/sync/payload_codec.h"

namespace duhui::hub {

using sync::v1::Frame;
using sync::v1::Goodbye;

namespace {

Frame welcome_frame(const HelloJob& job, const HubIdentity& identity, WallTime wall) {
  Frame frame;
  sync::v1::Welcome& out = *frame.mutable_welcome();
  out.set_version(1);
  out.set_hub_id(identity.id.str());
  out.set_epoch(job.epoch);
  out.set_hub_time_ms(wall.ms);
  out.mutable_hub_head()->set_origin(job.stream.origin.str());
  out.mutable_hub_head()->set_seq(job.stream.head);
  out.mutable_hub_head()->set_chain(job.stream.chain);
  out.set_verdict(job.verdict);
  out.set_credit(sync_limits::kUpstreamCredit);
  PayloadCodec::announce(&out);
  for (const HelloJob::Cursor& cursor : job.cursors) {
    sync::v1::ScopeCursor* head = out.add_scopes();
    head->set_scope(cursor.scope);
    head->set_through(cursor.head);
    head->set_checksum(cursor.checksum);
  }
  out.set_device_name(job.device.name);
  out.set_enrolment(job.enrolment);
  out.set_hub_key(identity.key.public_key().str());
  out.set_revoked(job.device.revoked);
  if (!job.vault.keepers().empty()) *out.mutable_vault() = job.vault;
  return frame;
}

}  // namespace

void HubCore::on_hello(Session& session,
                       const sync::v1::Hello& hello,
                       WallTime wall,
                       HubEffects& effects) {
  if (session.state != Session::State::opened) {
    return goodbye(session, Goodbye::REASON_PROTOCOL, "a second hello", effects);
  }
  if (hello.version() != 1) {
    return goodbye(session, Goodbye::REASON_VERSION, "this hub speaks version 1", effects);
  }
  if (hello.cursors_size() > static_cast<int>(sync_limits::kScopesMax)) {
    return goodbye(session, Goodbye::REASON_PROTOCOL, "too many cursors", effects);
  }
  session.state = Session::State::greeting;
  session.own_log_from = std::max<std::uint64_t>(hello.own_log_from(), 1);
  session.own_through = hello.head().seq();
  session.upload_only = hello.upload_only();
  session.packing = PayloadCodec::known_to(hello.dictionaries(), hello.encodings());
  session.credit_out = std::min<std::uint64_t>(hello.credit(), 4 * sync_limits::kDownstreamCredit);
  session.credit_in = sync_limits::kUpstreamCredit;
  session.device_clock = {.wall = {hello.clock().wall_ms()},
                          .monotonic = {static_cast<std::int64_t>(hello.clock().monotonic_ms())},
                          .boot = hello.clock().boot()};
  session.hub_clock = wall;
  if (session.arrival.road != Arrival::Road::link) {
    // When it was said lies between the newest hub time the device had seen and now; within that,
    // its clock is believed.
    session.hub_clock =
        std::min(wall, std::max(session.arrival.hub_seen, session.device_clock.wall));
  }
  auto job = std::make_unique<HelloJob>(session.id, hello, session.binding, wall);
  job->road = session.arrival.road;
  job->said_at = session.hub_clock;
  job->source = session.source;
  job->tickets_closed = ticket_guard_.wait(session.source, session.heard_at);
  effects.push_back(RunJob{std::move(job)});
}

void HubCore::welcome(HelloJob& job, WallTime wall, MonotonicTime now, HubEffects& effects) {
  if (job.epoch_changed && !job.failed) {
    for (auto& [id, other] : sessions_) {
      if (id != job.session && other.state == Session::State::live) {
        goodbye(other, Goodbye::REASON_REPLACED, "the hub begins a new epoch", effects);
      }
    }
  }
  if (job.wrong_ticket && !job.failed) ticket_guard_.wrong(job.source, now);
  Session* session = find(job.session);
  if (session == nullptr) return;
  if (job.failed) {
    return goodbye(*session, Goodbye::REASON_BUSY, to_string(*job.failed), effects, seconds(5));
  }
  if (!job.refused.empty()) {
    return goodbye(*session, Goodbye::REASON_UNAUTHORISED, job.refused, effects, job.retry_after);
  }
  if (job.contact) contacts_[job.contact->device] = *job.contact;
  session->state = Session::State::live;
  session->device = job.device;
  session->revoked = job.device.revoked;
  if (session->revoked) {
    session->upload_only = true;
    session->device.scopes.clear();
  }
  session->origin = job.stream.origin;
  session->vault = job.vault;
  if (!session->revoked) {
    session->files.emplace(session->id, session->device, identity_,
                           file_counters_[session->device.id]);
  }
  send(*session, welcome_frame(job, identity_, wall), effects);
  if (session->arrival.road == Arrival::Road::link) {
    effects.push_back(DeviceConnected{session->id, job.device.id, job.device.name});
  }

  const bool forked = job.verdict == sync::v1::STREAM_VERDICT_FORK ||
                      job.verdict == sync::v1::STREAM_VERDICT_DEVICE_BEHIND;
  auto early = std::exchange(session->early, {});
  auto early_bytes = std::exchange(session->early_bytes, {});
  if (forked) return;  // it comes back under a new origin
  if (job.stream.head > job.hello.acknowledged().seq()) {
    Frame ack;
    ack.mutable_ack()->set_origin(job.stream.origin.str());
    ack.mutable_ack()->set_through(job.stream.head);
    ack.mutable_ack()->set_chain(job.stream.chain);
    ack.mutable_ack()->set_hub_time_ms(wall.ms);
    for (const sync::v1::Stamp& stamp : job.missed_stamps) *ack.mutable_ack()->add_stamps() = stamp;
    for (const sync::v1::Note& note : job.missed_notes) *ack.mutable_ack()->add_notes() = note;
    *ack.mutable_ack()->mutable_receipt() =
        receipt(*session, job.stream.head, job.stream.chain, wall);
    send(*session, ack, effects);
  }
  for (const HelloJob::Cursor& cursor : job.cursors) {
    subscribe(*session, cursor.scope, cursor.through, cursor.head);
  }
  const SessionId id = session->id;
  for (std::size_t n = 0; n < early.size(); ++n) {
    session->credit_in += early_bytes[n];  // taken again by on_batch
    on_batch(*session, std::move(early[n]), early_bytes[n], wall, effects);
    session = find(id);
    if (session == nullptr) return;
  }
  feed_more(*session, wall, effects);
  effects.push_back(ArmSessionTimer{id, sync_limits::kPingInterval});
}

}  // namespace duhui::hub

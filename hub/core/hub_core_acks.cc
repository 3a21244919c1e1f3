// What becomes of a commit: acknowledgements, receipts, credit.

#include <algorithm>
#include <utility>

#include "hub/core/hub_core.h"
#include "shared/sync/frame_codec.h"
#include "shared/sync/limits.h"
#include "shared/sync/stream_chain.h"

namespace duhui::hub {

using sync::v1::Frame;
using sync::v1::Goodbye;

void HubCore::committed(CommitJob& job, WallTime wall, HubEffects& effects) {
  commit_running_ = false;
  hlc_ = std::max(hlc_, job.hlc);
  for (const auto& item : job.items) pending_bytes_ -= item->frame_bytes;
  if (job.failed) {
    // Said again with the next commit, unless the device was here again meanwhile.
    for (const Contact& contact : job.contacts) contacts_.try_emplace(contact.device, contact);
    // Nothing of it is stored: the devices keep their ops and come again.
    for (const auto& item : job.items) {
      if (Session* session = find(item->session)) {
        goodbye(*session, Goodbye::REASON_BUSY, "storage: " + job.failed->detail, effects,
                seconds(2));
      }
    }
  } else {
    for (const auto& item : job.items) acknowledge(*item, job.grown, wall, effects);
    return_credit(wall, effects);
    people_changed(job.people, effects);
    wake(job.grown, wall, effects);
  }
  start_commit(wall, effects);
}

void HubCore::acknowledge(const CommitJob::Item& item,
                          const std::map<std::string, FeedHead>& grown,
                          WallTime wall,
                          HubEffects& effects) {
  Session* session = find(item.session);
  if (session == nullptr) return;
  const BatchOutcome& outcome = item.outcome;
  if (!outcome.refused.empty()) {
    return goodbye(*session, Goodbye::REASON_PROTOCOL, outcome.refused, effects, seconds(10));
  }
  if (outcome.fork) {
    return goodbye(*session, Goodbye::REASON_REPLACED, std::string(kForked), effects);
  }
  const sync::v1::Batch& batch = item.incoming.batch;
  credit_withheld_.erase(session->id);
  session->own_through = std::max(session->own_through, batch.first_seq() + batch.count() - 1);
  Frame frame;
  sync::v1::Ack& ack = *frame.mutable_ack();
  ack.set_origin(session->origin.str());
  ack.set_through(outcome.through);
  ack.set_chain(outcome.chain);
  ack.set_hub_time_ms(wall.ms);
  // Credit comes back as the bytes are done with, unless the hub as a whole is behind.
  if (pending_bytes_ < limits_.pending_bytes_max) {
    ack.set_credit(sync_limits::kUpstreamCredit - session->credit_in);
    session->credit_in = sync_limits::kUpstreamCredit;
  } else {
    credit_withheld_[session->id] = {outcome.through, outcome.chain};
  }
  for (const sync::v1::Stamp& stamp : outcome.stamps) *ack.add_stamps() = stamp;
  for (const sync::v1::Note& note : outcome.notes) *ack.add_notes() = note;
  *ack.mutable_receipt() = receipt(*session, outcome.through, outcome.chain, wall);
  for (const auto& [scope, head] : grown) {
    if (session->upload_only || !session->reads(scope)) continue;
    sync::v1::ScopeCursor* cursor = ack.add_grown();
    cursor->set_scope(scope);
    cursor->set_through(head.through);
  }
  send(*session, frame, effects);
}

sync::v1::Receipt HubCore::receipt(const Session& session,
                                   std::uint64_t through,
                                   const std::string& chain,
                                   WallTime wall) const {
  sync::v1::Receipt out;
  out.set_hub_id(identity_.id.str());
  out.set_origin(session.origin.str());
  out.set_seq(through);
  out.set_chain(chain);
  out.set_hub_time_ms(wall.ms);
  out.set_signature(identity_.key.sign(
      receipt_statement(identity_.id, Dot{session.origin, through}, chain, wall.ms)));
  return out;
}

void HubCore::return_credit(WallTime wall, HubEffects& effects) {
  if (credit_withheld_.empty() || pending_bytes_ >= limits_.pending_bytes_max) return;
  for (const auto& [id, durable] : std::exchange(credit_withheld_, {})) {
    Session* session = find(id);
    if (session == nullptr || session->credit_in == sync_limits::kUpstreamCredit) continue;
    Frame frame;
    sync::v1::Ack& ack = *frame.mutable_ack();
    ack.set_origin(session->origin.str());
    ack.set_through(durable.through);
    ack.set_chain(durable.chain);
    ack.set_hub_time_ms(wall.ms);
    ack.set_credit(sync_limits::kUpstreamCredit - session->credit_in);
    session->credit_in = sync_limits::kUpstreamCredit;
    send(*session, frame, effects);
  }
}

}  // namespace duhui::hub

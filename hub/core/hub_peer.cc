#include "hub/core/hub_peer.h"

#include <utility>
#include <variant>

#include "hub/core/hub_core.h"

namespace duhui::hub {
namespace {

constexpr SessionId kSession = 1;

/// Performs effects until there are none left.
class Performer {
 public:
  Performer(HubCore& core, StorageContext& context, HubPeer& peer, const ClockReading& clock)
      : core_(core), context_(context), peer_(peer), clock_(clock) {}

  Status perform(HubEffects effects) {
    for (HubEffect& effect : effects) {
      if (auto* send = std::get_if<SendTo>(&effect)) {
        DUHUI_CHECK_OK(peer_.heard(send->frame));
      } else if (auto* run = std::get_if<RunJob>(&effect)) {
        run->job->run(context_);
        DUHUI_CHECK_OK(perform(core_.job_done(std::move(run->job), clock_.wall, clock_.monotonic)));
      } else if (auto* close = std::get_if<CloseSession>(&effect)) {
        closed_ = true;
        reason_ = std::move(close->reason);
      }
    }
    return Done{};
  }

  Status run() {
    DUHUI_CHECK_OK(
        perform(core_.opened(kSession, peer_.binding(), clock_.monotonic, {}, peer_.arrival())));
    while (!peer_.over()) {
      if (closed_) return Error{ErrorCode::refused, reason_};
      DUHUI_TRY(frame, peer_.next());
      if (!frame) {
        if (peer_.over()) break;
        return Error{ErrorCode::unavailable, "bundle: the hub does not answer"};
      }
      DUHUI_CHECK_OK(perform(core_.received(kSession, *frame, clock_.wall, clock_.monotonic)));
    }
    return Done{};
  }

 private:
  HubCore& core_;
  StorageContext& context_;
  HubPeer& peer_;
  const ClockReading& clock_;
  bool closed_ = false;
  std::string reason_;
};

}  // namespace

Status converse(HubCore& core, StorageContext& context, HubPeer& peer, const ClockReading& clock) {
  Performer performer(core, context, peer, clock);
  const Status done = performer.run();
  // What came of a file is kept.
  static_cast<void>(performer.perform(core.closed(kSession)).has_value());
  // Contacts that no batch has written down.
  static_cast<void>(performer.perform(core.shut_down()).has_value());
  return done;
}

}  // namespace duhui::hub

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hub/core/jobs.h"
#include "shared/base/result.h"
#include "shared/base/time.h"

namespace duhui::hub {

class HubCore;

/// Speaks to the hub as a device would, from within its own program: a bundle that is taken in or
/// made. Driven from one thread at a time, by whoever has the hub's core.
class HubPeer {
 public:
  virtual ~HubPeer() = default;
  /// What its Hello's proof is bound to, in place of a TLS channel.
  virtual std::string binding() const = 0;
  virtual Arrival arrival() const = 0;
  /// The next frame to the hub; empty optional: it waits for the hub, or has nothing more to say.
  /// May read a file. An error ends the conversation.
  virtual Result<std::optional<std::string>> next() = 0;
  /// A frame of the hub. An error ends the conversation.
  virtual Status heard(std::string_view frame) = 0;
  /// Everything is said and answered.
  virtual bool over() const = 0;
};

/// A whole conversation with a hub that nobody else talks to: jobs are run as they come.
/// `unavailable`: neither side has anything to say and it is not over.
Status converse(HubCore& core, StorageContext& context, HubPeer& peer, const ClockReading& clock);

}  // namespace duhui::hub

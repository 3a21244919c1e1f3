#include "agent/core/hello.h"

#include "shared/sync/limits.h"
#include "shared/sync/payload_codec.h"
#include "shared/sync/stream_chain.h"

namespace duhui::agent {

sync::v1::Hello make_hello(const Replica& replica,
                           const DeviceIdentity& identity,
                           std::string_view binding,
                           const ClockReading& clock,
                           const std::string& software) {
  sync::v1::Hello hello;
  hello.set_version(1);
  hello.set_device_id(identity.id.str());
  hello.set_public_key(identity.key.public_key().str());
  hello.set_proof(
      identity.key.sign(device_statement(binding, identity.id, identity.key.public_key().view())));
  hello.set_ticket(identity.ticket);
  const store::v1::AgentState& state = replica.state();
  hello.mutable_head()->set_origin(state.origin());
  hello.mutable_head()->set_seq(state.head());
  hello.mutable_head()->set_chain(state.chain());
  hello.mutable_acknowledged()->set_origin(state.origin());
  hello.mutable_acknowledged()->set_seq(state.acknowledged());
  hello.mutable_acknowledged()->set_chain(state.acknowledged_chain());
  hello.set_epoch(state.epoch());
  for (const sync::v1::ScopeCursor& cursor : replica.cursors()) *hello.add_cursors() = cursor;
  hello.mutable_clock()->set_wall_ms(clock.wall.ms);
  hello.mutable_clock()->set_monotonic_ms(static_cast<std::uint64_t>(clock.monotonic.ms));
  hello.mutable_clock()->set_boot(state.boot());
  hello.set_credit(sync_limits::kDownstreamCredit);
  PayloadCodec::announce(&hello);
  hello.set_software(software);
  hello.set_own_log_from(state.own_log_from());
  hello.set_enrolment(state.enrolment());
  return hello;
}

}  // namespace duhui::agent

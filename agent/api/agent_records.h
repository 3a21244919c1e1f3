#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/api/record_index.h"
#include "agent/core/replica.h"
#include "shared/api/record_source.h"
#include "shared/base/audit_entry.h"
#include "shared/base/random.h"
#include "shared/base/time.h"

namespace duhui::agent {

/// Reads both clocks of the device.
using ReadClock = std::function<ClockReading()>;

/// The replica's records for the API. Used on the thread that drives the replica.
class AgentRecords final : public api::RecordSource {
 public:
  /// All outlive this. `scopes`: what the device's ticket or the hub granted.
  AgentRecords(Replica& replica, Random& random, ReadClock read_clock);

  void set_scopes(std::vector<std::string> scopes) { scopes_ = std::move(scopes); }
  /// Told after each save: the link has something to send.
  void on_saved(std::function<void()> told) { told_saved_ = std::move(told); }
  /// Records changed by what the hub sent.
  void changed(const std::vector<RecordId>& ids);
  /// More of the records can be read now, or less.
  void forget_index() { index_ = RecordIndex(); }
  /// The index, filled.
  Result<const RecordIndex*> index();

  Result<std::optional<RecordState>> state(const RecordId& id) override;
  Result<std::vector<api::RecordRow>> list(const api::RecordQuery& query) override;
  Result<std::vector<RecordId>> linked_to(std::string_view name, std::string_view to) override;
  Result<std::vector<Dot>> save(std::vector<Intent> intents) override;
  std::string seen_token(const RecordId& id, const RecordState& state) override;
  RecordId mint_id() override;
  api::SourceFacts facts() override;
  /// The device's audit log is part of its own stream: chained, signed, and sent to the hub, which
  /// keeps it where no device reads.
  Status audit(const AuditEntry& entry);

 private:
  Status fill();
  Status refresh(const RecordId& id);

  Replica& replica_;
  Random& random_;
  const ReadClock read_clock_;
  std::vector<std::string> scopes_;
  std::function<void()> told_saved_;
  RecordIndex index_;
};

}  // namespace duhui::agent

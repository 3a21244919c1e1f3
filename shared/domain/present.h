#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "shared/domain/domain_context.h"
#include "shared/domain/state_machine.h"
#include "shared/merge/record_state.h"
#include "shared/merge/schema.h"
#include "shared/merge/view.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace duhui {

/// One step of a record's life, also one that did not count.
struct TimelineEntry {
  std::string event;
  std::string by;
  std::string at;
  std::string note;
  bool effective = false;
  std::string reason;  // why it did not count: "overruled", "not_from_this_state" ...
  Dot dot;
};

/// A record as people see it, with everything that follows from it and its surroundings.
struct Presented {
  const RecordSchema* schema = nullptr;
  std::string id;
  std::string state;  // identifier; empty: the type has none
  std::uint32_t revision = 1;
  std::vector<TimelineEntry> timeline;
  std::vector<std::string> flags;            // sorted
  std::vector<std::string> submit_blockers;  // of a visit: what stands against submitting
  std::vector<std::string> conflicts;        // paths that wait for a person
  std::string restored_because;              // whose edit brought a deleted draft back
  std::string effective_recheck;             // of a problem: the recheck behind its state
  RecordView view;
  // What `view` depends on besides the record, for explaining a value.
  std::function<record::v1::Policy(const RegisterKey&)> override_policy;
  std::optional<std::vector<Dot>> frozen_at;
  std::shared_ptr<const google::protobuf::Message> message;  // shown values, without derived ones
  nlohmann::json record;                                     // shown values and derived ones

  bool has_flag(std::string_view flag) const;
};

/// Two phases: the events give the state; the state says which writes are shown (a submitted visit
/// shows what its signers saw; later writes wait as amendments). A pure function of its arguments.
/// `id`: readable id or UUID text.
Presented present(const RecordSchema& schema,
                  const std::string& id,
                  const RecordState& state,
                  const DomainContext& context);

/// One register of a presented record: {shown, siblings, history, proposals, conflict, policy}; the
/// lists hold {value, by, at_ms, reason}. `path` may go on inside the value
/// ("attachments/ph1/caption"). `invalid_input`: no such field.
Result<nlohmann::json> present_field(const Presented& presented, std::string_view path);

}  // namespace duhui

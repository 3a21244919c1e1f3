#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "duhui/record/v1/options.pb.h"
#include "shared/base/ids.h"
#include "shared/merge/record_state.h"
#include "shared/merge/schema.h"

namespace duhui {

/// A value with its author, as people see it.
struct AuthoredValue {
  Dot dot;
  std::optional<std::string> value;  // fragment; absent: cleared or removed
  std::string person;
  OpStamp stamp;
  std::string reason;
};

/// One register as shown.
struct ShownRegister {
  RegisterKey key;
  record::v1::Policy policy = record::v1::POLICY_UNSPECIFIED;
  /// The shown fragments: none (cleared, or a conflict), one, or for `append` all entries in order.
  std::vector<AuthoredValue> shown;
  /// The competing values while a person has to decide; otherwise empty.
  std::vector<AuthoredValue> siblings;
  /// Everything else ever saved here, also clearings: superseded writes and live ones the policy
  /// did not choose, by (effective time, rank, dot).
  std::vector<AuthoredValue> history;
  /// Writes that wait for who may decide: of devices to a `hub_only` field, of people without
  /// authority to any.
  std::vector<AuthoredValue> proposals;

  bool in_conflict() const { return !siblings.empty(); }
};

/// What the view depends on besides the record itself.
struct ViewOptions {
  /// Policy of one register of a record on its own template version (a template item's `merge`);
  /// POLICY_UNSPECIFIED: the schema's. May be empty.
  std::function<record::v1::Policy(const RegisterKey&)> override_policy;
  /// The record is frozen: only these dots are shown; live writes outside them become amendments.
  const std::vector<Dot>* frozen_at = nullptr;
};

/// Live writes that arrived for a frozen record, by op.
struct Amendment {
  Dot dot;
  std::string person;
  OpStamp stamp;
  std::string reason;
  std::vector<RegisterKey> registers;
};

/// A deletion that lost against an edit its author had not seen.
struct Restoration {
  AuthoredValue deletion;
  Dot because_of;  // the newest edit the deletion had not seen
  std::string because_of_person;
};

/// A record as people see it. A pure function of the record's state and the options.
struct RecordView {
  std::vector<ShownRegister> registers;  // ordered by key; without the deletion register
  std::vector<Amendment> amendments;
  bool deleted = false;
  std::optional<AuthoredValue> deleted_by;
  std::optional<Restoration> restored;

  const ShownRegister* find(const RegisterKey& key) const;
  std::size_t open_conflicts() const;
  /// The concatenated shown fragments: parses as the record message, unknown fields included.
  std::string message_bytes() const;
};

RecordView view(const RecordSchema& schema, const RecordState& state, const ViewOptions& options);

/// For figures that need one value although a conflict is open (`ask` resolved by `latest`). The
/// siblings are still given, so that the figure can say so.
RecordView view_with_ask_as_latest(const RecordSchema& schema,
                                   const RecordState& state,
                                   const ViewOptions& options);

/// What a list or an index needs of a record: `view` without authors and history, much cheaper.
struct ShownMessage {
  std::string bytes;                   // as RecordView::message_bytes()
  std::vector<RegisterKey> conflicts;  // registers that wait for a person
  bool deleted = false;
};

ShownMessage shown_message(const RecordSchema& schema,
                           const RecordState& state,
                           const ViewOptions& options);

/// One step of the answer to "why is this shown?".
struct Explanation {
  record::v1::Policy policy = record::v1::POLICY_UNSPECIFIED;
  /// Why the shown value won, as a rule identifier: no_value, cleared, only_value, same_value,
  /// same_author_later, latest, higher_rank, extreme, add_wins, all_entries, hub_value,
  /// proposal_waiting, conflict_open, frozen, derived; of the deletion register: deleted, restored,
  /// cleared, no_value.
  std::string rule;
  struct Entry {
    AuthoredValue write;
    bool live = false;
    bool shown = false;
    std::vector<Dot> saw;          // what it replaced
    std::vector<Dot> replaced_by;  // what replaced it
  };
  std::vector<Entry> entries;  // in causal order
};

Explanation explain(const RecordSchema& schema,
                    const RecordState& state,
                    const RegisterKey& key,
                    const ViewOptions& options);

}  // namespace duhui

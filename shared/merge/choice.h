#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "shared/merge/deciding_value.h"
#include "shared/merge/view.h"

namespace duhui {

/// A write with what is known of its op. Points into a RecordState.
struct Candidate {
  const RegisterWrite* write = nullptr;
  const OpFacts* facts = nullptr;

  bool has_value() const { return write->value && !write->value->empty(); }
};

/// Total order of writes, by which `latest` decides: effective time, role rank, dot.
bool is_earlier(const Candidate& a, const Candidate& b);

/// Every write comes after those it replaces; ties by effective time, then dot. A cycle, which only
/// a broken device can make, is cut at its earliest write.
std::vector<Candidate> in_causal_order(const std::vector<Candidate>& writes);

/// What a policy decided about one register.
struct Choice {
  record::v1::Policy policy = record::v1::POLICY_UNSPECIFIED;
  std::string_view rule;
  std::vector<Candidate> shown;
  std::vector<Candidate> siblings;
  std::vector<Candidate> proposals;
};

/// Applies the policies to the registers of one record. Keeps scratch space between registers.
class Chooser {
 public:
  enum class Ask : std::uint8_t { open, as_latest };

  Chooser(const RecordSchema& schema,
          const RecordState& state,
          const ViewOptions& options,
          Ask ask);

  /// Valid until the next call.
  const Choice& choose(const RegisterKey& key, const Register& reg);

  /// Whether later writes of this register wait as amendments.
  bool is_closed(const RegisterKey& key) const;
  /// Whether the freezing event had seen `dot`.
  bool is_inside(const Dot& dot) const;

  Candidate candidate(const RegisterWrite& write) const;
  record::v1::Policy policy_of(const RegisterKey& key) const {
    return policy_of(key, schema_.find(key.field));
  }
  /// Every write of the register, live or not.
  std::vector<Candidate> all(const Register& reg) const;

 private:
  record::v1::Policy policy_of(const RegisterKey& key, const FieldSchema* field) const;
  void add_if_shown_type(const RegisterWrite& write);
  void collect(const RegisterKey& key, const Register& reg);
  void collect_frozen(const Register& reg);
  bool was_replaced(const RegisterWrite& write, bool closed) const;
  bool was_there(const Dot& dot) const;

  void choose_latest();
  void choose_asked(const FieldSchema* field);
  void choose_extreme(const FieldSchema* field);
  void choose_union();
  void choose_by_authority();
  void choose_entries();
  void choose_of_hub(const Register& reg, bool closed);

  bool is_superseded_at_hub(const Register& reg, const RegisterWrite& write, bool closed) const;
  DecidingValue deciding(const FieldSchema* field, const Candidate& candidate) const;
  /// Why the latest of `pool_` is shown, as far as the pool alone tells.
  std::string_view latest_rule() const;
  void show(const Candidate& candidate, std::string_view rule);

  const RecordSchema& schema_;
  const RecordState& state_;
  const ViewOptions& options_;
  const Ask ask_;
  std::vector<Dot> inside_;  // ordered copy of options.frozen_at
  std::vector<Candidate> pool_;
  std::vector<Dot> then_;  // of a closed register: its writes up to the freezing event, ordered
  Choice choice_;
};

}  // namespace duhui

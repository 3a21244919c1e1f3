#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "shared/api/domain_lookup.h"
#include "shared/api/record_answer.h"
#include "shared/api/record_source.h"
#include "shared/base/random.h"
#include "shared/merge/hybrid_clock.h"
#include "shared/sync/op_builder.h"
#include "shared/sync/stamps.h"

namespace duhui::api {

/// RecordSource without a store: two people on two devices are two origins in it.
class MemoryRecords : public RecordSource {
 public:
  MemoryRecords() : random_(7) { origin_ = Origin::random(random_); }

  Result<std::optional<RecordState>> state(const RecordId& id) override {
    const auto found = records_.find(id);
    if (found == records_.end()) return std::optional<RecordState>{};
    return std::optional<RecordState>(found->second);
  }

  Result<std::vector<RecordRow>> list(const RecordQuery& query) override {
    std::vector<RecordRow> rows;
    for (const auto& [id, state] : records_) {
      if (!(query.after < id) || rows.size() == query.limit) continue;
      DomainLookup lookup(*this);
      const RecordSchema* schema = Schema::instance().find(state.type());
      const Presented shown = present(*schema, to_uuid_text(id.view()), state, lookup.narrow());
      const RecordRow row = row_of(id, state, shown);
      const bool wanted = (query.type == 0 || query.type == row.type) &&
                          (query.school_id.empty() || query.school_id == row.school_id) &&
                          (query.state.empty() || query.state == row.state) &&
                          (query.date_from.empty() || query.date_from <= row.date) &&
                          (query.date_to.empty() || row.date <= query.date_to) &&
                          (!query.only_conflicts || row.open_conflicts > 0);
      if (wanted) rows.push_back(row);
    }
    return rows;
  }

  Result<std::vector<RecordId>> linked_to(std::string_view name, std::string_view to) override {
    std::vector<RecordId> ids;
    for (const auto& [id, state] : records_) {
      const RecordSchema* schema = Schema::instance().find(state.type());
      DomainLookup lookup(*this);
      const Presented shown = present(*schema, {}, state, lookup.narrow());
      const auto at = shown.record.find(std::string(name));
      if (at == shown.record.end()) continue;
      const bool listed =
          at->is_array() && std::find(at->begin(), at->end(), std::string(to)) != at->end();
      if (listed || *at == std::string(to)) ids.push_back(id);
    }
    return ids;
  }

  Result<std::vector<Dot>> save(std::vector<Intent> intents) override {
    ++saves;
    std::vector<Dot> dots;
    for (const Intent& intent : intents) {
      const Dot dot{origin_, heads_[origin_] + 1};
      DUHUI_TRY(op, build_op(intent, records_[intent.record], dot));
      now.ms += 1000;
      HybridClock clock(hlc_);
      op.mutable_time()->set_hlc(clock.tick(now));
      hlc_ = clock.last();
      OpStamp stamp = default_stamp(op);
      stamp.at_hub = at_hub;
      auto applied = records_[intent.record].apply(dot, op, stamp);
      if (!applied) return std::move(applied).error();
      ++heads_[origin_];
      dots.push_back(dot);
    }
    return dots;
  }

  std::string seen_token(const RecordId& id, const RecordState& state) override {
    return make_seen_token(id, state, Dot{origin_, heads_[origin_]});
  }
  RecordId mint_id() override { return mint_record_id(now, random_); }
  SourceFacts facts() override {
    return {.now = now, .origin = origin_, .root_scope = "org-430200", .scopes = device_scopes};
  }

  /// The next saves come from another device.
  void on_another_device() { origin_ = Origin::random(random_); }

  WallTime now{1'760'000'000'000};  // 2025-10-09T16:53:20+08:00
  std::vector<std::string> device_scopes;
  bool at_hub = false;
  int saves = 0;

 private:
  SeededRandom random_;
  Origin origin_;
  std::map<Origin, std::uint64_t> heads_;
  std::map<RecordId, RecordState> records_;
  std::uint64_t hlc_ = 0;
};

}  // namespace duhui::api

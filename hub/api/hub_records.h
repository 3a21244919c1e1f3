#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/api/hub_access.h"
#include "shared/api/record_source.h"

namespace duhui::hub {

/// The hub's records for the nouns that hub and agent share.
class HubRecords final : public api::RecordSource {
 public:
  /// `hub` outlives this.
  explicit HubRecords(HubAccess& hub) : hub_(hub) {}

  Result<std::optional<RecordState>> state(const RecordId& id) override;
  Result<std::vector<api::RecordRow>> list(const api::RecordQuery& query) override;
  Result<std::vector<RecordId>> linked_to(std::string_view name, std::string_view to) override;
  Result<std::vector<Dot>> save(std::vector<Intent> intents) override;
  std::string seen_token(const RecordId& id, const RecordState& state) override;
  RecordId mint_id() override;
  api::SourceFacts facts() override;

 private:
  HubAccess& hub_;
  std::string root_scope_;  // empty: not read yet, or not known
};

}  // namespace duhui::hub

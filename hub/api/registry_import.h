#pragma once

#include <cstddef>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "hub/api/hub_access.h"
#include "hub/api/hub_records.h"
#include "shared/base/result.h"
#include "shared/merge/schema.h"

namespace duhui::hub {

/// Author of imported registry rows.
inline constexpr std::string_view kImporter = "import";

struct ImportCounts {
  std::size_t rows = 0;
  std::size_t created = 0;
  std::size_t changed = 0;
  std::size_t unchanged = 0;
};

/// The record type behind a kind of file ("schools"). `invalid_input`: no such kind.
Result<const RecordSchema*> schema_of_kind(const std::string& kind);

/// Takes rows of a registry as records with readable ids.
///
/// A row is compared with what the import itself last wrote, not with what is shown: the same row
/// again writes nothing, even where a person has changed the record since, and what people filled
/// in themselves stays. All rows are read before any is saved; an error names its row, from 1.
class RegistryImport {
 public:
  RegistryImport(HubAccess& hub, HubRecords& records) : hub_(hub), records_(records) {}

  Result<ImportCounts> take(const std::string& kind, const nlohmann::json& rows);

 private:
  Status learn_root_scope(const nlohmann::json& rows);

  HubAccess& hub_;
  HubRecords& records_;
};

}  // namespace duhui::hub

#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "shared/base/result.h"

namespace duhui::hub {

/// One file of registry rows, read and put into the form of POST /import.
struct RegistryFile {
  std::string name;  // "templates/TPL_SAFETY.v1.json"
  std::string kind;  // "templates"
  std::vector<nlohmann::json> rows;
  std::vector<std::string> places;  // of each row, for messages: "line 12", "row 3"
};

/// The registry files of a folder, those first that others refer to. Files that are not there are
/// left out; `not_found`: none is. `invalid_input` names file and line.
Result<std::vector<RegistryFile>> read_registry_folder(const std::string& folder);

}  // namespace duhui::hub

#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace duhui::scenarios {

/// One registry as POST /import takes it.
struct RegistryRows {
  std::string kind;
  nlohmann::json rows;
};

/// The registries of tests/data, those first that others refer to.
std::vector<RegistryRows> registry_rows();

/// "org-430200/org-430202/zone-430202-1/sch-001"
std::string scope_of_school(const std::string& school_id);

}  // namespace duhui::scenarios

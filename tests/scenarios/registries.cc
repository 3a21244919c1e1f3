#include "tests/scenarios/registries.h"

#include <array>
#include <stdexcept>

#include "tests/shared/record/sample_data.h"

namespace duhui::scenarios {
namespace {

using Json = nlohmann::json;

struct Place {
  const char* file;
  const char* kind;
  const char* type;
};
constexpr std::array kPlaces = {
    Place{"orgs.json", "orgs", "org"},
    Place{"schools.csv", "schools", "school"},
    Place{"school_profiles.csv", "school_profiles", "school_profile"},
    Place{"supervisors.csv", "supervisors", "supervisor"},
    Place{"users.csv", "users", "user"},
    Place{"assignments.csv", "assignments", "assignment"},
    Place{"campaigns.json", "campaigns", "campaign"},
    Place{"policy_settings.json", "policy_settings", "policy_setting"},
};

}  // namespace

std::vector<RegistryRows> registry_rows() {
  std::vector<RegistryRows> registries;
  for (const Place& place : kPlaces) {
    registries.push_back({place.kind, testing::sample_records({place.file, place.type})});
  }
  RegistryRows templates{"templates", Json::array()};
  for (const testing::SampleFile& file : testing::sample_files()) {
    if (file.type != "template") continue;
    for (Json& form : testing::sample_records(file)) templates.rows.push_back(std::move(form));
  }
  registries.push_back(std::move(templates));
  return registries;
}

std::string scope_of_school(const std::string& school_id) {
  for (const Json& school : testing::sample_records({"schools.csv", "school"})) {
    if (school.at("id") != school_id) continue;
    const std::string zone = school.value("zone_id", "");
    return "org-430200/" + school.at("district_id").get<std::string>() +
           (zone.empty() ? "" : "/" + zone) + "/" + school_id;
  }
  throw std::runtime_error("no such school: " + school_id);
}

}  // namespace duhui::scenarios

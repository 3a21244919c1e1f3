#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace duhui::testing {

/// The records of the sample term (tests/data), as JSON.
struct SampleFile {
  std::string file;
  std::string type;  // record type identifier
};

/// Every file that holds records.
const std::vector<SampleFile>& sample_files();
/// The records of one file; registry rows (CSV) become JSON by `RecordJson::registry_row`.
std::vector<nlohmann::json> sample_records(const SampleFile& file);
/// Text of a file below tests/data.
std::string sample_text(const std::string& file);
/// `value` without nulls, empty lists and empty objects, at every level: what JSON that says the
/// same thing has in common.
nlohmann::json without_unset(const nlohmann::json& value);

}  // namespace duhui::testing

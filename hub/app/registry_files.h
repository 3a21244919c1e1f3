#pragma once

#include <cstdint>
#include <string>
#include <string_view>
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

/// A data file of the folder that is no registry.
struct SkippedFile {
  enum class Reason : std::uint8_t {
    records,  // made by people: `record import` takes them, with their authors
    devices,  // a device comes with a ticket
    unknown,
  };
  std::string name;
  Reason reason = Reason::unknown;
};
std::string_view to_string(SkippedFile::Reason reason);

struct RegistryFolder {
  std::vector<RegistryFile> files;   // those first that others refer to
  std::vector<SkippedFile> skipped;  // by name
};

/// The registry files of a folder. Files that are not there are left out; `not_found`: none is.
/// `invalid_input` names file and line.
Result<RegistryFolder> read_registry_folder(const std::string& folder);

}  // namespace duhui::hub

#pragma once

#include <ostream>

#include <nlohmann/json_fwd.hpp>

#include "shared/cli/console.h"

namespace duhui::cli {

/// Answers of the API as people read them.
void write_record(Console& console, const nlohmann::json& record);
void write_field(Console& console, const nlohmann::json& field);
void write_rows(Console& console, const nlohmann::json& rows);
void write_conflicts(Console& console, const nlohmann::json& conflicts);

}  // namespace duhui::cli

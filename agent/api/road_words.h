#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace duhui::agent {

/// What stands between this device and its hub, in words for whoever sits there. {"kind", "zh",
/// "en"}; null: nothing, or a kind that is not known.
nlohmann::json road_problem_json(std::string_view kind);

}  // namespace duhui::agent

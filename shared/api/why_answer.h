#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

#include "shared/api/people.h"
#include "shared/base/result.h"
#include "shared/domain/present.h"
#include "shared/merge/record_state.h"

namespace duhui::api {

/// GET /records/{id}/why: the writes behind one register, who saw what, and the rule applied.
Result<nlohmann::json> why_answer(const RecordState& state,
                                  const Presented& shown,
                                  std::string_view path,
                                  People& people);

}  // namespace duhui::api

#pragma once

#include <nlohmann/json_fwd.hpp>

#include "duhui/record/v1/common.pb.h"
#include "shared/base/result.h"

namespace duhui {

/// A value typed into a form. `invalid_input`: an array or an object. Null leaves `out` unset.
Status read_scalar(const nlohmann::json& value, record::v1::Scalar* out);
/// Null: not set.
nlohmann::json write_scalar(const record::v1::Scalar& value);

/// Any value of a setting; nested at most kJsonDepthMax levels.
Status read_value(const nlohmann::json& value, record::v1::Value* out, int depth = 0);
nlohmann::json write_value(const record::v1::Value& value);

}  // namespace duhui

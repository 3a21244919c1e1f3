#pragma once

#include <functional>
#include <string>

#include "shared/api/answer.h"
#include "shared/merge/schema.h"
#include "shared/merge/view.h"

namespace duhui::api {

/// The explanation of one register in whole sentences: what is shown and why, then every value with
/// its author, how they had signed in, what they had seen and what replaced it. `name_of`: a
/// person's readable name.
std::string why_text(const RecordSchema& schema,
                     const RecordState& state,
                     const RegisterKey& key,
                     const Explanation& why,
                     const std::function<std::string(const std::string&)>& name_of,
                     Language language);

/// A value in a few words: at most about 60 characters.
std::string short_value(const nlohmann::json& value);

}  // namespace duhui::api

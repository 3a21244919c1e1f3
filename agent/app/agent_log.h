#pragma once

#include <string>

#include "shared/base/result.h"

namespace duhui::agent {

/// Logs to `file`, or to standard error where it is empty. Level: debug, info, warn, error or off.
/// Any thread, once opened.
Status open_log(const std::string& file, const std::string& level);

}  // namespace duhui::agent

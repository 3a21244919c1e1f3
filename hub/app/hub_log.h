#pragma once

#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace duhui::hub {

/// Logs to standard error and to `<folder>/log/hub.log` (rotated; two older files stay).
/// Level: debug, info, warn, error or off. Any thread, once opened.
Status open_log(const std::string& folder, const std::string& level, std::size_t bytes_max);
void log_info(std::string_view text);
void log_warning(std::string_view text);
/// Writes out what is still in memory.
void flush_log();

}  // namespace duhui::hub

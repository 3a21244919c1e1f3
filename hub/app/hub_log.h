#pragma once

#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace duhui::hub {

/// Logs to standard error and to `<folder>/log/hub.log` (rotated; two older files stay).
/// Level: debug, info, warn, error or off. Any thread, once opened.
Status open_log(const std::string& folder, const std::string& level, std::size_t bytes_max);
/// From now on protobuf's complaints are log lines of level debug. By itself it writes a line to
/// standard error for every text that is not UTF-8: whoever sends us such messages must not fill
/// the disk.
void quiet_protobuf();
void log_info(std::string_view text);
void log_warning(std::string_view text);
/// Writes out what is still in memory.
void flush_log();

}  // namespace duhui::hub

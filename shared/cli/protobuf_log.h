#pragma once

namespace duhui::cli {

/// From now on protobuf's complaints are lines of spdlog's default log, of level debug. By itself
/// protobuf writes a line to standard error for every text that is not UTF-8: whoever sends us such
/// messages must not fill the disk.
void quiet_protobuf();

}  // namespace duhui::cli

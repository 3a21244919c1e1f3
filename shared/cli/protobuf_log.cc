#include "shared/cli/protobuf_log.h"

#include <string>

#include <google/protobuf/stubs/logging.h>
#include <spdlog/spdlog.h>

namespace duhui::cli {
namespace {

/// After a fatal line protobuf ends the process.
void log_protobuf(google::protobuf::LogLevel level,
                  const char* file,
                  int line,
                  const std::string& message) {
  const auto ours =
      level == google::protobuf::LOGLEVEL_FATAL ? spdlog::level::critical : spdlog::level::debug;
  spdlog::log(ours, "protobuf {}:{}: {}", file, line, message);
}

}  // namespace

void quiet_protobuf() { google::protobuf::SetLogHandler(&log_protobuf); }

}  // namespace duhui::cli

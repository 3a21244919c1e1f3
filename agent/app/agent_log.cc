#include "agent/app/agent_log.h"

#include <memory>
#include <utility>

#include <google/protobuf/stubs/logging.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace duhui::agent {
namespace {

/// protobuf writes a line to standard error for every text that is not UTF-8: whoever sends us such
/// messages must not fill the disk. After a fatal one it ends the process.
void log_protobuf(google::protobuf::LogLevel level,
                  const char* file,
                  int line,
                  const std::string& message) {
  const auto ours =
      level == google::protobuf::LOGLEVEL_FATAL ? spdlog::level::critical : spdlog::level::debug;
  spdlog::log(ours, "protobuf {}:{}: {}", file, line, message);
}

}  // namespace

Status open_log(const std::string& file, const std::string& level) {
  google::protobuf::SetLogHandler(&log_protobuf);
  try {
    spdlog::sink_ptr sink;
    if (file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
    }
    auto log = std::make_shared<spdlog::logger>("agent", std::move(sink));
    log->set_level(spdlog::level::from_str(level));
    log->flush_on(spdlog::level::info);
    spdlog::set_default_logger(std::move(log));
  } catch (const spdlog::spdlog_ex& error) {
    return Error{ErrorCode::storage_failed, std::string("log: ") + error.what()};
  }
  return Done{};
}

}  // namespace duhui::agent

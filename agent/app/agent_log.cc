#include "agent/app/agent_log.h"

#include <memory>
#include <utility>

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "shared/cli/protobuf_log.h"

namespace duhui::agent {

Status open_log(const std::string& file, const std::string& level) {
  cli::quiet_protobuf();
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

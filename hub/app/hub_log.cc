#include "hub/app/hub_log.h"

#include <memory>

#include <spdlog/logger.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace duhui::hub {
namespace {

constexpr std::size_t kOldFiles = 2;

}  // namespace

Status open_log(const std::string& folder, const std::string& level, std::size_t bytes_max) {
  try {
    auto console = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    auto file = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(folder + "/log/hub.log",
                                                                       bytes_max, kOldFiles);
    auto logger = std::make_shared<spdlog::logger>("hub", spdlog::sinks_init_list{console, file});
    logger->set_level(spdlog::level::from_str(level));
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    logger->flush_on(spdlog::level::warn);
    spdlog::set_default_logger(std::move(logger));
  } catch (const spdlog::spdlog_ex& thrown) {
    return Error{ErrorCode::storage_failed, std::string("log: ") + thrown.what()};
  }
  return Done{};
}

void log_info(std::string_view text) { spdlog::info(text); }

void log_warning(std::string_view text) { spdlog::warn(text); }

void flush_log() { spdlog::default_logger()->flush(); }

}  // namespace duhui::hub

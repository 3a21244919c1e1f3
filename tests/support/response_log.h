#pragma once

#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace duhui {

/// Adds an answer to the file that DUHUI_RESPONSE_LOG names, for check_openapi.py to judge.
inline void log_response(std::string_view method,
                         std::string_view target,
                         int status,
                         const nlohmann::json& body,
                         std::string_view content_type = "application/json") {
  const char* path = std::getenv("DUHUI_RESPONSE_LOG");
  if (path == nullptr) return;
  const nlohmann::json line = {{"method", method},
                               {"target", target},
                               {"status", status},
                               {"content_type", content_type},
                               {"body", body}};
  std::ofstream(path, std::ios::app) << line.dump() << "\n";
}

}  // namespace duhui

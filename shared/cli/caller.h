#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "shared/api/answer.h"
#include "shared/api/router.h"
#include "shared/base/result.h"
#include "shared/net/http_client.h"

namespace duhui::cli {

/// Whoever answers API requests: the running service, or the same handlers in this process.
class Caller {
 public:
  virtual ~Caller() = default;

  /// `path`: below /api/v1, with the query. `body` null: none.
  virtual api::ApiResponse call(std::string_view method,
                                const std::string& path,
                                const nlohmann::json& body) = 0;

  /// The body of a successful answer, or its error.
  Result<nlohmann::json> get(const std::string& path);
  Result<nlohmann::json> post(const std::string& path, const nlohmann::json& body);
};

/// The running service through its control socket.
class SocketCaller final : public Caller {
 public:
  explicit SocketCaller(const std::string& socket_path)
      : client_(net::HttpClient::over_unix(socket_path, minutes(15))) {}

  api::ApiResponse call(std::string_view method,
                        const std::string& path,
                        const nlohmann::json& body) override;
  /// Whether a service answers there. Asked before anything is sent, so that nothing is done twice.
  static bool answers(const std::string& socket_path);

 private:
  net::HttpClient client_;
};

/// Handlers in this process.
class LocalCaller final : public Caller {
 public:
  /// Asks as the operator of the program at `place`.
  LocalCaller(const api::Router& router, Subject::Place place) : router_(router), place_(place) {}

  api::ApiResponse call(std::string_view method,
                        const std::string& path,
                        const nlohmann::json& body) override;

 private:
  const api::Router& router_;
  const Subject::Place place_;
};

}  // namespace duhui::cli

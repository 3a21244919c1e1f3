#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "shared/api/answer.h"
#include "shared/api/edge.h"
#include "shared/api/router.h"
#include "shared/base/result.h"
#include "shared/net/http_client.h"

namespace duhui::cli {

/// Whoever answers API requests: the running service, or the same handlers in this process. Asks as
/// the operator of the machine until somebody signs in.
class Caller {
 public:
  virtual ~Caller() = default;

  /// What follows is asked as this person.
  Result<nlohmann::json> sign_in(const std::string& user, const std::string& password);
  void sign_out();

  /// `path`: below /api/v1, with the query. `body` null: none.
  virtual api::ApiResponse call(std::string_view method,
                                const std::string& path,
                                const nlohmann::json& body) = 0;

  /// A piece of an upload.
  virtual api::ApiResponse send_piece(const std::string& path,
                                      std::uint64_t offset,
                                      const std::string& bytes) = 0;

  /// The body of a successful answer, or its error.
  Result<nlohmann::json> get(const std::string& path);
  Result<nlohmann::json> post(const std::string& path, const nlohmann::json& body);

 protected:
  /// The token of the session; empty: none.
  const std::string& session() const { return session_; }

 private:
  std::string session_;
};

/// The running service through its control socket.
class SocketCaller final : public Caller {
 public:
  explicit SocketCaller(const std::string& socket_path)
      : client_(net::HttpClient::over_unix(socket_path, minutes(15))) {}

  api::ApiResponse call(std::string_view method,
                        const std::string& path,
                        const nlohmann::json& body) override;
  api::ApiResponse send_piece(const std::string& path,
                              std::uint64_t offset,
                              const std::string& bytes) override;
  /// Whether a service answers there. Asked before anything is sent, so that nothing is done twice.
  static bool answers(const std::string& socket_path);

 private:
  api::ApiResponse send(net::HttpRequest request);

  net::HttpClient client_;
};

/// Handlers in this process.
class LocalCaller final : public Caller {
 public:
  using Answer = std::function<api::ApiResponse(const api::EdgeRequest&)>;
  explicit LocalCaller(Answer answer) : answer_(std::move(answer)) {}

  api::ApiResponse call(std::string_view method,
                        const std::string& path,
                        const nlohmann::json& body) override;
  api::ApiResponse send_piece(const std::string& path,
                              std::uint64_t offset,
                              const std::string& bytes) override;

 private:
  const Answer answer_;
};

}  // namespace duhui::cli

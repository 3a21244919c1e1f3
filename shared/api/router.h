#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "shared/api/answer.h"
#include "shared/base/result.h"
#include "shared/domain/authority.h"

namespace duhui::api {

inline constexpr std::string_view kBasePath = "/api/v1";

/// A request as it came, and who sent it.
struct ApiCall {
  std::string_view method{};
  std::string_view target{};  // path and query as sent, with the base path
  std::string_view body{};
  Subject subject{};
  std::string session{};        // what the session cookie said; whether it holds is in `subject`
  std::string peer{};           // see EdgeRequest
  bool local = true;            // sent from this machine, not through the port for others
  std::string upload_offset{};  // header Upload-Offset; empty: none
};

/// One request, taken apart.
struct ApiRequest {
  std::string method;
  std::string path;                          // without base and query
  std::map<std::string, std::string> names;  // what the pattern's {parts} matched
  std::map<std::string, std::string> query;
  nlohmann::json body;     // null: none
  std::string_view bytes;  // the body of a route that takes it as it is; while the handler runs
  std::string upload_offset;
  Subject subject;
  std::string session;
  std::string peer;
  bool local = true;

  /// Empty: absent.
  std::string query_text(const std::string& name) const;
  /// `invalid_input`: not a number in [1, max].
  Result<std::uint32_t> query_number(const std::string& name,
                                     std::uint32_t otherwise,
                                     std::uint32_t max) const;
  /// `invalid_input`: absent, or not a string.
  Result<std::string> body_text(const std::string& name) const;
};

/// How a route takes the body of its requests.
enum class Body : std::uint8_t { json, bytes };

using ApiHandler = std::function<Result<ApiResponse>(const ApiRequest&)>;

/// What a route is about: whom the authority lets through.
struct Need {
  Verb verb = Verb::manage;
  Thing thing = Thing::records;
};

/// Finds the handler of a request and asks the authority first. Filled once, then only asked.
class Router {
 public:
  /// `pattern`: "/records/{id}/why". One part of a path is never empty and may hold any characters,
  /// percent-encoded.
  void add(std::string method,
           std::string_view pattern,
           Need need,
           ApiHandler handler,
           Body body = Body::json);

  struct Route {
    std::string method;
    std::vector<std::string> parts;  // "{id}" matches any
    Need need;
    ApiHandler handler;
    Body body = Body::json;
  };
  /// Told of each request that is answered with 403, by the authority or by the handler at once.
  using Refused =
      std::function<void(const ApiRequest& request, const Route& route, const ApiResponse& answer)>;
  void on_refused(Refused told) { refused_ = std::move(told); }

  /// Whatever happens, an answer.
  ApiResponse dispatch(const ApiCall& call) const;

  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
  Refused refused_{};
};

/// `unauthenticated` or `forbidden`, unless the ruling allows it.
Status granted(const Ruling& ruling);

/// A text as one part of a path or value of a query.
std::string percent_encoded(std::string_view text);

}  // namespace duhui::api

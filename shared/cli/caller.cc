#include "shared/cli/caller.h"

#include <utility>

#include "shared/record/json_text.h"

namespace duhui::cli {
namespace {

using Json = nlohmann::json;

Result<Json> body_of(api::ApiResponse answer) {
  if (auto error = api::error_of(answer)) return std::move(*error);
  return std::move(answer.body);
}

std::string target_of(const std::string& path) { return std::string(api::kBasePath) + path; }

std::string body_text(const Json& body) { return body.is_null() ? std::string() : json_text(body); }

}  // namespace

Result<Json> Caller::get(const std::string& path) { return body_of(call("GET", path, nullptr)); }

Result<Json> Caller::post(const std::string& path, const Json& body) {
  return body_of(call("POST", path, body));
}

api::ApiResponse SocketCaller::call(std::string_view method,
                                    const std::string& path,
                                    const Json& body) {
  net::HttpRequest request{.method = std::string(method),
                           .target = target_of(path),
                           .headers = {{"Content-Type", "application/json"}},
                           .body = body_text(body)};
  auto answer = client_.send(request);
  if (!answer) return api::error_answer(answer.error());
  // Not parse_json: an answer of our own service may be longer than what people may hand in.
  Json parsed = Json::parse(answer->body, nullptr, false);
  if (parsed.is_discarded()) {
    return api::error_answer({ErrorCode::corrupt_data, "answer: not JSON"});
  }
  return {answer->status, std::move(parsed)};
}

bool SocketCaller::answers(const std::string& socket_path) {
  const auto client = net::HttpClient::over_unix(socket_path, seconds(10));
  const net::HttpRequest request{.method = "GET", .target = target_of("/status")};
  return client.send(request).has_value();
}

api::ApiResponse LocalCaller::call(std::string_view method,
                                   const std::string& path,
                                   const Json& body) {
  const std::string target = target_of(path);
  const std::string text = body_text(body);
  return router_.dispatch({.method = method,
                           .target = target,
                           .body = text,
                           .subject = {.kind = Subject::Kind::operator_, .place = place_}});
}

}  // namespace duhui::cli

#include "shared/cli/caller.h"

#include <utility>

#include "shared/api/session_nouns.h"
#include "shared/api/web_guard.h"
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

Result<Json> Caller::sign_in(const std::string& user, const std::string& password) {
  // A device that has no accounts yet takes people by their names.
  DUHUI_TRY(now, get("/session"));
  Json body = {{"user", user}, {"password", password}};
  if (now.value("provisional", false)) body["provisional"] = true;
  api::ApiResponse answer = call("POST", "/session", body);
  for (const auto& [name, value] : answer.headers) {
    if (name != "Set-Cookie" && name != "set-cookie") continue;
    const std::size_t from = value.find('=') + 1;
    session_ = value.substr(from, value.find(';') - from);
  }
  DUHUI_TRY(told, body_of(std::move(answer)));
  if (told.value("must_change", false)) {
    sign_out();
    return Error{ErrorCode::forbidden, "must_change: choose a password of your own first"};
  }
  return told;
}

void Caller::sign_out() {
  if (session_.empty()) return;
  // Should it fail, the session ends by itself.
  static_cast<void>(call("DELETE", "/session", Json::object()));
  session_.clear();
}

Result<Json> Caller::get(const std::string& path) { return body_of(call("GET", path, nullptr)); }

Result<Json> Caller::post(const std::string& path, const Json& body) {
  return body_of(call("POST", path, body));
}

api::ApiResponse SocketCaller::call(std::string_view method,
                                    const std::string& path,
                                    const Json& body) {
  return send({.method = std::string(method),
               .target = target_of(path),
               .headers = {{"Content-Type", "application/json"}},
               .body = body_text(body)});
}

api::ApiResponse SocketCaller::send_piece(const std::string& path,
                                          std::uint64_t offset,
                                          const std::string& bytes) {
  return send({.method = "PATCH",
               .target = target_of(path),
               .headers = {{"Content-Type", std::string(api::kPieceType)},
                           {"Upload-Offset", std::to_string(offset)}},
               .body = bytes});
}

api::ApiResponse SocketCaller::send(net::HttpRequest request) {
  if (!session().empty()) {
    request.headers.emplace_back("Cookie", std::string(api::kSessionCookie) + "=" + session());
  }
  auto answer = client_.send(request);
  if (!answer) return api::error_answer(answer.error());
  // Not parse_json: an answer of our own service may be longer than what people may hand in.
  Json parsed = Json::parse(answer->body, nullptr, false);
  if (parsed.is_discarded()) {
    return api::error_answer({ErrorCode::corrupt_data, "answer: not JSON"});
  }
  return {answer->status, std::move(parsed), std::move(answer->headers)};
}

bool SocketCaller::answers(const std::string& socket_path) {
  const auto client = net::HttpClient::over_unix(socket_path, seconds(10));
  const net::HttpRequest request{.method = "GET", .target = target_of("/health")};
  return client.send(request).has_value();
}

api::ApiResponse LocalCaller::call(std::string_view method,
                                   const std::string& path,
                                   const Json& body) {
  const std::string target = target_of(path);
  const std::string text = body_text(body);
  return answer_({.method = method,
                  .target = target,
                  .body = text,
                  .session = session(),
                  .control_socket = true});
}

api::ApiResponse LocalCaller::send_piece(const std::string& path,
                                         std::uint64_t offset,
                                         const std::string& bytes) {
  const std::string target = target_of(path);
  return answer_({.method = "PATCH",
                  .target = target,
                  .body = bytes,
                  .session = session(),
                  .control_socket = true,
                  .upload_offset = std::to_string(offset)});
}

}  // namespace duhui::cli

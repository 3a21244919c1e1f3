#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "shared/base/result.h"

namespace duhui::api {

struct Deferred;

/// What a request is answered with.
struct ApiResponse {
  int status = 200;
  nlohmann::json body;
  std::vector<std::pair<std::string, std::string>> headers{};  // cookies, when to come again
  /// There is no answer yet: see Deferred.
  std::shared_ptr<Deferred> deferred{};

  bool ok() const { return status >= 200 && status < 300; }
};

/// What stands between a request and its answer and would hold up everybody else (a password takes
/// a tenth of a second): `work` may run on any thread, `finish` then on the API's own.
struct Deferred {
  std::function<void()> work;
  std::function<ApiResponse()> finish;
};
/// The answer, worked out on this thread.
ApiResponse settled(ApiResponse answer);

int http_status(ErrorCode code);

/// {"error":{"code","detail","message_zh","message_en"}}
ApiResponse error_answer(const Error& error);

/// The error inside an answer; empty optional: the answer is a success.
std::optional<Error> error_of(const ApiResponse& answer);

enum class Language : std::uint8_t { zh, en };

/// One sentence for the person at the screen. Chooses by the rule's name in front of `detail`
/// ("open_conflict: ..."), otherwise by the code.
std::string message_of(const Error& error, Language language);

}  // namespace duhui::api

#pragma once

#include <cstddef>
#include <cstdint>
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
struct FileAnswer;

/// What a request is answered with.
struct ApiResponse {
  int status = 200;
  nlohmann::json body;
  std::vector<std::pair<std::string, std::string>> headers{};  // cookies, when to come again
  /// There is no answer yet: see Deferred.
  std::shared_ptr<Deferred> deferred{};
  /// Instead of `body`, of a success.
  std::shared_ptr<FileAnswer> file{};

  bool ok() const { return status >= 200 && status < 300; }
};

/// What stands between a request and its answer and would hold up everybody else (a password takes
/// a tenth of a second): `work` may run on any thread, `finish` then on the API's own.
struct Deferred {
  std::function<void()> work;
  std::function<ApiResponse()> finish;
};
/// The bytes of a file, read while they go out.
struct FileAnswer {
  std::uint64_t size = 0;
  std::string content_type{};
  std::string disposition{};  // Content-Disposition
  std::string tag{};          // ETag without its quotes: changes with the bytes
  /// At most `size` bytes from `offset`, fewer only at the end. On any thread.
  std::function<Result<std::string>(std::uint64_t offset, std::size_t size)> read{};
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

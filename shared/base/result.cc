#include "shared/base/result.h"

namespace duhui {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_input:
      return "invalid_input";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::refused:
      return "refused";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::corrupt_data:
      return "corrupt_data";
    case ErrorCode::storage_failed:
      return "storage_failed";
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::limit_exceeded:
      return "limit_exceeded";
    case ErrorCode::unauthenticated:
      return "unauthenticated";
    case ErrorCode::forbidden:
      return "forbidden";
    case ErrorCode::throttled:
      return "throttled";
  }
  return "unknown";
}

std::string to_string(const Error& error) {
  std::string text(to_string(error.code));
  if (!error.detail.empty()) {
    text += ": ";
    text += error.detail;
  }
  return text;
}

}  // namespace duhui

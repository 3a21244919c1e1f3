#include "shared/sync/frame_codec.h"

#include <algorithm>

#include "shared/sync/limits.h"

namespace duhui {
namespace {

bool is_within(std::string_view inner, std::string_view outer) {
  return inner.starts_with(outer) && (inner.size() == outer.size() || inner[outer.size()] == '/');
}

}  // namespace

Result<sync::v1::Frame> decode_frame(std::string_view bytes) {
  if (bytes.size() > sync_limits::kFrameBytesMax) {
    return Error{ErrorCode::limit_exceeded, "frame: " + std::to_string(bytes.size()) + " bytes"};
  }
  sync::v1::Frame frame;
  if (!frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Error{ErrorCode::invalid_input, "frame: not parsable"};
  }
  if (frame.body_case() == sync::v1::Frame::BODY_NOT_SET) {
    return Error{ErrorCode::invalid_input, "frame: unknown kind"};
  }
  return frame;
}

std::string encode_frame(const sync::v1::Frame& frame) { return frame.SerializeAsString(); }

bool scope_readable(std::string_view granted, std::string_view scope) {
  return is_within(scope, granted) || is_within(granted, scope);
}

bool scope_writable(std::string_view granted, std::string_view scope) {
  return is_within(scope, granted);
}

bool is_scope(std::string_view scope) {
  if (scope.empty() || scope.size() > sync_limits::kScopeBytesMax) return false;
  if (scope.front() == '/' || scope.back() == '/') return false;
  if (scope.find("//") != std::string_view::npos) return false;
  return std::none_of(scope.begin(), scope.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

}  // namespace duhui

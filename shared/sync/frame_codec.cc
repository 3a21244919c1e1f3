#include "shared/sync/frame_codec.h"

#include "shared/sync/limits.h"

namespace duhui {
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

}  // namespace duhui

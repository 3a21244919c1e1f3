#pragma once

#include <string>
#include <string_view>

#include "duhui/sync/v1/frame.pb.h"
#include "shared/base/result.h"

namespace duhui {

/// Parses one message. `limit_exceeded`: longer than kFrameBytesMax; `invalid_input`: not a frame,
/// or one of a kind this build does not know (a newer peer negotiates the version first).
Result<sync::v1::Frame> decode_frame(std::string_view bytes);

std::string encode_frame(const sync::v1::Frame& frame);

}  // namespace duhui

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

/// Whether a device that holds `granted` may read `scope`: the scope itself, what lies below it,
/// and its ancestors (where the registries of the district and the city are).
bool scope_readable(std::string_view granted, std::string_view scope);
/// Whether a device that holds `granted` may create records in `scope`.
bool scope_writable(std::string_view granted, std::string_view scope);
/// "city/district/school": no empty part, no control characters, within the limit.
bool is_scope(std::string_view scope);

}  // namespace duhui

#pragma once

#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace duhui::media {

/// The same pixels of a JPEG, PNG or WebP, bit for bit, without anything that is no picture: where
/// and with what it was taken, comments, previews, and whatever stands behind its end. Colours and
/// orientation stay. `refused` "image_broken": its parts do not fit.
Result<std::string> bare_copy(std::string_view image);

}  // namespace duhui::media

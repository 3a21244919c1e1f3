#pragma once

#include <string>

#include "shared/base/result.h"

namespace duhui::hub {

/// A QR picture of `text` as SVG, for printing. `invalid_input`: too long for one.
Result<std::string> qr_svg(const std::string& text);

}  // namespace duhui::hub

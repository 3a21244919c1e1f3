#pragma once

#include <string>

#include "shared/base/time.h"

namespace duhui::api {

/// "2025-10-09T11:40:00+08:00": as records write times. China has one time zone and no summer time.
std::string time_text(WallTime time);

}  // namespace duhui::api

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace duhui::media {

/// A place on earth in degrees, north and east positive.
struct Geo {
  double latitude = 0;
  double longitude = 0;
};

/// What a camera wrote beside the picture, as far as anybody here asks for it.
struct CameraNotes {
  int orientation = 1;                    // 1 to 8
  std::optional<std::string> taken_at{};  // "2025-10-09T11:40:00+08:00"
  std::optional<Geo> geo{};
};

/// Of a JPEG. What cannot be understood is as if it were absent.
CameraNotes camera_notes(std::string_view jpeg);

}  // namespace duhui::media

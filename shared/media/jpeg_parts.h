#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace duhui::media {

/// One marker segment.
struct JpegPart {
  std::uint32_t marker = 0;  // 0xe1 of FF E1
  std::string_view whole{};  // with marker and length
  std::string_view body{};   // without
};

/// The segments in front of the first scan, which comes last with its header only; as far as they
/// can be read.
std::vector<JpegPart> head_parts(std::string_view jpeg);

}  // namespace duhui::media

#include "hub/app/qr_svg.h"

#include <algorithm>
#include <regex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace duhui::hub {
namespace {

const std::string kCode =
    "abcd-efgh-jkmn-pqrs-tvwx-yz01-2345-6789-abcd-efgh-jkmn-pqrs-tvwx-yz01@hub.example:7443";

/// The picture painted: true is dark.
std::vector<std::vector<bool>> paint(const std::string& svg) {
  std::smatch found;
  if (!std::regex_search(svg, found, std::regex("viewBox=\"0 0 (\\d+) (\\d+)\""))) return {};
  const std::size_t side = std::stoul(found[1]);
  std::vector<std::vector<bool>> picture(side, std::vector<bool>(side));
  const std::regex run("M(\\d+) (\\d+)h(\\d+)v1h-(\\d+)z");
  for (std::sregex_iterator at(svg.begin(), svg.end(), run), end; at != end; ++at) {
    EXPECT_EQ((*at)[3], (*at)[4]);
    for (std::size_t n = 0; n < std::stoul((*at)[3]); ++n) {
      picture.at(std::stoul((*at)[2])).at(std::stoul((*at)[1]) + n) = true;
    }
  }
  return picture;
}

TEST(QrSvg, HasAQuietZoneAndThreeFinders) {
  const auto svg = qr_svg(kCode);
  ASSERT_TRUE(svg);
  const auto picture = paint(*svg);
  ASSERT_GE(picture.size(), 29u);
  const std::size_t last = picture.size() - 1;
  for (std::size_t n = 0; n <= last; ++n) {
    for (std::size_t edge = 0; edge < 4; ++edge) {
      EXPECT_FALSE(picture[edge][n] || picture[last - edge][n] || picture[n][edge] ||
                   picture[n][last - edge]);
    }
  }
  // 1:1:3:1:1 across the middle of each.
  const std::vector<bool> finder = {true, false, true, true, true, false, true};
  const auto across = [&](std::size_t y, std::size_t x) {
    const auto begin = picture[y].begin() + static_cast<std::ptrdiff_t>(x);
    return std::equal(finder.begin(), finder.end(), begin);
  };
  EXPECT_TRUE(across(7, 4));
  EXPECT_TRUE(across(7, last - 10));
  EXPECT_TRUE(across(last - 7, 4));
}

TEST(QrSvg, DiffersForAnotherTextAndRefusesOneThatIsTooLong) {
  EXPECT_NE(*qr_svg(kCode), *qr_svg(kCode + "0"));
  EXPECT_EQ(qr_svg(std::string(3000, 'x')).error().code, ErrorCode::invalid_input);
}

}  // namespace
}  // namespace duhui::hub

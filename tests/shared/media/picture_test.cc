#include "shared/media/picture.h"

#include <gtest/gtest.h>

namespace duhui::media {
namespace {

Picture made(Size size, std::size_t channels, std::uint8_t value) {
  Picture picture{.size = size, .channels = channels};
  picture.bytes.assign(picture.row_bytes() * size.height, value);
  return picture;
}

TEST(Picture, IsFittedWithItsProportions) {
  EXPECT_EQ(fitted({4000, 3000}, 1600), (Size{1600, 1200}));
  EXPECT_EQ(fitted({3000, 4000}, 1600), (Size{1200, 1600}));
  EXPECT_EQ(fitted({100, 50}, 1600), (Size{100, 50}));
  EXPECT_EQ(fitted({20'000, 1}, 1600), (Size{1600, 1}));
}

TEST(Picture, KeepsItsLightAtEverySize) {
  for (const Size from : {Size{7, 5}, Size{64, 48}, Size{1000, 3}}) {
    for (std::uint32_t width = 1; width <= std::min(from.width, 64u); ++width) {
      for (std::uint32_t height = 1; height <= from.height; ++height) {
        const Picture out = scaled(made(from, 3, 200), {width, height});
        ASSERT_EQ(out.size, (Size{width, height}));
        for (const std::uint8_t value : out.bytes) {
          ASSERT_NEAR(value, 200, 1) << from.width << " to " << width << "x" << height;
        }
      }
    }
  }
}

TEST(Picture, BecomesTheMeanOfWhatItCovers) {
  Picture picture = made({4, 2}, 3, 0);
  for (std::size_t at = 0; at < 6; ++at) picture.bytes[at] = 100;
  const Picture out = scaled(picture, {2, 1});
  EXPECT_EQ(out.bytes, (std::vector<std::uint8_t>{50, 50, 50, 0, 0, 0}));
}

TEST(Picture, DoesNotLetUnseenColoursBleed) {
  Picture picture = made({2, 1}, 4, 0);
  picture.bytes = {200, 0, 0, 255, 0, 255, 0, 0};
  const Picture out = scaled(picture, {1, 1});
  EXPECT_NEAR(out.bytes[0], 200, 1);
  EXPECT_EQ(out.bytes[1], 0);
  EXPECT_NEAR(out.bytes[3], 128, 1);
}

TEST(Picture, IsWhiteBehindWhatIsSeeThrough) {
  Picture picture = made({1, 1}, 4, 0);
  EXPECT_TRUE(is_see_through(picture));
  EXPECT_EQ(flattened(picture).bytes, (std::vector<std::uint8_t>{255, 255, 255}));
  picture.bytes[3] = 255;
  EXPECT_FALSE(is_see_through(picture));
}

}  // namespace
}  // namespace duhui::media

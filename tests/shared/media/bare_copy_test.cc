#include "shared/media/bare_copy.h"

#include <gtest/gtest.h>

#include "shared/media/exif.h"
#include "shared/media/image_codecs.h"
#include "tests/shared/media/made_files.h"

namespace duhui::media {
namespace {

using namespace std::string_literals;

constexpr std::uint32_t kLarge = 20'000;

TEST(BareCopy, OfAJpegHasItsPixelsAndOrientationOnly) {
  const std::string page = "<html><script>";
  const std::string comment = "\xff\xfe" + big(page.size() + 2, 2) + page;
  for (const bool progressive : {false, true}) {
    const std::string plain = made_jpeg({.progressive = progressive});
    const std::string noted = with_segment(with_segment(plain, comment), made_exif(6)) + page;
    const std::string bare = bare_copy(noted).value();
    EXPECT_EQ(bare.find("<html>"), std::string::npos);
    EXPECT_EQ(decode_jpeg(bare, kLarge).value().bytes, decode_jpeg(plain, kLarge).value().bytes);
    const CameraNotes notes = camera_notes(bare);
    EXPECT_EQ(notes.orientation, 6);
    EXPECT_FALSE(notes.geo);
    EXPECT_FALSE(notes.taken_at);
    EXPECT_EQ(bare_copy(plain).value(), plain);
  }
}

TEST(BareCopy, OfAPngHasItsPixelsOnly) {
  const std::string plain = made_png({.palette = true});
  const std::string noted =
      with_chunk(with_chunk(plain, "tEXt", "secret"), "eXIf", "secret") + "secret";
  EXPECT_EQ(bare_copy(noted).value(), plain);
}

TEST(BareCopy, OfAWebpHasItsPixelsOnly) {
  for (const bool lossless : {false, true}) {
    const std::string still = made_webp(16, 16, lossless, false);
    const std::string body = "WEBPVP8X"s + little(10, 4) + little(0x0c, 4) + little(15, 3) +
                             little(15, 3) + still.substr(12) + "EXIF" + little(6, 4) + "secret";
    const std::string noted = "RIFF" + little(body.size(), 4) + body + "secret";
    const std::string bare = bare_copy(noted).value();
    EXPECT_EQ(bare.find("secret"), std::string::npos);
    EXPECT_EQ(decode_webp(bare, kLarge).value().bytes, decode_webp(still, kLarge).value().bytes);
  }
}

TEST(BareCopy, RefusesPartsThatDoNotFit) {
  for (const std::string& whole : {made_jpeg(), made_png(), made_webp(16, 16, false, false)}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_FALSE(bare_copy(std::string_view(whole).substr(0, size))) << size;
    }
  }
  EXPECT_FALSE(bare_copy("text"));
}

}  // namespace
}  // namespace duhui::media

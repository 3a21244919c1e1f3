#include "shared/media/shrink.h"

#include <fstream>

#include <gtest/gtest.h>

#include "shared/media/bare_copy.h"
#include "shared/media/image_codecs.h"
#include "tests/shared/media/made_files.h"

namespace duhui::media {
namespace {

using namespace std::string_literals;

std::string rule_of(const std::string& bytes) {
  const auto shrunk = shrink(bytes, {});
  if (shrunk) return "taken";
  return shrunk.error().detail.substr(0, shrunk.error().detail.find(':'));
}

Picture decoded(const Shrunk& shrunk) {
  if (shrunk.mime == "image/png") return decode_png(shrunk.bytes, 20'000).value();
  if (shrunk.mime == "image/webp") return decode_webp(shrunk.bytes, 20'000).value();
  return decode_jpeg(shrunk.bytes, 20'000).value();
}

/// Red, green and blue at a place given in parts of the whole.
std::vector<int> color_at(const Picture& picture, double x, double y) {
  const auto column = static_cast<std::uint32_t>(x * picture.size.width);
  const std::uint8_t* pixel =
      picture.row(static_cast<std::uint32_t>(y * picture.size.height)) + column * picture.channels;
  return {pixel[0], pixel[1], pixel[2]};
}

/// Memory of this process at its worst while `work` ran, beyond what it had before; in bytes.
template <typename Work>
std::int64_t peak_of(Work work) {
  const auto read = [](const std::string& name) {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
      if (word != name) continue;
      std::int64_t kib = 0;
      status >> kib;
      return kib * 1024;
    }
    return std::int64_t{0};
  };
  std::ofstream("/proc/self/clear_refs") << "5";
  const std::int64_t before = read("VmRSS:");
  work();
  return read("VmHWM:") - before;
}

constexpr std::int64_t kMemoryMax = 110 << 20;  // the decoder's share, the input and the result

TEST(Shrink, KeepsWithinTheBudgetAndTheLongestSide) {
  const auto shrunk = shrink(made_jpeg({.width = 3000, .height = 2000, .quality = 98}), {}).value();
  EXPECT_EQ(shrunk.mime, "image/jpeg");
  EXPECT_EQ(shrunk.width, 1600u);
  EXPECT_EQ(shrunk.height, 1066u);
  EXPECT_LE(shrunk.bytes.size(), kShrunkBytes);
  EXPECT_LE(shrunk.thumbnail.size(), kThumbnailBytesMax);
  const Picture small = decode_jpeg(shrunk.thumbnail, 1000).value();
  EXPECT_LE(small.size.width, kThumbnailSideMax);
  const Picture picture = decoded(shrunk);
  EXPECT_EQ(picture.size, (Size{1600, 1066}));
  const auto left = color_at(picture, 0.1, 0.5);
  EXPECT_NEAR(left[0], 26, 6);
  EXPECT_NEAR(left[1], 128, 6);
}

TEST(Shrink, GoesLowerUntilANoisyPictureFits) {
  Picture noise{.size = {1600, 1200}, .channels = 3};
  const std::string bytes = made_rgb(1600, 1200, 255);
  noise.bytes.assign(bytes.begin(), bytes.end());
  const std::string jpeg = encode_jpeg(noise, 95).value();
  ASSERT_GT(jpeg.size(), 1u << 20);
  const auto shrunk = shrink(jpeg, {}).value();
  EXPECT_LE(shrunk.bytes.size(), kShrunkBytes);
  EXPECT_LT(shrunk.width, 1600u);
  EXPECT_LE(shrunk.thumbnail.size(), kThumbnailBytesMax);
  EXPECT_LE(shrink(jpeg, {.bytes_max = 2000, .side_max = 400}).value().bytes.size(), 2000u);
  EXPECT_EQ(shrink(jpeg, {.bytes_max = 10}).error().code, ErrorCode::limit_exceeded);
}

TEST(Shrink, TurnsThePictureUprightAndForgetsTheCamera) {
  const std::string plain = made_jpeg({.width = 120, .height = 60});
  // Red grows to the right, green downward.
  const std::vector<std::pair<int, std::vector<int>>> corners = {
      {1, {20, 20}}, {2, {235, 20}}, {3, {235, 235}}, {4, {20, 235}},
      {5, {20, 20}}, {6, {20, 235}}, {7, {235, 235}}, {8, {235, 20}}};
  for (const bool big_endian : {false, true}) {
    for (const auto& [orientation, wanted] : corners) {
      const auto shrunk =
          shrink(with_segment(plain, made_exif(orientation, big_endian)), {.keep_location = true})
              .value();
      const Picture picture = decoded(shrunk);
      EXPECT_EQ(picture.size, orientation >= 5 ? (Size{60, 120}) : (Size{120, 60}));
      const auto corner = color_at(picture, 0.08, 0.08);
      EXPECT_NEAR(corner[0], wanted[0], 16) << orientation;
      EXPECT_NEAR(corner[1], wanted[1], 16) << orientation;
      EXPECT_EQ(shrunk.bytes.find("Exif"), std::string::npos);
      EXPECT_EQ(shrunk.taken_at, "2025-10-09T11:40:00+08:00");
      ASSERT_TRUE(shrunk.geo);
      EXPECT_NEAR(shrunk.geo->latitude, 27.83, 0.001);
      EXPECT_NEAR(shrunk.geo->longitude, 113.135, 0.001);
    }
  }
  EXPECT_FALSE(shrink(with_segment(plain, made_exif(6)), {}).value().geo);
}

TEST(Shrink, TakesExifThatIsCutOrLiesForAbsent) {
  const std::string plain = made_jpeg();
  const std::string exif = made_exif(6);
  for (std::size_t size = 10; size < exif.size(); size += 3) {
    std::string cut = exif.substr(0, size);
    cut.replace(2, 2, big(size - 2, 2));
    EXPECT_TRUE(shrink(with_segment(plain, cut), {.keep_location = true})) << size;
  }
  for (std::size_t at = 10; at < exif.size(); ++at) {
    std::string lying = exif;
    lying[at] = '\xff';
    EXPECT_TRUE(shrink(with_segment(plain, lying), {.keep_location = true})) << at;
  }
}

TEST(Shrink, LeavesNothingThatWasHiddenBehindOrInside) {
  const std::string page = "<html><script>alert(1)</script></html>";
  const std::string comment = "\xff\xfe" + big(page.size() + 2, 2) + page;
  for (const std::string& polyglot :
       {made_jpeg() + page, made_jpeg() + made_zip({{.name = "a.php"}}), made_png() + page,
        with_segment(made_jpeg(), comment), with_chunk(made_png(), "tEXt", page)}) {
    const auto shrunk = shrink(polyglot, {}).value();
    EXPECT_EQ(shrunk.bytes.find("<html>"), std::string::npos);
    EXPECT_EQ(shrunk.bytes.find("PK\x03\x04"), std::string::npos);
  }
}

TEST(Shrink, ReadsEveryFlavourOfThePictures) {
  for (const MadeJpeg& wanted :
       {MadeJpeg{.progressive = true}, MadeJpeg{.inks = true}, MadeJpeg{.ycck = true}}) {
    const auto shrunk = shrink(made_jpeg(wanted), {}).value();
    EXPECT_NEAR(color_at(decoded(shrunk), 0.9, 0.1)[0], 230, 12);
    EXPECT_NEAR(color_at(decoded(shrunk), 0.1, 0.9)[1], 230, 12);
  }
  for (const MadePng& wanted : {MadePng{}, MadePng{.deep = true}, MadePng{.interlaced = true},
                                MadePng{.deep = true, .interlaced = true}}) {
    const auto shrunk = shrink(made_png(wanted), {}).value();
    EXPECT_EQ(shrunk.mime, "image/jpeg");
    EXPECT_NEAR(color_at(decoded(shrunk), 0.9, 0.1)[0], 230, 12);
  }
  for (const bool lossless : {false, true}) {
    EXPECT_EQ(shrink(made_webp(50, 40, lossless, false), {}).value().mime, "image/jpeg");
    EXPECT_EQ(shrink(made_webp(50, 40, lossless, true), {}).value().mime, "image/webp");
  }
}

TEST(Shrink, KeepsWhatIsSeeThroughWhereItFits) {
  const auto stamp = shrink(made_png({.alpha = true}), {}).value();
  EXPECT_EQ(stamp.mime, "image/png");
  EXPECT_TRUE(is_see_through(decoded(stamp)));
  EXPECT_EQ(shrink(made_png({.palette = true}), {}).value().mime, "image/png");
  EXPECT_EQ(shrink(made_png({.alpha = true, .interlaced = true}), {}).value().mime, "image/png");
  const auto solid = shrink(made_webp(400, 300, false, true), {.bytes_max = 3000});
  ASSERT_TRUE(solid);
  EXPECT_EQ(solid->mime, "image/jpeg");
  // White where it was see-through.
  EXPECT_NEAR(color_at(decoded(*solid), 0.1, 0.1)[2], 255, 10);
}

TEST(Shrink, RefusesPicturesThatEndTooEarly) {
  const std::string jpeg = made_jpeg({.width = 200, .height = 200});
  const std::string progressive = made_jpeg({.width = 200, .height = 200, .progressive = true});
  const std::string png = made_png({.width = 200, .height = 200});
  const std::string webp = made_webp(200, 200, false, false);
  for (const std::string& whole : {jpeg, progressive, png, webp}) {
    ASSERT_EQ(rule_of(whole), "taken");
    for (std::size_t size = 0; size + 20 < whole.size(); size += 1 + whole.size() / 97) {
      EXPECT_EQ(rule_of(whole.substr(0, size)), "image_broken") << size << " of " << whole.size();
    }
  }
}

TEST(Shrink, RefusesPicturesThatAreTooLarge) {
  EXPECT_EQ(rule_of(with_size(made_jpeg(), 65'000, 65'000)), "image_pixels");
  EXPECT_EQ(rule_of(with_size(made_jpeg(), 20'001, 1)), "image_pixels");
  std::string png = made_png();
  png.replace(16, 8, big(19'000, 4) + big(19'000, 4));
  EXPECT_EQ(rule_of(png), "image_broken");  // its checksum
  EXPECT_EQ(rule_of(made_png({.width = 20'001, .height = 2})), "image_broken");
  EXPECT_EQ(rule_of(made_jpeg({.width = 12'000, .height = 11'000, .flat = true})), "image_pixels");
  EXPECT_EQ(rule_of(made_moving_webp()), "image_animated");
}

TEST(Shrink, ReadsTenThousandByTenThousandPixelsWithinItsMemory) {
  const std::string jpeg = made_jpeg({.width = 10'000, .height = 10'000, .flat = true});
  const std::string png = made_png({.width = 10'000, .height = 10'000, .flat = true});
#ifdef DUHUI_SANITIZED
  EXPECT_EQ(rule_of(jpeg), "taken");
#else
  for (const std::string& bytes : {jpeg, png}) {
    std::string rule;
    const std::int64_t peak = peak_of([&] { rule = rule_of(bytes); });
    EXPECT_EQ(rule, "taken");
    EXPECT_LT(peak, kMemoryMax);
  }
#endif
}

TEST(Shrink, RefusesWhatWouldHaveToBeHeldWhole) {
  const std::string progressive =
      made_jpeg({.width = 9000, .height = 9000, .progressive = true, .flat = true});
  const std::string interlaced =
      made_png({.width = 6000, .height = 6000, .interlaced = true, .flat = true});
  for (const std::string& bytes : {progressive, interlaced}) {
    std::string rule;
    const std::int64_t peak = peak_of([&] { rule = rule_of(bytes); });
    EXPECT_EQ(rule, "image_memory");
#ifndef DUHUI_SANITIZED
    EXPECT_LT(peak, kMemoryMax);
#else
    static_cast<void>(peak);
#endif
  }
}

TEST(Shrink, RefusesAPictureOfAThousandRefinements) {
  const std::string jpeg = made_jpeg({.width = 200, .height = 200, .progressive = true});
  EXPECT_EQ(rule_of(with_scans(jpeg, 3)), "taken");
  EXPECT_EQ(rule_of(with_scans(jpeg, 5000)), "image_broken");
}

TEST(Shrink, PassesOverPackedNotes) {
  const std::string bomb = packed(std::string(64u << 20, '\0'));
  std::string png = made_png();
  png = with_chunk(png, "iCCP", "name\0\0"s + bomb);
  png = with_chunk(png, "zTXt", "note\0\0"s + bomb);
  png = with_chunk(png, "iTXt", "note\0\1\0\0\0"s + bomb);
  std::string rule;
  const std::int64_t peak = peak_of([&] { rule = rule_of(png); });
  EXPECT_EQ(rule, "taken");
#ifndef DUHUI_SANITIZED
  EXPECT_LT(peak, 32 << 20);
#else
  static_cast<void>(peak);
#endif
}

TEST(Shrink, RefusesPixelsThatUnpackToTooMuchOrTooLittle) {
  const std::string head = made_png().substr(0, 33);
  const auto chunk = [](std::string_view name, std::string_view content) {
    return with_chunk(made_png(), name, content).substr(33, 12 + content.size());
  };
  const std::string end = chunk("IEND", "");
  EXPECT_EQ(rule_of(head + chunk("IDAT", packed("short")) + end), "image_broken");
  EXPECT_EQ(rule_of(head + chunk("IDAT", "no zlib at all") + end), "image_broken");
  // A hundred mebibytes behind the last row are never unpacked.
  const std::string much = packed(std::string(100u << 20, '\0'));
  std::string rule;
  const std::int64_t peak = peak_of([&] { rule = rule_of(head + chunk("IDAT", much) + end); });
  EXPECT_EQ(rule, "taken");
  EXPECT_LT(peak, 64 << 20);
}

}  // namespace
}  // namespace duhui::media

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <jpeglib.h>
#include <png.h>
#include <webp/encode.h>
#include <zlib.h>

#include "tests/shared/media/made_files.h"

namespace duhui::media {

using namespace std::string_literals;

std::string made_rgb(std::uint32_t width, std::uint32_t height, unsigned noise) {
  std::string out;
  out.reserve(std::size_t{width} * height * 3);
  std::uint32_t random = 1;
  for (std::uint32_t y = 0; y < height; ++y) {
    for (std::uint32_t x = 0; x < width; ++x) {
      random = random * 1664525 + 1013904223;
      const unsigned speck = noise == 0 ? 0 : (random >> 24) % noise;
      out += static_cast<char>(noise == 0 ? 128 : (x * 255 / width + speck) & 0xff);
      out += static_cast<char>(noise == 0 ? 128 : (y * 255 / height + speck) & 0xff);
      out += static_cast<char>(128);
    }
  }
  return out;
}

std::string made_jpeg(const MadeJpeg& wanted) {
  jpeg_compress_struct state{};
  jpeg_error_mgr errors{};
  state.err = jpeg_std_error(&errors);
  jpeg_create_compress(&state);
  unsigned char* out = nullptr;
  unsigned long out_bytes = 0;
  jpeg_mem_dest(&state, &out, &out_bytes);
  const bool four = wanted.inks || wanted.ycck;
  state.image_width = wanted.width;
  state.image_height = wanted.height;
  state.input_components = four ? 4 : 3;
  state.in_color_space = four ? JCS_CMYK : JCS_RGB;
  jpeg_set_defaults(&state);
  jpeg_set_quality(&state, wanted.quality, TRUE);
  if (wanted.ycck) jpeg_set_colorspace(&state, JCS_YCCK);
  if (wanted.progressive) jpeg_simple_progression(&state);
  jpeg_start_compress(&state, TRUE);
  std::string row;
  for (std::uint32_t y = 0; y < wanted.height; ++y) {
    if (y == 0 || !wanted.flat) {
      row.clear();
      for (std::uint32_t x = 0; x < wanted.width; ++x) {
        const auto level = static_cast<char>(wanted.flat ? 128 : x * 255 / wanted.width);
        row += level;
        row += static_cast<char>(wanted.flat ? 128 : y * 255 / wanted.height);
        row += static_cast<char>(128);
        if (four) row += static_cast<char>(255);
      }
    }
    auto* place = reinterpret_cast<JSAMPROW>(row.data());
    jpeg_write_scanlines(&state, &place, 1);
  }
  jpeg_finish_compress(&state);
  std::string bytes(reinterpret_cast<const char*>(out), out_bytes);
  jpeg_destroy_compress(&state);
  std::free(out);  // NOLINT(cppcoreguidelines-no-malloc)
  return bytes;
}

std::string made_exif(int orientation, bool big_endian) {
  const auto number = [&](std::uint64_t value, int bytes) {
    return big_endian ? big(value, bytes) : little(value, bytes);
  };
  const auto entry = [&](std::uint64_t tag, std::uint64_t type, std::uint64_t count,
                         const std::string& value) {
    std::string padded = value;
    padded.resize(4, '\0');
    return number(tag, 2) + number(type, 2) + number(count, 4) + padded;
  };
  // Folders at 8 (3 entries), 50 (1), 68 (4); values from 122.
  constexpr std::size_t kValues = 122;
  const std::string time = "2025:10:09 11:40:00"s + '\0';
  const auto third = [&](std::uint64_t a, std::uint64_t b, std::uint64_t c) {
    return number(a, 4) + number(1, 4) + number(b, 4) + number(1, 4) + number(c, 4) +
           number(100, 4);
  };
  std::string tiff = big_endian ? "MM\0\x2a"s : "II\x2a\0"s;
  tiff += number(8, 4);
  tiff += number(3, 2) + entry(0x0112, 3, 1, number(static_cast<unsigned>(orientation), 2)) +
          entry(0x8769, 4, 1, number(50, 4)) + entry(0x8825, 4, 1, number(68, 4)) + number(0, 4);
  tiff += number(1, 2) + entry(0x9003, 2, 20, number(kValues, 4)) + number(0, 4);
  tiff += number(4, 2) + entry(1, 2, 2, "N") + entry(2, 5, 3, number(kValues + 20, 4)) +
          entry(3, 2, 2, "E") + entry(4, 5, 3, number(kValues + 44, 4)) + number(0, 4);
  tiff += time + third(27, 49, 4800) + third(113, 8, 600);
  const std::string body = "Exif\0\0"s + tiff;
  return "\xff\xe1" + big(body.size() + 2, 2) + body;
}

std::string with_segment(std::string_view jpeg, std::string_view segment) {
  return std::string(jpeg.substr(0, 2)) + std::string(segment) + std::string(jpeg.substr(2));
}

std::string with_size(std::string jpeg, std::uint32_t width, std::uint32_t height) {
  for (const char marker : {'\xc0', '\xc2'}) {
    const std::size_t at = jpeg.find("\xff"s + marker + big(17, 2));
    if (at != std::string::npos) jpeg.replace(at + 5, 4, big(height, 2) + big(width, 2));
  }
  return jpeg;
}

std::string with_scans(std::string_view jpeg, std::size_t times) {
  const std::size_t from = jpeg.find("\xff\xda");
  const std::size_t to = jpeg.find("\xff\xc4", from);
  std::string out(jpeg.substr(0, to));
  for (std::size_t n = 0; n < times; ++n) out += jpeg.substr(from, to - from);
  return out + std::string(jpeg.substr(to));
}

std::string packed(std::string_view bytes) {
  uLongf size = compressBound(bytes.size());
  std::string out(size, '\0');
  compress2(reinterpret_cast<Bytef*>(out.data()), &size,
            reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), 9);
  out.resize(size);
  return out;
}

namespace {

void collect(png_structp png, png_bytep bytes, png_size_t size) {
  static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<char*>(bytes), size);
}
void no_flush(png_structp) {}

std::string png_row(const MadePng& wanted, std::uint32_t y) {
  std::string row;
  for (std::uint32_t x = 0; x < wanted.width; ++x) {
    if (wanted.palette) {
      row += static_cast<char>((x + y) % 3);
      continue;
    }
    const std::size_t channels = wanted.alpha ? 4 : 3;
    for (std::size_t channel = 0; channel < channels; ++channel) {
      const unsigned level = wanted.flat    ? 128
                             : channel == 3 ? (x < wanted.width / 2 ? 0 : 255)
                             : channel == 0 ? x * 255 / wanted.width
                                            : y * 255 / wanted.height;
      row += static_cast<char>(level);
      if (wanted.deep) row += static_cast<char>(level);
    }
  }
  return row;
}

}  // namespace

std::string made_png(const MadePng& wanted) {
  std::string out;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &out, collect, no_flush);
  const int type = wanted.palette ? PNG_COLOR_TYPE_PALETTE
                   : wanted.alpha ? PNG_COLOR_TYPE_RGBA
                                  : PNG_COLOR_TYPE_RGB;
  png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
  png_set_IHDR(png, info, wanted.width, wanted.height, wanted.deep ? 16 : 8, type,
               wanted.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (wanted.palette) {
    const png_color colors[3] = {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}};
    const png_byte alpha[1] = {0};
    png_set_PLTE(png, info, colors, 3);
    png_set_tRNS(png, info, alpha, 1, nullptr);
  }
  png_write_info(png, info);
  const int passes = wanted.interlaced ? png_set_interlace_handling(png) : 1;
  for (int pass = 0; pass < passes; ++pass) {
    std::string row = png_row(wanted, 0);
    for (std::uint32_t y = 0; y < wanted.height; ++y) {
      if (!wanted.flat) row = png_row(wanted, y);
      png_write_row(png, reinterpret_cast<png_const_bytep>(row.data()));
    }
  }
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return out;
}

std::string with_chunk(std::string_view png, std::string_view name, std::string_view content) {
  constexpr std::size_t kHead = 8 + 25;
  const std::string named = std::string(name) + std::string(content);
  const auto sum =
      ::crc32(0, reinterpret_cast<const Bytef*>(named.data()), static_cast<uInt>(named.size()));
  return std::string(png.substr(0, kHead)) + big(content.size(), 4) + named + big(sum, 4) +
         std::string(png.substr(kHead));
}

std::string made_webp(std::uint32_t width, std::uint32_t height, bool lossless, bool alpha) {
  std::string rgba;
  const std::string rgb = made_rgb(width, height, lossless ? 0 : 8);
  for (std::size_t at = 0; at < rgb.size(); at += 3) {
    rgba += rgb.substr(at, 3);
    rgba += static_cast<char>(alpha && at < rgb.size() / 2 ? 0 : 255);
  }
  std::uint8_t* out = nullptr;
  const auto* pixels = reinterpret_cast<const std::uint8_t*>(rgba.data());
  const int w = static_cast<int>(width);
  const int h = static_cast<int>(height);
  const std::size_t size = lossless ? WebPEncodeLosslessRGBA(pixels, w, h, 4 * w, &out)
                                    : WebPEncodeRGBA(pixels, w, h, 4 * w, 80, &out);
  std::string bytes(reinterpret_cast<char*>(out), size);
  WebPFree(out);
  return bytes;
}

std::string made_moving_webp() {
  const std::string still = made_webp(16, 16, false, false);
  const std::string head =
      "VP8X"s + little(10, 4) + little(0x02, 4) + little(15, 3) + little(15, 3);
  const std::string anim = "ANIM"s + little(6, 4) + little(0, 6);
  const std::string image = still.substr(12);
  const std::string frame = "ANMF"s + little(16 + image.size(), 4) + little(0, 6) + little(15, 3) +
                            little(15, 3) + little(1, 3) + little(0, 1) + image;
  std::string body = "WEBP" + head + anim;
  for (int n = 0; n < 1000; ++n) body += frame;
  return "RIFF" + little(body.size(), 4) + body;
}

}  // namespace duhui::media

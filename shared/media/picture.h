#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace duhui::media {

struct Size {
  std::uint32_t width = 0;
  std::uint32_t height = 0;

  std::uint64_t pixels() const { return std::uint64_t{width} * height; }
  friend bool operator==(const Size&, const Size&) = default;
};

/// A small picture in memory: rows from the top, three bytes for each pixel, four with alpha.
struct Picture {
  Size size{};
  std::size_t channels = 3;
  std::vector<std::uint8_t> bytes{};

  std::size_t row_bytes() const { return size.width * channels; }
  const std::uint8_t* row(std::uint32_t y) const { return bytes.data() + y * row_bytes(); }
};

/// `size` made smaller so that no side is over `side_max`; never larger, never without a pixel.
Size fitted(Size size, std::uint32_t side_max);

/// Takes the rows of a picture from the top and keeps a smaller one, each of whose pixels is the
/// mean of what it covers. Memory: the smaller picture and two rows.
class RowScaler {
 public:
  /// Precondition: both have pixels, `to` is not larger than `from` in any direction.
  RowScaler(Size from, Size to, std::size_t channels);

  /// Rows behind the last are ignored.
  void add(const std::uint8_t* row);
  /// Rows that did not come stay black.
  Picture take() { return std::move(picture_); }

 private:
  void squeeze(const std::uint8_t* row);
  void emit();

  /// How a pixel of a row goes into the result: into one of its pixels, and the next.
  struct Share {
    std::size_t place = 0;  // of its first byte
    float here = 0;
    float there = 0;
  };

  const Size from_;
  const std::size_t channels_;
  std::vector<Share> shares_;
  Picture picture_;
  std::vector<float> squeezed_;  // one row, as wide as the result
  std::vector<float> sums_;
  std::uint32_t rows_in_ = 0;
  std::uint32_t rows_out_ = 0;
};

/// Precondition: `to` is not larger than the picture.
Picture scaled(const Picture& picture, Size to);
/// Upright, of a picture taken with the camera turned as EXIF's orientation says (1 to 8).
Picture upright(Picture picture, int orientation);
/// Whether any pixel is less than solid.
bool is_see_through(const Picture& picture);
/// Without alpha, on white.
Picture flattened(const Picture& picture);

}  // namespace duhui::media

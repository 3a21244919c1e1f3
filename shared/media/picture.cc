#include "shared/media/picture.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

namespace duhui::media {
namespace {

constexpr float kRounded = 0.5F;

std::uint8_t byte_of(float value) {
  return static_cast<std::uint8_t>(std::clamp(value + kRounded, 0.0F, 255.0F));
}

std::uint32_t side(std::uint32_t length, std::uint32_t side_max, std::uint32_t longest) {
  const std::uint64_t scaled_length = std::uint64_t{length} * side_max / longest;
  return static_cast<std::uint32_t>(std::max<std::uint64_t>(scaled_length, 1));
}

}  // namespace

Size fitted(Size size, std::uint32_t side_max) {
  const std::uint32_t longest = std::max(size.width, size.height);
  if (longest <= side_max) return size;
  return {side(size.width, side_max, longest), side(size.height, side_max, longest)};
}

RowScaler::RowScaler(Size from, Size to, std::size_t channels)
    : from_(from), channels_(channels), picture_{.size = to, .channels = channels} {
  assert(to.width > 0 && to.height > 0 && to.width <= from.width && to.height <= from.height);
  picture_.bytes.resize(picture_.row_bytes() * to.height);
  squeezed_.resize(picture_.row_bytes());
  sums_.resize(picture_.row_bytes());
  shares_.reserve(from.width);
  const double step = static_cast<double>(to.width) / from.width;
  for (std::uint32_t x = 0; x < from.width; ++x) {
    const double left = x * step;
    const auto place = std::min(static_cast<std::uint32_t>(left), to.width - 1);
    const double here = std::min(step, place + 1 - left);
    const double there = place + 1 < to.width ? step - here : 0;
    shares_.push_back({place * channels, static_cast<float>(here), static_cast<float>(there)});
  }
}

/// The row as wide as the result.
void RowScaler::squeeze(const std::uint8_t* row) {
  std::ranges::fill(squeezed_, 0.0F);
  for (const Share& share : shares_) {
    float* const out = squeezed_.data() + share.place;
    // A colour nobody sees does not bleed into its neighbours.
    const float solid = channels_ == 4 ? static_cast<float>(row[3]) / 255.0F : 1.0F;
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      const auto level = static_cast<float>(row[channel]);
      const float value = channel == 3 ? level : level * solid;
      out[channel] += value * share.here;
      if (share.there > 0) out[channels_ + channel] += value * share.there;
    }
    row += channels_;
  }
}

void RowScaler::emit() {
  std::uint8_t* out = picture_.bytes.data() + rows_out_ * picture_.row_bytes();
  for (std::size_t at = 0; at < sums_.size(); at += channels_) {
    const float alpha = channels_ == 4 ? sums_[at + 3] : 255.0F;
    const float solid = alpha > 0 ? 255.0F / alpha : 0.0F;
    for (std::size_t channel = 0; channel < 3; ++channel) {
      out[at + channel] = byte_of(sums_[at + channel] * solid);
    }
    if (channels_ == 4) out[at + 3] = byte_of(alpha);
  }
  std::ranges::fill(sums_, 0.0F);
  ++rows_out_;
}

void RowScaler::add(const std::uint8_t* row) {
  if (rows_in_ >= from_.height) return;
  const double step = static_cast<double>(picture_.size.height) / from_.height;
  const double top = rows_in_ * step;
  const double here = std::min(step, rows_out_ + 1 - top);
  const double there = step - here;
  squeeze(row);
  for (std::size_t at = 0; at < sums_.size(); ++at) {
    sums_[at] += squeezed_[at] * static_cast<float>(here);
  }
  ++rows_in_;
  constexpr double kNothing = 1e-9;
  const bool full = rows_in_ * step >= rows_out_ + 1 - kNothing;
  if ((!full && rows_in_ < from_.height) || rows_out_ >= picture_.size.height) return;
  emit();
  for (std::size_t at = 0; there > kNothing && at < sums_.size(); ++at) {
    sums_[at] = squeezed_[at] * static_cast<float>(there);
  }
}

Picture scaled(const Picture& picture, Size to) {
  RowScaler scaler(picture.size, to, picture.channels);
  for (std::uint32_t y = 0; y < picture.size.height; ++y) scaler.add(picture.row(y));
  return scaler.take();
}

Picture upright(Picture picture, int orientation) {
  if (orientation <= 1 || orientation > 8) return picture;
  const bool turned = orientation >= 5;
  const auto [width, height] = picture.size;
  Picture out{.size = turned ? Size{height, width} : picture.size, .channels = picture.channels};
  out.bytes.resize(picture.bytes.size());
  const bool mirrored_x =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool mirrored_y =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  for (std::uint32_t y = 0; y < out.size.height; ++y) {
    for (std::uint32_t x = 0; x < out.size.width; ++x) {
      std::uint32_t from_x = turned ? y : x;
      std::uint32_t from_y = turned ? x : y;
      if (mirrored_x) from_x = width - 1 - from_x;
      if (mirrored_y) from_y = height - 1 - from_y;
      std::copy_n(picture.row(from_y) + from_x * picture.channels, picture.channels,
                  out.bytes.data() + y * out.row_bytes() + x * out.channels);
    }
  }
  return out;
}

bool is_see_through(const Picture& picture) {
  if (picture.channels != 4) return false;
  for (std::size_t at = 3; at < picture.bytes.size(); at += 4) {
    if (picture.bytes[at] != 255) return true;
  }
  return false;
}

Picture flattened(const Picture& picture) {
  if (picture.channels == 3) return picture;
  Picture out{.size = picture.size, .channels = 3};
  out.bytes.reserve(picture.size.pixels() * 3);
  for (std::size_t at = 0; at < picture.bytes.size(); at += 4) {
    const unsigned alpha = picture.bytes[at + 3];
    for (std::size_t channel = 0; channel < 3; ++channel) {
      const unsigned mixed = picture.bytes[at + channel] * alpha + 255 * (255 - alpha);
      out.bytes.push_back(static_cast<std::uint8_t>((mixed + 127) / 255));
    }
  }
  return out;
}

}  // namespace duhui::media

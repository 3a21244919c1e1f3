#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include <png.h>

#include "shared/media/image_codecs.h"
#include "shared/media/limits.h"

namespace duhui::media {
namespace {

using namespace std::string_view_literals;

/// Parts that hold no pixels: they are passed over unread, for they may be packed a thousandfold.
constexpr std::string_view kPassedOver =
    "iCCP\0zTXt\0iTXt\0tEXt\0sPLT\0eXIf\0hIST\0pCAL\0sCAL\0oFFs\0tIME\0sBIT\0bKGD\0pHYs\0"sv;
constexpr std::size_t kMessageBytes = 128;
/// For what the library keeps between rows; rows of the widest picture take under a mebibyte.
constexpr png_alloc_size_t kPartBytesMax = 1u << 20;

/// As for JPEG: nothing that needs a destructor lives in the frames that are jumped over.
struct Failure {
  std::jmp_buf back{};
  std::array<char, kMessageBytes> message{};
};

[[noreturn]] void give_up(png_structp png, png_const_charp message) {
  auto& failure = *static_cast<Failure*>(png_get_error_ptr(png));
  std::strncpy(failure.message.data(), message, kMessageBytes - 1);
  std::longjmp(failure.back, 1);
}

void hear(png_structp, png_const_charp) {}

class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {}
  ~Decoder() {
    if (png_ != nullptr)
      png_destroy_read_struct(&png_, info_ != nullptr ? &info_ : nullptr, nullptr);
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  Result<Picture> run(std::uint32_t side_max) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &failure_, give_up, hear);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) return bad_image("image_memory", "no room");
    if (!guarded(&Decoder::read_head)) return why();
    const Size whole{png_get_image_width(png_, info_), png_get_image_height(png_, info_)};
    DUHUI_CHECK_OK(check_image_size(whole));
    interlaced_ = png_get_interlace_type(png_, info_) != PNG_INTERLACE_NONE;
    if (!guarded(&Decoder::choose)) return why();
    const std::size_t channels = png_get_channels(png_, info_);
    const std::size_t row_bytes = png_get_rowbytes(png_, info_);
    if ((channels != 3 && channels != 4) || row_bytes != whole.width * channels) {
      return bad_image("image_broken", "rows of another size");
    }
    const std::size_t kept_rows = interlaced_ ? whole.height : 1;
    if (row_bytes * kept_rows > kDecoderBytesMax) {
      return bad_image("image_memory", "an interlaced picture of that size");
    }
    rows_.resize(row_bytes * kept_rows);
    for (std::size_t y = 0; interlaced_ && y < kept_rows; ++y) {
      places_.push_back(rows_.data() + y * row_bytes);
    }
    height_ = whole.height;
    scaler_.emplace(whole, fitted(whole, side_max), channels);
    if (!guarded(interlaced_ ? &Decoder::read_all : &Decoder::read_rows)) return why();
    return scaler_->take();
  }

 private:
  bool guarded(void (Decoder::*step)()) {
    if (setjmp(failure_.back) != 0) return false;
    (this->*step)();
    return true;
  }

  static void take(png_structp png, png_bytep out, png_size_t size) {
    auto& decoder = *static_cast<Decoder*>(png_get_io_ptr(png));
    if (size > decoder.rest_.size()) png_error(png, "a picture that ends too early");
    std::memcpy(out, decoder.rest_.data(), size);
    decoder.rest_.remove_prefix(size);
  }

  void read_head() {
    png_set_read_fn(png_, this, &Decoder::take);
    png_set_user_limits(png_, kImageSideMax, kImageSideMax);
    png_set_chunk_malloc_max(png_, kPartBytesMax);
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER,
                                reinterpret_cast<png_const_bytep>(kPassedOver.data()),
                                static_cast<int>(kPassedOver.size() / 5));
    png_read_info(png_, info_);
  }

  /// Eight bits for each of three colours, and alpha if there is any.
  void choose() {
    png_set_scale_16(png_);
    png_set_expand(png_);
    png_set_gray_to_rgb(png_);
    if (interlaced_) png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
  }

  void read_rows() {
    for (std::uint32_t y = 0; y < height_; ++y) {
      png_read_row(png_, rows_.data(), nullptr);
      scaler_->add(rows_.data());
    }
  }

  void read_all() {
    png_read_image(png_, places_.data());
    for (png_bytep row : places_) scaler_->add(row);
  }

  Error why() const { return bad_image("image_broken", failure_.message.data()); }

  std::string_view rest_;
  Failure failure_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  bool interlaced_ = false;
  std::uint32_t height_ = 0;
  std::vector<std::uint8_t> rows_;
  std::vector<png_bytep> places_;
  std::optional<RowScaler> scaler_;
};

class Encoder {
 public:
  explicit Encoder(const Picture& picture) : picture_(picture) {}
  ~Encoder() {
    if (png_ != nullptr) png_destroy_write_struct(&png_, info_ != nullptr ? &info_ : nullptr);
  }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  Result<std::string> run() {
    png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, &failure_, give_up, hear);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr || !guarded()) {
      return Error{ErrorCode::limit_exceeded, std::string("png: ") + failure_.message.data()};
    }
    return std::move(out_);
  }

 private:
  bool guarded() {
    if (setjmp(failure_.back) != 0) return false;
    write();
    return true;
  }

  static void put(png_structp png, png_bytep bytes, png_size_t size) {
    static_cast<Encoder*>(png_get_io_ptr(png))
        ->out_.append(reinterpret_cast<const char*>(bytes), size);
  }
  static void flush(png_structp) {}

  void write() {
    png_set_write_fn(png_, this, &Encoder::put, &Encoder::flush);
    png_set_IHDR(png_, info_, picture_.size.width, picture_.size.height, 8, PNG_COLOR_TYPE_RGBA,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png_, info_);
    for (std::uint32_t y = 0; y < picture_.size.height; ++y) png_write_row(png_, picture_.row(y));
    png_write_end(png_, nullptr);
  }

  const Picture& picture_;
  Failure failure_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::string out_;
};

}  // namespace

Result<Picture> decode_png(std::string_view bytes, std::uint32_t side_max) {
  const auto decoder = std::make_unique<Decoder>(bytes);
  return decoder->run(side_max);
}

Result<std::string> encode_png(const Picture& picture) {
  const auto encoder = std::make_unique<Encoder>(picture);
  return encoder->run();
}

}  // namespace duhui::media

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <vector>

// Wants FILE to be declared.
#include <jerror.h>
#include <jpeglib.h>

#include "shared/media/image_codecs.h"
#include "shared/media/limits.h"

namespace duhui::media {
namespace {

constexpr std::size_t kMessageBytes = JMSG_LENGTH_MAX;

/// Where the library goes when it gives up: it calls us, and we must not return to it. Nothing that
/// needs a destructor lives in the frames that are jumped over.
struct Failure {
  jpeg_error_mgr manager{};  // first: the library hands out a pointer to it
  std::jmp_buf back{};
  int code = 0;
  bool cut = false;  // data ended or was damaged, and the rest would be grey
  std::array<char, kMessageBytes> message{};
};

Failure& failure_of(j_common_ptr common) { return *reinterpret_cast<Failure*>(common->err); }

[[noreturn]] void give_up(j_common_ptr common) {
  Failure& failure = failure_of(common);
  failure.code = common->err->msg_code;
  common->err->format_message(common, failure.message.data());
  std::longjmp(failure.back, 1);
}

void hear(j_common_ptr common, int level) {
  if (level >= 0) return;
  const int code = common->err->msg_code;
  if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER) failure_of(common).cut = true;
}

void say_nothing(j_common_ptr) {}

void set_up(Failure& failure) {
  jpeg_std_error(&failure.manager);
  failure.manager.error_exit = give_up;
  failure.manager.emit_message = hear;
  failure.manager.output_message = say_nothing;
}

/// A picture of a thousand refinements takes hours.
void count_scans(j_common_ptr common) {
  const auto* decoder = reinterpret_cast<j_decompress_ptr>(common);
  if (decoder->input_scan_number <= kJpegScansMax) return;
  common->err->msg_code = JERR_BAD_PROGRESSION;
  give_up(common);
}

class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : bytes_(bytes) {
    set_up(failure_);
    state_.err = &failure_.manager;
    progress_.progress_monitor = count_scans;
  }
  ~Decoder() {
    if (made_) jpeg_destroy_decompress(&state_);
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  Result<Picture> run(std::uint32_t side_max) {
    if (!guarded(&Decoder::read_head)) return why();
    const Size whole{state_.image_width, state_.image_height};
    DUHUI_CHECK_OK(check_image_size(whole));
    const Size wanted = fitted(whole, side_max);
    choose(wanted);
    if (!guarded(&Decoder::start)) return why();
    const Size given{state_.output_width, state_.output_height};
    row_.resize(std::size_t{given.width} * static_cast<std::size_t>(state_.output_components));
    rgb_.resize(std::size_t{given.width} * 3);
    scaler_.emplace(
        given, Size{std::min(given.width, wanted.width), std::min(given.height, wanted.height)}, 3);
    if (!guarded(&Decoder::read_rows)) return why();
    if (failure_.cut) return bad_image("image_broken", "a picture that ends too early");
    return scaler_->take();
  }

 private:
  /// False: the library gave up.
  bool guarded(void (Decoder::*step)()) {
    if (setjmp(failure_.back) != 0) return false;
    (this->*step)();
    return true;
  }

  void read_head() {
    made_ = true;
    jpeg_create_decompress(&state_);
    state_.progress = &progress_;
    // It has no other way to be told; what it does not read in rows it would hold whole.
    state_.mem->max_memory_to_use = static_cast<long>(kDecoderBytesMax);
    jpeg_mem_src(&state_, reinterpret_cast<const unsigned char*>(bytes_.data()), bytes_.size());
    jpeg_read_header(&state_, TRUE);
  }

  /// The library makes it smaller by whole powers of two for next to nothing.
  void choose(Size wanted) {
    state_.scale_denom = 8;
    for (const unsigned part : {1u, 2u, 4u, 8u}) {
      state_.scale_num = part;
      if ((state_.image_width * part + 7) / 8 >= wanted.width &&
          (state_.image_height * part + 7) / 8 >= wanted.height) {
        break;
      }
    }
    const bool printed = state_.jpeg_color_space == JCS_CMYK || state_.jpeg_color_space == JCS_YCCK;
    state_.out_color_space = printed ? JCS_CMYK : JCS_RGB;
    state_.do_block_smoothing = FALSE;
  }

  void start() { jpeg_start_decompress(&state_); }

  void read_rows() {
    JSAMPROW row = row_.data();
    while (state_.output_scanline < state_.output_height) {
      if (jpeg_read_scanlines(&state_, &row, 1) != 1) give_up(common());
      scaler_->add(state_.out_color_space == JCS_CMYK ? mixed_inks() : row_.data());
    }
  }

  /// Adobe writes inks as what is left of the white.
  const std::uint8_t* mixed_inks() {
    const bool inverted = state_.saw_Adobe_marker != FALSE;
    for (std::size_t x = 0; x < state_.output_width; ++x) {
      const std::uint8_t* ink = row_.data() + 4 * x;
      const unsigned black = inverted ? ink[3] : 255u - ink[3];
      for (std::size_t channel = 0; channel < 3; ++channel) {
        const unsigned light = inverted ? ink[channel] : 255u - ink[channel];
        rgb_[3 * x + channel] = static_cast<std::uint8_t>(light * black / 255);
      }
    }
    return rgb_.data();
  }

  j_common_ptr common() { return reinterpret_cast<j_common_ptr>(&state_); }

  Error why() const {
    const bool memory =
        failure_.code == JERR_OUT_OF_MEMORY || failure_.code == JERR_NO_BACKING_STORE;
    return bad_image(memory ? "image_memory" : "image_broken", failure_.message.data());
  }

  const std::string_view bytes_;
  Failure failure_;
  jpeg_decompress_struct state_{};
  jpeg_progress_mgr progress_{};
  bool made_ = false;
  std::vector<std::uint8_t> row_;
  std::vector<std::uint8_t> rgb_;
  std::optional<RowScaler> scaler_;
};

class Encoder {
 public:
  Encoder(const Picture& picture, int quality) : picture_(picture), quality_(quality) {
    set_up(failure_);
    state_.err = &failure_.manager;
  }
  ~Encoder() {
    if (made_) jpeg_destroy_compress(&state_);
    std::free(out_);  // NOLINT(cppcoreguidelines-no-malloc): the library's own
  }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  Result<std::string> run() {
    if (!guarded()) {
      return Error{ErrorCode::limit_exceeded, std::string("jpeg: ") + failure_.message.data()};
    }
    return std::string(reinterpret_cast<const char*>(out_), out_bytes_);
  }

 private:
  bool guarded() {
    if (setjmp(failure_.back) != 0) return false;
    write();
    return true;
  }

  void write() {
    made_ = true;
    jpeg_create_compress(&state_);
    jpeg_mem_dest(&state_, &out_, &out_bytes_);
    state_.image_width = picture_.size.width;
    state_.image_height = picture_.size.height;
    state_.input_components = 3;
    state_.in_color_space = JCS_RGB;
    jpeg_set_defaults(&state_);
    jpeg_set_quality(&state_, quality_, TRUE);
    state_.optimize_coding = TRUE;
    jpeg_start_compress(&state_, TRUE);
    for (std::uint32_t y = 0; y < picture_.size.height; ++y) {
      // It only reads, but does not say so.
      JSAMPROW row = const_cast<JSAMPROW>(picture_.row(y));
      jpeg_write_scanlines(&state_, &row, 1);
    }
    jpeg_finish_compress(&state_);
  }

  const Picture& picture_;
  const int quality_;
  Failure failure_;
  jpeg_compress_struct state_{};
  bool made_ = false;
  unsigned char* out_ = nullptr;
  unsigned long out_bytes_ = 0;
};

}  // namespace

Result<Picture> decode_jpeg(std::string_view bytes, std::uint32_t side_max) {
  const auto decoder = std::make_unique<Decoder>(bytes);
  return decoder->run(side_max);
}

Result<std::string> encode_jpeg(const Picture& picture, int quality) {
  const auto encoder = std::make_unique<Encoder>(picture, quality);
  return encoder->run();
}

}  // namespace duhui::media

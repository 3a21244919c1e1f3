#include <array>

#include "shared/media/sniff_internal.h"

namespace duhui::media {
namespace {

using namespace std::string_view_literals;

/// So many in a row are no accident.
constexpr int kFramesWanted = 3;

FileType sound(std::string mime, std::string extension) {
  return {.mime = std::move(mime), .extension = std::move(extension), .kind = Kind::audio};
}

/// Bytes of the MPEG layer III frame that begins here; 0: none does.
std::size_t mp3_frame_bytes(std::string_view bytes) {
  constexpr std::array kRates1 = {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320};
  constexpr std::array kRates2 = {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160};
  constexpr std::array kSamples = {44'100, 48'000, 32'000};
  if (bytes.size() < 4 || byte_at(bytes, 0) != 0xff) return 0;
  const std::uint32_t second = byte_at(bytes, 1);
  const std::uint32_t third = byte_at(bytes, 2);
  const std::uint32_t version = second >> 3 & 3;  // 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5
  if ((second & 0xe6) != 0xe2 || version == 1) return 0;
  const std::size_t rate = third >> 4;
  const std::size_t sample = third >> 2 & 3;
  if (rate == 0 || rate == 15 || sample == 3) return 0;
  const bool one = version == 3;
  const int bits = (one ? kRates1[rate] : kRates2[rate]) * 1000;
  const int samples = kSamples[sample] / (one ? 1 : version == 2 ? 2 : 4);
  return static_cast<std::size_t>((one ? 144 : 72) * bits / samples) + (third >> 1 & 1);
}

Sniffed sniff_mp3(const Source& source, std::string_view head) {
  std::uint64_t at = 0;
  const bool tagged = head.starts_with("ID3"sv) && head.size() > 10;
  if (tagged) {
    std::uint64_t size = 0;
    for (std::size_t n = 6; n < 10; ++n) size = size << 7 | (byte_at(head, n) & 0x7f);
    at = 10 + size;
  } else if (mp3_frame_bytes(head) == 0) {
    return std::optional<FileType>{};
  }
  for (int frame = 0; frame < kFramesWanted; ++frame) {
    DUHUI_TRY(bytes, source.read(at, 4));
    const std::size_t size = mp3_frame_bytes(bytes);
    if (size == 0) {
      if (tagged) return broken("an MP3 without sound");
      return std::optional<FileType>{};
    }
    at += size;
  }
  return std::optional{sound("audio/mpeg", ".mp3")};
}

Sniffed sniff_amr(const Source& source, std::string_view head) {
  constexpr std::array<std::size_t, 16> kNarrow = {13, 14, 16, 18, 20, 21, 27, 32,
                                                   6,  0,  0,  0,  0,  0,  0,  1};
  constexpr std::array<std::size_t, 16> kWide = {18, 24, 33, 37, 41, 47, 51, 59,
                                                 61, 6,  0,  0,  0,  0,  1,  1};
  const bool narrow = head.starts_with("#!AMR\n"sv);
  const bool wide = head.starts_with("#!AMR-WB\n"sv);
  if (!narrow && !wide) return std::optional<FileType>{};
  std::uint64_t at = narrow ? 6 : 9;
  for (int frame = 0; frame < kFramesWanted; ++frame) {
    DUHUI_TRY(bytes, source.read(at, 1));
    if (bytes.empty()) return broken("an AMR without sound");
    const std::uint32_t kind = byte_at(bytes, 0) >> 3 & 0xf;
    const std::size_t size = narrow ? kNarrow[kind] : kWide[kind];
    if (size == 0 || (byte_at(bytes, 0) & 0x83) != 0) return broken("an AMR of unknown frames");
    at += size;
  }
  if (at > source.size()) return broken("an AMR that ends too early");
  return std::optional{sound(narrow ? "audio/amr" : "audio/amr-wb", ".amr")};
}

Sniffed sniff_wav(const Source& source, std::string_view head) {
  const bool one = head.starts_with("RIFF"sv) && head.size() > 20 && head.substr(8, 4) == "WAVE"sv;
  if (!one) return std::optional<FileType>{};
  const std::uint64_t told = std::uint64_t{little_32(head, 4)} + 8;
  // The last part is padded to an even length, by some writers without telling.
  if (told != source.size() && told + (told & 1) != source.size()) {
    return broken("a WAV of another length than it says");
  }
  if (head.find("fmt ") == std::string_view::npos) return broken("a WAV without its format");
  return std::optional{sound("audio/wav", ".wav")};
}

}  // namespace

Sniffed sniff_audio(const Source& source, std::string_view head) {
  auto found = sniff_wav(source, head);
  if (found && !*found) found = sniff_amr(source, head);
  if (found && !*found) found = sniff_mp3(source, head);
  return found;
}

}  // namespace duhui::media

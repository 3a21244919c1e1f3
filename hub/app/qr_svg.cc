#include "hub/app/qr_svg.h"

#include <memory>

#include <qrencode.h>

namespace duhui::hub {
namespace {

constexpr int kQuietZone = 4;  // modules, as ISO/IEC 18004 asks for
constexpr int kPixelsPerModule = 8;

struct FreeCode {
  void operator()(QRcode* code) const { QRcode_free(code); }
};

}  // namespace

Result<std::string> qr_svg(const std::string& text) {
  const std::unique_ptr<QRcode, FreeCode> code(
      QRcode_encodeString8bit(text.c_str(), 0, QR_ECLEVEL_M));
  if (!code) return Error{ErrorCode::invalid_input, "qr: too long"};
  const int width = code->width;
  const int side = width + 2 * kQuietZone;
  const auto dark = [&](int x, int y) { return (code->data[y * width + x] & 1) != 0; };

  // One path; a run of dark modules of a row is one rectangle.
  std::string path;
  for (int y = 0; y < width; ++y) {
    for (int x = 0; x < width; ++x) {
      if (!dark(x, y)) continue;
      int run = 1;
      while (x + run < width && dark(x + run, y)) ++run;
      path += "M" + std::to_string(x + kQuietZone) + " " + std::to_string(y + kQuietZone) + "h" +
              std::to_string(run) + "v1h-" + std::to_string(run) + "z";
      x += run;
    }
  }
  const std::string pixels = std::to_string(side * kPixelsPerModule);
  const std::string modules = std::to_string(side);
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + pixels + "\" height=\"" + pixels +
         "\" viewBox=\"0 0 " + modules + " " + modules +
         "\" shape-rendering=\"crispEdges\">\n<rect width=\"100%\" height=\"100%\" "
         "fill=\"#fff\"/>\n<path d=\"" +
         path + "\"/>\n</svg>\n";
}

}  // namespace duhui::hub

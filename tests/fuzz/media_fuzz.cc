// Any bytes as a file that somebody hands in: judged by content, shrunk, its bare copy made, its
// name cleaned. Whatever comes out keeps its promises.

#include <string>

#include "shared/media/bare_copy.h"
#include "shared/media/file_name.h"
#include "shared/media/limits.h"
#include "shared/media/shrink.h"
#include "shared/media/sniff.h"
#include "tests/fuzz/input.h"

namespace duhui::media {
namespace {

void check_name(std::string_view bytes) {
  const std::string name = safe_file_name(bytes);
  fuzz::require(!name.empty() && name.size() <= kFileNameBytesMax + 1, "a name has a length");
  fuzz::require(name.find_first_of("/\\") == std::string::npos && name != "." && name != "..",
                "a name leads nowhere");
  fuzz::require(safe_file_name(name) == name, "a clean name stays as it is");
  const std::string told = content_disposition(bytes, true);
  fuzz::require(told.find_first_of("\r\n") == std::string::npos, "a header is one line");
}

void run(std::string_view bytes) {
  check_name(bytes.substr(0, 300));
  const auto type = sniff(MemorySource(bytes));
  if (!type || !type->shrinks) return;
  const auto bare = bare_copy(bytes);
  if (bare) fuzz::require(bare->size() <= bytes.size() + 36, "a bare copy is no larger");
  const auto shrunk = shrink(bytes, {.bytes_max = 20'000, .side_max = 200, .keep_location = true});
  if (!shrunk) return;
  fuzz::require(shrunk->bytes.size() <= 20'000, "the budget holds");
  fuzz::require(shrunk->thumbnail.size() <= kThumbnailBytesMax, "a thumbnail is small");
  fuzz::require(shrunk->width <= 200 && shrunk->height <= 200, "no side is too long");
  const auto again = sniff(MemorySource(shrunk->bytes));
  fuzz::require(again && again->mime == shrunk->mime, "it is what it says");
}

}  // namespace
}  // namespace duhui::media

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  duhui::media::run({reinterpret_cast<const char*>(bytes), size});
  return 0;
}

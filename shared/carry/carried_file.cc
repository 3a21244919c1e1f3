#include "shared/carry/carried_file.h"

#include <utility>

namespace duhui {

Result<std::unique_ptr<CarriedFile>> CarriedFile::open(const std::string& path,
                                                       const SigningKey& receiver,
                                                       sync::v1::BundleDirection direction) {
  DUHUI_TRY(file, InBundle::open(path));
  return std::unique_ptr<CarriedFile>(new CarriedFile(std::move(file), receiver, direction));
}

Result<bool> CarriedFile::prove_more() {
  DUHUI_TRY(bytes, file_->read());
  if (!bytes.empty()) {
    DUHUI_CHECK_OK(first_.feed(bytes, [](std::string_view) { return Status(Done{}); }));
    return false;
  }
  DUHUI_CHECK_OK(first_.end());
  const auto sender = PublicKey::from_bytes(first_.opening().public_key());
  if (!sender) return Error{ErrorCode::corrupt_data, "bundle: names no sender"};
  DUHUI_CHECK_OK(first_.signed_by(*sender));
  DUHUI_CHECK_OK(file_->rewind());
  return true;
}

Result<std::optional<std::string>> CarriedFile::next_frame() {
  const Error changed{ErrorCode::corrupt_data, "bundle: changed while it was read"};
  while (frames_.empty()) {
    DUHUI_TRY(bytes, file_->read());
    if (bytes.empty()) {
      if (!second_.end() || second_.digest() != first_.digest()) return changed;
      return std::optional<std::string>{};
    }
    auto fed = second_.feed(bytes, [this](std::string_view frame) {
      frames_.emplace_back(frame);
      return Status(Done{});
    });
    // The same header seals the same key: whoever does not know it can change nothing behind it.
    const bool same = !fed || second_.header() == nullptr ||
                      second_.header()->SerializeAsString() == header().SerializeAsString();
    if (!fed || !same) return changed;
  }
  std::optional<std::string> frame = std::move(frames_.front());
  frames_.pop_front();
  return frame;
}

}  // namespace duhui

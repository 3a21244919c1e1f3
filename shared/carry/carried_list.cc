#include "shared/carry/carried_list.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "shared/carry/bundle_file.h"
#include "shared/carry/bundle_paths.h"
#include "shared/sync/bundle_format.h"

namespace duhui {
namespace {

Result<sync::v1::BundleHeader> header_of(const std::string& path) {
  DUHUI_TRY(file, InBundle::open(path));
  DUHUI_TRY(bytes, file->read());
  return peek_bundle(bytes);
}

}  // namespace

Result<std::vector<CarriedCandidate>> list_carried(const std::vector<std::string>& paths,
                                                   const PublicKey& receiver,
                                                   sync::v1::BundleDirection direction) {
  DUHUI_TRY(files, find_bundles(paths));
  const bool to_hub = direction == sync::v1::BUNDLE_DIRECTION_TO_HUB;
  std::vector<CarriedCandidate> all;
  for (std::string& path : files) {
    CarriedCandidate one{.path = std::move(path)};
    if (auto header = header_of(one.path); !header) {
      one.skipped = header.error();
    } else {
      one.header = *header;
      if (one.header.direction() != direction) {
        one.skipped = Error{ErrorCode::refused, to_hub ? "bundle: for a device, not for a hub"
                                                       : "bundle: for a hub, not for a device"};
      } else if (one.header.to() != bundle_address(receiver)) {
        one.skipped = Error{ErrorCode::refused,
                            to_hub ? "bundle: for another hub" : "bundle: for another device"};
      }
    }
    all.push_back(std::move(one));
  }
  std::ranges::stable_sort(all, [](const CarriedCandidate& a, const CarriedCandidate& b) {
    const auto key = [](const CarriedCandidate& one) {
      return std::make_tuple(!one.skipped.has_value(), one.header.made_at_ms(),
                             one.header.bundle_id(), one.header.part());
    };
    return key(a) < key(b);
  });
  return all;
}

}  // namespace duhui

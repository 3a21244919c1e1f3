#include "hub/core/file_collection.h"

#include "hub/core/blob_links.h"

namespace duhui::hub {
namespace {

/// Looked at in one go: a hub that has more clears up the rest an hour later.
constexpr std::size_t kPartsMax = 10'000;

}  // namespace

Result<std::vector<UselessPart>> find_useless_parts(HubTransaction& tx,
                                                    BlobStore& files,
                                                    BlobInventory& inventory) {
  std::vector<BlobInventory::Begun> parts;
  DUHUI_CHECK_OK(inventory.each_part([&](const BlobInventory::Begun& part) {
    parts.push_back(part);
    return parts.size() < kPartsMax;
  }));
  std::vector<UselessPart> useless;
  for (const BlobInventory::Begun& part : parts) {
    DUHUI_TRY(whole, files.size(part.sha256));
    if (!whole) continue;
    DUHUI_TRY(brought, was_brought_for(tx, part.sha256, part.record));
    const bool impossible = part.size != 0 && part.size != *whole;
    if (brought || impossible) useless.push_back({part.sha256, part.record, part.bytes});
  }
  return useless;
}

void CollectLookJob::run(StorageContext& context) {
  if (context.blobs == nullptr || context.inventory == nullptr) return;
  const auto done = context.store.read([&](HubTransaction& tx) -> Status {
    DUHUI_TRY(useless, find_useless_parts(tx, *context.blobs, *context.inventory));
    found = std::move(useless);
    return Done{};
  });
  if (!done) failed = done.error();
}

void CollectDropJob::run(StorageContext& context) {
  for (const UselessPart& part : parts) {
    // Still so: files are removed by hand, too.
    const auto whole = context.blobs->size(part.sha256);
    if (!whole || !*whole) continue;
    if (auto removed = context.inventory->remove_part(part.sha256, part.record); !removed) {
      failed = removed.error();
      return;
    }
    ++dropped;
  }
}

}  // namespace duhui::hub

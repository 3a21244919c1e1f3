#include "agent/core/named_blobs.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "agent/core/keys.h"
#include "shared/merge/file_references.h"
#include "shared/merge/schema.h"
#include "shared/sync/limits.h"

namespace duhui::agent {
namespace {

/// "u/" or "b/", a hash, a record id.
constexpr std::size_t kKeyBytes = 2 + 32 + 16;

std::optional<BlobName> name_of(std::string_view key, std::string_view value) {
  store::v1::NamedBlob blob;
  if (key.size() != kKeyBytes ||
      !blob.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
    return std::nullopt;
  }
  return blob_name(key.substr(2, 32), blob.size(), key.substr(34));
}

}  // namespace

Status NamedBlobs::name(const sync::v1::Op& op, KvBatch* batch) {
  const RecordSchema* schema = Schema::instance().find(op.record_type());
  const auto record = RecordId::from_bytes(op.record_id());
  if (schema == nullptr || !record) return Done{};
  std::vector<FileReference> found;
  for (const sync::v1::Write& write : op.writes()) {
    if (write.has_value()) append_file_references(*schema->descriptor, write.value(), &found);
  }
  for (const FileReference& one : found) {
    if (one.size > sync_limits::kBlobBytesMax) continue;
    store::v1::NamedBlob blob;
    blob.set_size(one.size);
    batch->put(keys::blob_to_send(*Digest::from_bytes(one.sha256), *record),
               blob.SerializeAsString());
  }
  return Done{};
}

Result<NamedBlobs::Waiting> NamedBlobs::waiting() {
  Waiting sum;
  auto scanned =
      store_.scan(keys::kBlobsToSend, {}, [&](std::string_view key, std::string_view value) {
        if (const auto name = name_of(key, value)) {
          store::v1::NamedBlob known;
          known.ParseFromArray(value.data(), static_cast<int>(value.size()));
          ++sum.files;
          sum.bytes += name->size - hub_bytes(*name, known);
        }
        return true;
      });
  if (!scanned) return std::move(scanned).error();
  DUHUI_CHECK_OK(store_.scan(keys::kBlobsDone, {}, [&](std::string_view, std::string_view value) {
    store::v1::NamedBlob known;
    const bool read = known.ParseFromArray(value.data(), static_cast<int>(value.size()));
    if (read && !known.has_receipt()) ++sum.refused;
    return true;
  }));
  return sum;
}

Result<std::vector<BlobName>> NamedBlobs::all_waiting() {
  std::vector<BlobName> names;
  DUHUI_CHECK_OK(
      store_.scan(keys::kBlobsToSend, {}, [&](std::string_view key, std::string_view value) {
        if (const auto name = name_of(key, value)) names.push_back(*name);
        return true;
      }));
  return names;
}

void NamedBlobs::heard(const BlobName& name, std::uint64_t hub_bytes) {
  heard_[name] = std::min(hub_bytes, name.size - 1);
}

std::uint64_t NamedBlobs::hub_bytes(const BlobName& name, const store::v1::NamedBlob& known) const {
  if (known.has_receipt()) return name.size;
  const auto at = heard_.find(name);
  return at != heard_.end() ? at->second : std::min(known.hub_bytes(), name.size - 1);
}

Status NamedBlobs::keep_heard() {
  KvBatch batch;
  for (const auto& [name, bytes] : heard_) {
    const std::string key = keys::blob_to_send(name.sha256, name.record);
    DUHUI_TRY(value, store_.get(key));
    store::v1::NamedBlob known;
    if (!value || !known.ParseFromString(*value) || known.hub_bytes() == bytes) continue;
    known.set_hub_bytes(bytes);
    batch.put(key, known.SerializeAsString());
  }
  if (!batch.empty()) DUHUI_CHECK_OK(store_.commit_unsynced(batch));
  heard_.clear();
  return Done{};
}

Result<std::optional<BlobName>> NamedBlobs::next(const std::optional<BlobName>& after) {
  std::string from;
  // The least key behind it.
  if (after) from = keys::blob_to_send(after->sha256, after->record) + '\0';
  std::optional<BlobName> found;
  auto scanned =
      store_.scan(keys::kBlobsToSend, from, [&](std::string_view key, std::string_view value) {
        found = name_of(key, value);
        return !found;
      });
  if (!scanned) return std::move(scanned).error();
  return found;
}

Result<std::vector<RecordId>> NamedBlobs::records_of(const Digest& sha256) {
  std::vector<RecordId> found;
  for (const std::string_view kind : {keys::kBlobsToSend, keys::kBlobsDone}) {
    const std::string prefix = std::string(kind) + sha256.str();
    DUHUI_CHECK_OK(store_.scan(prefix, {}, [&](std::string_view key, std::string_view) {
      if (const auto id = RecordId::from_bytes(key.substr(prefix.size()))) found.push_back(*id);
      return true;
    }));
  }
  return found;
}

Result<std::optional<store::v1::NamedBlob>> NamedBlobs::find(const Digest& sha256,
                                                             const RecordId& record) {
  for (const std::string& key :
       {keys::blob_to_send(sha256, record), keys::blob_done(sha256, record)}) {
    DUHUI_TRY(bytes, store_.get(key));
    store::v1::NamedBlob blob;
    if (bytes && blob.ParseFromString(*bytes)) return std::optional(std::move(blob));
  }
  return std::optional<store::v1::NamedBlob>{};
}

Status NamedBlobs::kept(const BlobName& name, const sync::v1::BlobReceipt& receipt) {
  store::v1::NamedBlob blob;
  *blob.mutable_receipt() = receipt;
  return done(name, blob);
}

Status NamedBlobs::refused(const BlobName& name, const std::string& why) {
  store::v1::NamedBlob blob;
  blob.set_refused(why);
  return done(name, blob);
}

Status NamedBlobs::done(const BlobName& name, const store::v1::NamedBlob& blob) {
  heard_.erase(name);
  store::v1::NamedBlob sized = blob;
  sized.set_size(name.size);
  KvBatch batch;
  batch.erase(keys::blob_to_send(name.sha256, name.record));
  batch.put(keys::blob_done(name.sha256, name.record), sized.SerializeAsString());
  return store_.commit(batch);
}

Status NamedBlobs::send_all_again(KvBatch* batch) {
  heard_.clear();
  DUHUI_TRY(begun, all_waiting());
  for (const BlobName& name : begun) {
    store::v1::NamedBlob blob;
    blob.set_size(name.size);
    batch->put(keys::blob_to_send(name.sha256, name.record), blob.SerializeAsString());
  }
  return store_.scan(keys::kBlobsDone, {}, [&](std::string_view key, std::string_view value) {
    if (const auto name = name_of(key, value)) {
      store::v1::NamedBlob blob;
      blob.set_size(name->size);
      batch->erase(std::string(key));
      batch->put(keys::blob_to_send(name->sha256, name->record), blob.SerializeAsString());
    }
    return true;
  });
}

}  // namespace duhui::agent

#include "agent/core/named_blobs.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "agent/core/keys.h"
#include "shared/crypto/signing.h"
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

bool is_receipt_for(const sync::v1::BlobReceipt& receipt,
                    const BlobName& name,
                    const std::string& hub_id,
                    const std::string& hub_key) {
  const auto key = PublicKey::from_bytes(hub_key);
  return key && receipt.hub_id() == hub_id && receipt.sha256() == name.sha256.view() &&
         receipt.size() == name.size && verify(*key, blob_statement(receipt), receipt.signature());
}

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
    blob.set_original(one.original);
    batch->put(keys::blob_to_send(*Digest::from_bytes(one.sha256), *record),
               blob.SerializeAsString());
  }
  return Done{};
}

Result<NamedBlobs::Waiting> NamedBlobs::waiting() {
  Waiting sum;
  std::vector<std::pair<BlobName, store::v1::NamedBlob>> found;
  DUHUI_CHECK_OK(
      store_.scan(keys::kBlobsToSend, {}, [&](std::string_view key, std::string_view value) {
        store::v1::NamedBlob known;
        const auto name = name_of(key, value);
        if (!name || !known.ParseFromArray(value.data(), static_cast<int>(value.size())))
          return true;
        if (known.original()) {
          ++sum.originals;
        } else {
          found.emplace_back(*name, std::move(known));
        }
        return true;
      }));
  for (const auto& [name, known] : found) {
    DUHUI_TRY(bytes, hub_bytes(name, known));
    ++sum.files;
    sum.bytes += name.size - bytes;
  }
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

Result<std::uint64_t> NamedBlobs::hub_bytes(const BlobName& name,
                                            const store::v1::NamedBlob& known) {
  if (known.has_receipt()) return name.size;
  const auto at = heard_.find(name);
  if (at != heard_.end()) return at->second;
  DUHUI_TRY(chunks, at_hub(name));
  return std::min(name.size - chunks.missing_bytes(), name.size - 1);
}

Result<std::optional<BlobName>> NamedBlobs::next(const std::optional<BlobName>& after,
                                                 bool originals) {
  std::string from;
  // The least key behind it.
  if (after) from = keys::blob_to_send(after->sha256, after->record) + '\0';
  std::optional<BlobName> found;
  auto scanned =
      store_.scan(keys::kBlobsToSend, from, [&](std::string_view key, std::string_view value) {
        found = is_original(value) == originals ? name_of(key, value) : std::nullopt;
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

Result<ChunkMap> NamedBlobs::at_hub(const BlobName& name) {
  DUHUI_TRY(bytes, store_.get(keys::blob_at_hub(name.sha256, name.record)));
  store::v1::BlobPart part;
  if (bytes && part.ParseFromString(*bytes) && part.size() == name.size) {
    if (auto known = ChunkMap::from_runs(name.size, part.runs())) return known;
  }
  return ChunkMap(name.size);
}

Status NamedBlobs::hub_has(const BlobName& name, const ChunkMap& chunks) {
  store::v1::BlobPart part;
  part.set_sha256(name.sha256.str());
  part.set_size(name.size);
  *part.mutable_runs() = chunks.runs();
  KvBatch batch;
  batch.put(keys::blob_at_hub(name.sha256, name.record), part.SerializeAsString());
  return store_.commit_unsynced(batch);
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
  DUHUI_TRY(known, find(name.sha256, name.record));
  if (known) sized.set_original(known->original());
  KvBatch batch;
  batch.erase(keys::blob_to_send(name.sha256, name.record));
  batch.erase(keys::blob_at_hub(name.sha256, name.record));
  batch.put(keys::blob_done(name.sha256, name.record), sized.SerializeAsString());
  return store_.commit(batch);
}

Status NamedBlobs::send_all_again(KvBatch* batch) {
  heard_.clear();
  DUHUI_CHECK_OK(
      store_.scan(keys::kBlobsAtHub, {}, [batch](std::string_view key, std::string_view) {
        batch->erase(std::string(key));
        return true;
      }));
  return store_.scan(keys::kBlobsDone, {}, [&](std::string_view key, std::string_view value) {
    if (const auto name = name_of(key, value)) {
      store::v1::NamedBlob blob;
      blob.set_size(name->size);
      blob.set_original(is_original(value));
      batch->erase(std::string(key));
      batch->put(keys::blob_to_send(name->sha256, name->record), blob.SerializeAsString());
    }
    return true;
  });
}

}  // namespace duhui::agent

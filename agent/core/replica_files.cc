// Which files the records on this device name.

#include "agent/core/keys.h"
#include "agent/core/replica.h"
#include "shared/domain/school_part.h"
#include "shared/merge/schema.h"

namespace duhui::agent {
namespace {

/// False: of a type that this build does not know.
bool add_files(const sync::v1::Op& op, std::set<Digest>* named) {
  const RecordSchema* schema = Schema::instance().find(op.record_type());
  if (schema == nullptr) return false;
  std::vector<FileReference> found;
  for (const sync::v1::Write& write : op.writes()) {
    append_file_references(*schema->descriptor, write.value(), &found);
  }
  for (const FileReference& one : found) named->insert(*Digest::from_bytes(one.sha256));
  return true;
}

}  // namespace

Status Replica::put_away_fetched(const BlobName& name) {
  if (!shelf_ || vault_.state() == Vault::State::none) return Done{};
  if (vault_.state() == Vault::State::locked) {
    // Who opens the vault next has everything looked at, this file among it.
    KvBatch batch;
    batch.erase(keys::put_away());
    return commit(batch);
  }
  DUHUI_TRY(state, record(name.record));
  const RecordSchema* schema = state ? Schema::instance().find(state->type()) : nullptr;
  if (schema == nullptr || !is_lockable(schema) || open_to_school(*schema, *state)) return Done{};
  DUHUI_TRY(shown, is_shown_elsewhere(name.sha256, name.record));
  return shown ? Status(Done{}) : shelf_->lock(name.sha256);
}

Result<std::optional<std::set<Digest>>> Replica::named_files() {
  std::set<Digest> named;
  bool readable = true;
  for (const std::string_view kind : {keys::kBlobsToSend, keys::kBlobsDone}) {
    DUHUI_CHECK_OK(store_.scan(kind, {}, [&](std::string_view key, std::string_view) {
      if (const auto sha256 = Digest::from_bytes(key.substr(kind.size(), 32))) {
        named.insert(*sha256);
      }
      return true;
    }));
  }
  const auto take = [&](std::string_view kept) {
    sync::v1::Op op;
    const auto exact = vault_.exact(kept);
    readable = readable && exact && op.ParseFromString(*exact) && add_files(op, &named);
  };
  DUHUI_CHECK_OK(store_.scan(keys::kRecords, {}, [&](std::string_view, std::string_view value) {
    store::v1::StoredRecord record;
    readable = readable && record.ParseFromArray(value.data(), static_cast<int>(value.size()));
    for (const store::v1::StoredOp& stored : record.ops()) take(stored.op());
    return readable;
  }));
  // What the journal brought back, and what could not be read: nobody knows what it names.
  for (const std::string_view kind : {keys::kUnnamed, keys::kQuarantine}) {
    DUHUI_CHECK_OK(store_.scan(kind, {}, [&](std::string_view, std::string_view) {
      readable = false;
      return false;
    }));
  }
  if (!readable) return std::optional<std::set<Digest>>{};
  return std::optional(std::move(named));
}

}  // namespace duhui::agent

#include "hub/core/blob_jobs.h"

#include <algorithm>

#include "hub/core/blob_links.h"
#include "hub/core/record_rules.h"
#include "shared/base/scope.h"
#include "shared/domain/school_part.h"
#include "shared/sync/limits.h"

namespace duhui::hub {
namespace {

/// What both sides know of a part; another link may have written to it as well.
void add_held(const ChunkMap& from, ChunkMap* to) {
  for (std::uint32_t chunk = 0; chunk < to->chunks(); ++chunk) {
    if (from.held(chunk)) to->hold(chunk);
  }
}

/// Whether its school may read the record, so that it may lie on the school's PC as it is.
Result<bool> is_open_there(HubTransaction& tx, OpReader& ops, const RecordRow& row) {
  const RecordSchema* schema = Schema::instance().find(row.type);
  if (!is_lockable(schema)) return true;
  DUHUI_TRY(state, ops.load(tx, row));
  return open_to_school(*schema, row.state, is_presented(*schema, state));
}

}  // namespace

void BlobLookUpJob::run(StorageContext& context) {
  if (context.blobs == nullptr) return;
  const auto done = context.store.read([&](HubTransaction& tx) -> Status {
    DUHUI_TRY(row, tx.records().get(name.record));
    const bool reads = row && std::ranges::any_of(device.scopes, [&](const std::string& granted) {
                         return scope_readable(granted, row->scope);
                       });
    if (!reads) return Done{};
    DUHUI_TRY(named, is_named_by(tx, name.sha256, name.record));
    if (!named) return Done{};
    // On its way down a file cannot be locked; a laptop locks it when it is whole, and is not the
    // inspected school's.
    if (purpose == Purpose::read && has_vault && !is_laptop(device.scopes)) {
      DUHUI_TRY(open, is_open_there(tx, context.ops, *row));
      if (!open) return Done{};
    }
    DUHUI_TRY(brought, was_brought_for(tx, name.sha256, name.record));
    DUHUI_TRY(size, context.blobs->size(name.sha256));
    if (brought && size) {
      found = *size == name.size ? Found::here : Found::unknown;
      return Done{};
    }
    found = Found::absent;
    if (purpose == Purpose::read) return Done{};
    found = Found::in_parts;
    is_whole = size.has_value();
    DUHUI_TRY(begun, context.blobs->part(name));
    part = std::move(begun);
    return Done{};
  });
  if (!done) failed = done.error();
}

void BlobWriteJob::run(StorageContext& context) {
  const auto work = [&]() -> Status {
    BlobStore& blobs = *context.blobs;
    DUHUI_TRY(size, blobs.size(name.sha256));
    overtaken = size && !was_whole;
    if (overtaken) return Done{};
    if (chunk && locked_by) {
      DUHUI_TRY(opened, VaultKey::of_device(context.hub_key, *locked_by)
                            .open_chunk(name.sha256.view(), *chunk, bytes));
      bytes = std::move(opened);
    }
    if (chunk) DUHUI_CHECK_OK(blobs.write_chunk(name, *chunk, bytes));
    DUHUI_TRY(saved, blobs.part(name));
    add_held(held, &saved.held);
    if (chunk) saved.held.hold(*chunk);
    saved.begun.clear();
    if (saved.held.complete()) {
      DUHUI_TRY(same, blobs.finish(name));
      whole = same;
      spoilt = !same;
    } else if (save) {
      DUHUI_CHECK_OK(blobs.save_part(name, saved));
    }
    return Done{};
  };
  if (auto done = work(); !done) failed = done.error();
}

void BlobPauseJob::run(StorageContext& context) {
  const auto work = [&]() -> Status {
    DUHUI_TRY(size, context.blobs->size(name.sha256));
    if (size && !was_whole) return Done{};  // it has become whole
    DUHUI_TRY(saved, context.blobs->part(name));
    const std::uint32_t before = saved.held.missing();
    add_held(part.held, &saved.held);
    if (saved.held.missing() == before && part.begun.empty()) return Done{};
    // The beginning is of the first missing chunk, or of none.
    const bool fits = saved.held.next_missing(0) == part.held.next_missing(0);
    if (fits) saved.begun = part.begun;
    return context.blobs->save_part(name, saved);
  };
  if (auto done = work(); !done) failed = done.error();
}

void BlobBroughtJob::run(StorageContext& context) {
  const auto done =
      context.store.write([&](HubTransaction& tx) { return note_brought(tx, name, by); });
  if (!done) failed = done.error();
}

void BlobReadJob::run(StorageContext& context) {
  auto read = context.blobs->read(name.sha256, std::uint64_t{chunk} * sync_limits::kChunkBytes,
                                  sync_limits::kChunkBytes);
  if (!read) {
    failed = std::move(read).error();
  } else {
    bytes = std::move(*read);
  }
}

}  // namespace duhui::hub

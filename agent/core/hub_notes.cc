#include "agent/core/hub_notes.h"

#include <optional>
#include <string>
#include <utility>

#include "agent/core/keys.h"
#include "shared/base/bytes.h"
#include "shared/sync/locked_op.h"

namespace duhui::agent {
namespace {

/// "h/", an origin, a seq.
constexpr std::size_t kKeyBytes = 2 + 16 + 8;

std::optional<HubNotes::Held> held_of(std::string_view key, std::string_view value) {
  HubNotes::Held held;
  if (key.size() != kKeyBytes ||
      !held.what.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
    return std::nullopt;
  }
  const auto origin = Origin::from_bytes(key.substr(2, 16));
  const auto record = RecordId::from_bytes(held.what.record_id());
  if (!origin || !record) return std::nullopt;
  held.dot = Dot{*origin, read_big_endian_64(key.substr(18))};
  held.record = *record;
  return held;
}

}  // namespace

Status HubNotes::keep(const Origin& origin,
                      std::uint64_t after,
                      const sync::v1::Ack& ack,
                      KvBatch* batch) {
  DUHUI_CHECK_OK(store_.scan(keys::held_stream(origin), keys::held(Dot{origin, after + 1}),
                             [&](std::string_view key, std::string_view) {
                               if (read_big_endian_64(key.substr(18)) > ack.through()) return false;
                               batch->erase(std::string(key));
                               return true;
                             }));
  for (const sync::v1::Note& note : ack.notes()) {
    const bool is_not_merged = note.kind() == sync::v1::Note::KIND_QUARANTINED ||
                               note.kind() == sync::v1::Note::KIND_ORPHAN;
    if (!is_not_merged || note.seq() <= after || note.seq() > ack.through()) continue;
    DUHUI_TRY(bytes, store_.get(keys::own_op(origin, note.seq())));
    store::v1::OwnOp own;
    sync::v1::Op op;
    // One that is not held here is shown nowhere.
    if (!bytes || !own.ParseFromString(*bytes) || !read_head(own.op(), &op)) continue;
    store::v1::HeldOp held;
    held.set_record_id(op.record_id());
    held.set_kind(note.kind());
    held.set_detail(note.detail());
    batch->put(keys::held(Dot{origin, note.seq()}), held.SerializeAsString());
  }
  return Done{};
}

Result<std::vector<HubNotes::Held>> HubNotes::all() const {
  std::vector<Held> found;
  DUHUI_CHECK_OK(store_.scan(keys::kHeld, {}, [&](std::string_view key, std::string_view value) {
    if (auto held = held_of(key, value)) found.push_back(std::move(*held));
    return true;
  }));
  return found;
}

Result<std::vector<HubNotes::Held>> HubNotes::of_record(const RecordId& record) const {
  DUHUI_TRY(found, all());
  std::erase_if(found, [&](const Held& held) { return held.record != record; });
  return found;
}

Status HubNotes::merged(const std::function<bool(const RecordId&)>& which, KvBatch* batch) {
  DUHUI_TRY(found, all());
  for (const Held& held : found) {
    if (which(held.record)) batch->erase(keys::held(held.dot));
  }
  return Done{};
}

}  // namespace duhui::agent

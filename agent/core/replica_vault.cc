// What a replica keeps locked, and for whom it opens.

#include <algorithm>
#include <map>

#include "agent/core/keys.h"
#include "agent/core/record_batch.h"
#include "agent/core/replica.h"
#include "shared/base/bytes.h"
#include "shared/domain/school_part.h"
#include "shared/sync/limits.h"
#include "shared/sync/locked_op.h"
#include "shared/sync/stream_chain.h"

namespace duhui::agent {
namespace {

constexpr std::uint32_t kPutAwayAtOnce = 256;

}  // namespace

Status Replica::load_vault() {
  DUHUI_TRY(bytes, store_.get(keys::vault()));
  sync::v1::Vault keepers;
  if (bytes && keepers.ParseFromString(*bytes)) vault_.set_keepers(std::move(keepers));
  return Done{};
}

Status Replica::keep_vault(const sync::v1::Vault& vault) {
  vault_.set_keepers(vault);
  KvBatch batch;
  batch.put(keys::vault(), vault.SerializeAsString());
  // Lost in a power cut, it is said again at the next hello.
  return commit_unsynced(batch);
}

Status Replica::unlock_vault(const SigningKey& person) {
  DUHUI_CHECK_OK(settle());
  DUHUI_CHECK_OK(vault_.unlock(person));
  DUHUI_CHECK_OK(name_waiting_blobs());
  DUHUI_CHECK_OK(open_shown_files());
  DUHUI_TRY(done, store_.get(keys::put_away()));
  return done ? Status(Done{}) : put_away_all();
}

Status Replica::name_blobs(const Dot& dot, std::string_view kept, KvBatch* batch) {
  sync::v1::Op op;
  if (auto exact = vault_.exact(std::string(kept))) {
    return op.ParseFromString(*exact) ? NamedBlobs::name(op, batch) : Status(Done{});
  }
  if (read_head(kept, &op)) batch->put(keys::unnamed(dot), op.record_id());
  return Done{};
}

Status Replica::name_waiting_blobs() {
  std::map<Dot, std::string> waiting;
  DUHUI_CHECK_OK(
      store_.scan(keys::kUnnamed, {}, [&](std::string_view key, std::string_view record) {
        const std::string_view name = key.substr(keys::kUnnamed.size());
        const auto origin = Origin::from_bytes(name.substr(0, 16));
        if (origin && name.size() == 24) {
          waiting[Dot{*origin, read_big_endian_64(name.substr(16))}] = record;
        }
        return true;
      }));
  if (waiting.empty()) return Done{};
  RecordBatch records(store_, scopes_);
  KvBatch batch;
  for (const auto& [dot, record] : waiting) {
    batch.erase(keys::unnamed(dot));
    const auto id = RecordId::from_bytes(record);
    if (!id) continue;
    DUHUI_TRY(stored, records.find(*id));
    if (stored == nullptr) continue;
    for (const store::v1::StoredOp& one : stored->ops()) {
      if (one.seq() == dot.seq && one.origin() == dot.origin.view()) {
        DUHUI_CHECK_OK(name_blobs(dot, one.op(), &batch));
      }
    }
  }
  return commit(batch);
}

std::string Replica::as_readable(const std::string& kept) const {
  auto exact = vault_.exact(kept);
  return exact ? std::move(*exact) : kept;
}

Status Replica::put_away(RecordBatch& records, const std::vector<RecordId>& ids) {
  if (vault_.state() != Vault::State::open) return Done{};
  for (const RecordId& id : ids) {
    DUHUI_TRY(stored, records.find(id));
    if (stored == nullptr) continue;
    const RecordState state = replay(*stored, vault_, origin_, state_.acknowledged());
    const RecordSchema* schema = Schema::instance().find(state.type());
    if (!is_lockable(schema)) continue;
    const bool open = schema != nullptr && open_to_school(*schema, state);
    std::vector<std::pair<Dot, std::string>> kept_otherwise;
    std::vector<FileReference> files;
    for (const store::v1::StoredOp& one : stored->ops()) {
      const auto origin = Origin::from_bytes(one.origin());
      const bool locked = is_locked(one.op());
      if (sync::v1::Op op; shelf_ && schema != nullptr && vault_.read(one.op(), &op)) {
        for (const sync::v1::Write& write : op.writes()) {
          if (!write.has_value()) continue;
          append_file_references(*schema->descriptor, write.value(), &files);
        }
      }
      // What the school has been shown it has been shown.
      if (!origin || (locked && (!open || openness(one.op()) != Openness::nothing))) continue;
      const auto exact = vault_.exact(one.op());
      sync::v1::Op op;
      if (!exact || !op.ParseFromString(*exact)) continue;
      std::string kept = vault_.keep(*exact, op, open, random_);
      if (locked != is_locked(kept) || locked) {
        kept_otherwise.emplace_back(Dot{*origin, one.seq()}, std::move(kept));
      }
    }
    for (auto& [dot, kept] : kept_otherwise) {
      DUHUI_CHECK_OK(records.keep(id, dot, std::move(kept)));
    }
    DUHUI_CHECK_OK(put_away_files(id, files, open));
  }
  return Done{};
}

Result<bool> Replica::is_shown_elsewhere(const Digest& sha256, const RecordId& than) {
  DUHUI_TRY(named_by, blobs_.records_of(sha256));
  for (const RecordId& id : named_by) {
    if (id == than) continue;
    DUHUI_TRY(state, record(id));
    const RecordSchema* schema = state ? Schema::instance().find(state->type()) : nullptr;
    if (schema == nullptr) continue;
    if (!is_lockable(schema) || open_to_school(*schema, *state)) return true;
  }
  return false;
}

void Replica::show_files() {
  for (const Digest& sha256 : to_show_) {
    // What is saved is saved; a file that stays locked now is looked at when the vault is opened.
    const Status shown = shelf_->unlock(sha256);
    static_cast<void>(shown);
  }
  to_show_.clear();
}

Status Replica::open_shown_files() {
  if (!shelf_) return Done{};
  DUHUI_TRY(locked, shelf_->locked_files());
  for (const Digest& sha256 : locked) {
    DUHUI_TRY(shown, is_shown_elsewhere(sha256, RecordId{}));
    if (!shown) continue;
    const Status done = shelf_->unlock(sha256);
    if (!done && done.error().code != ErrorCode::corrupt_data) return done;
  }
  return Done{};
}

Status Replica::put_away_files(const RecordId& id,
                               const std::vector<FileReference>& files,
                               bool open) {
  for (const FileReference& file : files) {
    const Digest sha256 = *Digest::from_bytes(file.sha256);
    // The same picture in a record that the school may read: it has it anyway.
    bool shown = open;
    if (!shown) {
      DUHUI_TRY(elsewhere, is_shown_elsewhere(sha256, id));
      shown = elsewhere;
    }
    if (shown) {
      to_show_.insert(sha256);
      continue;
    }
    const Status done = shelf_->lock(sha256);
    // A damaged file is no reason to lose what somebody wrote.
    if (!done && done.error().code != ErrorCode::corrupt_data) return done;
  }
  return Done{};
}

Status Replica::put_away_all() {
  for (RecordId after;;) {
    DUHUI_TRY(ids, find(0, after, kPutAwayAtOnce));
    RecordBatch records(store_, scopes_);
    DUHUI_CHECK_OK(put_away(records, ids));
    KvBatch batch;
    for (const RecordId& id : records.changed()) {
      DUHUI_TRY(stored, records.find(id));
      for (const store::v1::StoredOp& one : stored->ops()) {
        if (one.origin() != origin_.view() || !is_locked(one.op())) continue;
        DUHUI_TRY(bytes, store_.get(keys::own_op(origin_, one.seq())));
        store::v1::OwnOp own;
        if (!bytes || !own.ParseFromString(*bytes) || is_locked(own.op())) continue;
        own.set_op(one.op());
        batch.put(keys::own_op(origin_, one.seq()), own.SerializeAsString());
      }
    }
    records.write(batch);
    const bool last = ids.size() < kPutAwayAtOnce;
    if (last) batch.put(keys::put_away(), {});
    if (!batch.empty()) DUHUI_CHECK_OK(commit(batch));
    if (last) return Done{};
    after = ids.back();
  }
}

bool Replica::covers(const sync::v1::WalkedRecord& answer, const store::v1::StoredRecord& record) {
  return std::ranges::all_of(record.ops(), [&answer](const store::v1::StoredOp& op) {
    return std::ranges::any_of(answer.runs(), [&op](const sync::v1::Batch& run) {
      return run.origin() == op.origin() && run.first_seq() <= op.seq() &&
             op.seq() - run.first_seq() < run.count();
    });
  });
}

bool Replica::waits_for_ack(const store::v1::StoredRecord& record) const {
  return std::ranges::any_of(record.ops(), [this](const store::v1::StoredOp& op) {
    return op.origin() == origin_.view() && op.seq() > state_.acknowledged();
  });
}

Result<std::vector<Replica::HalfOpen>> Replica::half_open() {
  std::vector<RecordId> ids;
  auto scanned = store_.scan(keys::kHalfOpen, {}, [&](std::string_view key, std::string_view) {
    const auto id = RecordId::from_bytes(key.substr(keys::kHalfOpen.size()));
    if (id) ids.push_back(*id);
    return true;
  });
  if (!scanned) return std::move(scanned).error();
  std::vector<HalfOpen> found;
  KvBatch settled;
  RecordBatch records(store_, scopes_);
  for (const RecordId& id : ids) {
    DUHUI_TRY(stored, records.find(id));
    const bool locked =
        stored != nullptr && std::ranges::any_of(stored->ops(), [](const store::v1::StoredOp& op) {
          return openness(op.op()) == Openness::nothing;
        });
    if (!locked) {
      settled.erase(keys::half_open(id));  // opened here in the meantime
    } else if (!waits_for_ack(*stored)) {
      found.push_back({id, stored->scope()});
    }
  }
  if (!settled.empty()) DUHUI_CHECK_OK(commit_unsynced(settled));
  return found;
}

}  // namespace duhui::agent

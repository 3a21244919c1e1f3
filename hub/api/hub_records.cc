#include "hub/api/hub_records.h"

#include <iterator>
#include <utility>

#include "hub/core/domain_rules.h"

namespace duhui::hub {
namespace {

/// Intents saved in one transaction; their ops also share one batch, whose raw size is limited.
constexpr std::size_t kSavedTogetherBytesMax = 600 << 10;
constexpr std::size_t kSavedTogetherMax = 1000;

std::size_t bytes_of(const Intent& intent) {
  std::size_t bytes = 256;
  for (const IntendedWrite& write : intent.writes) {
    bytes += 64 + write.key.key.size() + (write.value ? write.value->size() : 0);
  }
  return bytes;
}

api::RecordRow row_of(const RecordRow& stored) {
  return {.id = stored.id,
          .type = stored.type,
          .scope = stored.scope,
          .state = stored.state,
          .date = stored.date,
          .school_id = stored.school_id,
          .open_conflicts = stored.open_conflicts,
          .deleted = stored.deleted};
}

}  // namespace

Result<std::optional<RecordState>> HubRecords::state(const RecordId& id) {
  std::optional<RecordState> found;
  DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader& ops) -> Status {
    found.reset();
    DUHUI_TRY(row, tx.records().get(id));
    if (!row) return Done{};
    DUHUI_TRY(state, ops.load(tx, *row));
    found = std::move(state);
    return Done{};
  }));
  return found;
}

Result<std::vector<api::RecordRow>> HubRecords::list(const api::RecordQuery& query) {
  std::vector<api::RecordRow> found;
  DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
    found.clear();
    RecordTable::Query wanted{.type = query.type,
                              .scope_prefix = {},
                              .school_id = query.school_id,
                              .state = query.state,
                              .date_from = query.date_from,
                              .date_to = query.date_to,
                              .only_conflicts = query.only_conflicts,
                              .after = query.after,
                              .limit = query.limit};
    // Records that are still hidden shells do not count.
    for (;;) {
      DUHUI_TRY(rows, tx.records().find(wanted));
      for (const RecordRow& row : rows) {
        if (row.born && found.size() < query.limit) found.push_back(row_of(row));
      }
      if (rows.size() < wanted.limit || found.size() >= query.limit) return Done{};
      wanted.after = rows.back().id;
    }
  }));
  return found;
}

Result<std::vector<RecordId>> HubRecords::linked_to(std::string_view name, std::string_view to) {
  std::vector<RecordId> found;
  DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
    DUHUI_TRY(ids, tx.records().linked_to(name, to));
    found = std::move(ids);
    return Done{};
  }));
  return found;
}

Result<std::vector<Dot>> HubRecords::save(std::vector<Intent> intents) {
  std::vector<Dot> dots;
  for (std::size_t from = 0; from < intents.size();) {
    std::size_t end = from;
    for (std::size_t bytes = 0; end < intents.size() && end - from < kSavedTogetherMax; ++end) {
      bytes += bytes_of(intents[end]);
      if (end > from && bytes > kSavedTogetherBytesMax) break;
    }
    const auto first = intents.begin() + static_cast<std::ptrdiff_t>(from);
    const auto last = intents.begin() + static_cast<std::ptrdiff_t>(end);
    DUHUI_TRY(saved, hub_.save({std::make_move_iterator(first), std::make_move_iterator(last)}));
    dots.insert(dots.end(), saved.begin(), saved.end());
    from = end;
  }
  return dots;
}

std::string HubRecords::seen_token(const RecordId& id, const RecordState& state) {
  Dot own{hub_.facts().origin, 0};
  const Status read = hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
    DUHUI_TRY(stream, tx.streams().get(own.origin));
    own.seq = stream ? stream->head : 0;
    return Done{};
  });
  // Without the head, later edits of the same person here count as seen: what they would anyway.
  if (!read) own.seq = 0;
  return make_seen_token(id, state, own);
}

RecordId HubRecords::mint_id() { return mint_record_id(hub_.now(), hub_.random()); }

api::SourceFacts HubRecords::facts() {
  if (root_scope_.empty()) {
    const Status read = hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
      DUHUI_TRY(root, tx.settings().get(kRootScopeKey));
      root_scope_ = root.value_or("");
      return Done{};
    });
    if (!read) root_scope_.clear();
  }
  return {
      .now = hub_.now(), .origin = hub_.facts().origin, .root_scope = root_scope_, .scopes = {}};
}

}  // namespace duhui::hub

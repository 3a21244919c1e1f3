#include "hub/core/decisions.h"

namespace duhui::hub {

void DecideJob::run(StorageContext& context) {
  const std::uint64_t hlc_before = hlc;
  const auto done = context.store.write([&](HubTransaction& tx) -> Status {
    hlc = hlc_before;
    decided = {};
    Ingest ingest(tx, context.ops, context.rules, context.hub_key, now);
    for (const Dot& dot : dots) {
      DUHUI_TRY(row, tx.review().quarantined(dot));
      if (!row || row->kind == kSetAsideKind) {
        decided.left.emplace_back(dot, row ? row->kind : std::string());
      } else if (decision == Decision::set_aside) {
        row->detail = row->kind + ": " + row->detail + " (" + person + ")";
        row->kind = kSetAsideKind;
        DUHUI_CHECK_OK(tx.review().add_quarantine(*row));
        ++decided.done;
      } else if (row->kind != kRevokedKind) {
        decided.left.emplace_back(dot, row->kind);
      } else {
        DUHUI_TRY(merged, ingest.accept(*row));
        if (merged) {
          ++decided.done;
        } else {
          DUHUI_TRY(after, tx.review().quarantined(dot));
          decided.left.emplace_back(dot, after ? after->kind : std::string());
        }
      }
    }
    DUHUI_CHECK_OK(ingest.finish(origin, hlc));
    grown = ingest.grown_feeds();
    return Done{};
  });
  if (!done) {
    context.ops.clear();
    failed = done.error();
  }
}

}  // namespace duhui::hub

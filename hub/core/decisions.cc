#include "hub/core/decisions.h"

#include "hub/core/audit.h"

namespace duhui::hub {

AuditEntry decision_entry(Decision decision,
                          const Dot& dot,
                          std::string_view kind,
                          const std::string& person,
                          WallTime at) {
  return {.at = at,
          .actor = person,
          .action = decision == Decision::accept ? "quarantine.accept" : "quarantine.set_aside",
          .target_type = "op",
          .target_id = to_string(dot),
          .outcome = "done",
          .detail = "kind=" + std::string(kind)};
}

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
        DUHUI_CHECK_OK(append_audit(tx, decision_entry(decision, dot, row->kind, person, now)));
        row->detail = row->kind + ": " + row->detail + " (" + person + ")";
        row->kind = kSetAsideKind;
        DUHUI_CHECK_OK(tx.review().add_quarantine(*row));
        ++decided.done;
      } else if (row->kind != kRevokedKind) {
        decided.left.emplace_back(dot, row->kind);
      } else {
        DUHUI_TRY(merged, ingest.accept(*row));
        if (merged) {
          DUHUI_CHECK_OK(append_audit(tx, decision_entry(decision, dot, row->kind, person, now)));
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

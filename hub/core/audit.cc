#include "hub/core/audit.h"

#include <utility>

#include "shared/crypto/audit_chain.h"

namespace duhui::hub {

Status append_audit(HubTransaction& tx, AuditEntry entry) {
  DUHUI_TRY(head, tx.audit().head());
  AuditRow row{.seq = head.seq + 1, .entry = fit_for_audit(std::move(entry)), .chain = {}};
  row.chain =
      extend_audit_chain(head.seq == 0 ? empty_audit_chain() : head.chain, row.seq, row.entry);
  return tx.audit().append(row);
}

Result<AuditCheckpoint> sign_audit(HubTransaction& tx,
                                   const HubId& hub,
                                   const SigningKey& key,
                                   WallTime now) {
  DUHUI_TRY(head, tx.audit().head());
  if (head.seq == 0) return AuditCheckpoint{};
  DUHUI_TRY(signed_before, tx.audit().checkpoints(head.seq - 1, 1));
  if (!signed_before.empty()) return signed_before.front();
  AuditCheckpoint checkpoint{
      .seq = head.seq,
      .chain = head.chain,
      .at = now,
      .signature = key.sign(audit_head_statement(hub.view(), head.seq, head.chain, now))};
  DUHUI_CHECK_OK(tx.audit().add_checkpoint(checkpoint));
  return checkpoint;
}

bool holds(const AuditCheckpoint& checkpoint, const HubId& hub, const PublicKey& key) {
  return checkpoint.chain.size() == 32 &&
         verify(key,
                audit_head_statement(hub.view(), checkpoint.seq, checkpoint.chain, checkpoint.at),
                checkpoint.signature);
}

}  // namespace duhui::hub

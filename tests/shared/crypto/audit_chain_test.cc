#include "shared/crypto/audit_chain.h"

#include <vector>

#include <gtest/gtest.h>

namespace duhui {
namespace {

AuditEntry entry() {
  return {.at = WallTime{1'760'000'000'000},
          .actor = "operator",
          .device = "",
          .action = "ticket.create",
          .target_type = "ticket",
          .target_id = "ab12",
          .outcome = "done",
          .detail = "uses=1"};
}

TEST(AuditChain, ChangesWithEveryPartOfAnEntryAndWithWhatCameBefore) {
  const std::string chain = extend_audit_chain(empty_audit_chain(), 1, entry());
  EXPECT_EQ(chain.size(), 32u);
  std::vector<AuditEntry> others(8, entry());
  others[0].at.ms += 1;
  others[1].actor += "x";
  others[2].device += "x";
  others[3].action += "x";
  others[4].target_type += "x";
  others[5].target_id += "x";
  others[6].outcome += "x";
  others[7].detail += "x";
  for (const AuditEntry& other : others) {
    EXPECT_NE(extend_audit_chain(empty_audit_chain(), 1, other), chain);
  }
  EXPECT_NE(extend_audit_chain(empty_audit_chain(), 2, entry()), chain);
  EXPECT_NE(extend_audit_chain(chain, 1, entry()), chain);
}

TEST(AuditChain, TellsApartWhatOnlyMovedFromOneTextToTheNext) {
  AuditEntry left = entry(), right = entry();
  left.target_type = "ticketa", left.target_id = "b12";
  right.target_type = "ticket", right.target_id = "ab12";
  EXPECT_NE(audit_bytes(1, left), audit_bytes(1, right));
}

TEST(AuditChain, MakesAnyTextFitForALog) {
  AuditEntry wild = entry();
  wild.actor = std::string(5000, 'a');
  wild.detail = "督导\n\xff\xc0\xed\xa0\x80 \x7f";
  wild.target_id = std::string(199, 'x') + "督";
  const AuditEntry fitting = fit_for_audit(wild);
  EXPECT_EQ(fitting.actor, std::string(200, 'a'));
  EXPECT_EQ(fitting.detail, "督导?????? ?");
  EXPECT_EQ(fitting.target_id, std::string(199, 'x'));
  EXPECT_EQ(fit_for_audit(fitting), fitting);
  EXPECT_EQ(fit_for_audit(entry()), entry());
}

}  // namespace
}  // namespace duhui

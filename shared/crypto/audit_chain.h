#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shared/base/audit_entry.h"

namespace duhui {

/// H(0) of every audit log.
std::string empty_audit_chain();

/// The bytes of entry `seq` that are hashed: each text behind its length, so that no two entries
/// have the same.
std::string audit_bytes(std::uint64_t seq, const AuditEntry& entry);

/// H(n) = SHA-256(H(n-1) || bytes of entry n). `chain`: 32 bytes.
std::string extend_audit_chain(std::string_view chain, std::uint64_t seq, const AuditEntry& entry);

/// The bytes that the keeper of a log (16 bytes: a hub, a device) signs: its newest entry is `seq`.
std::string audit_head_statement(std::string_view keeper,
                                 std::uint64_t seq,
                                 std::string_view chain,
                                 WallTime at);

/// The entry as a log may keep it: texts cut to a few hundred bytes of valid UTF-8, so that no
/// caller can make an append fail, and what is exported reads back as the same bytes.
AuditEntry fit_for_audit(AuditEntry entry);

}  // namespace duhui

#include "shared/crypto/audit_chain.h"

#include <utility>

#include "shared/base/bytes.h"
#include "shared/crypto/digest.h"

namespace duhui {
namespace {

constexpr std::size_t kTextMax = 200;
constexpr std::size_t kDetailMax = 500;

/// Bytes of the character that begins `text`; 0: none does.
std::size_t character_size(std::string_view text) {
  const auto at = [&](std::size_t n) { return static_cast<unsigned char>(text[n]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return 0;
  for (std::size_t n = 1; n < size; ++n) {
    if ((at(n) & 0xc0) != 0x80) return 0;
  }
  const unsigned char second = at(1);
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool beyond = (lead == 0xed && second >= 0xa0) || (lead == 0xf4 && second >= 0x90);
  return overlong || beyond ? 0 : size;
}

void fit(std::string& text, std::size_t max) {
  std::string fitting;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character_size(std::string_view(text).substr(at));
    const auto byte = static_cast<unsigned char>(text[at]);
    const bool shown = size > 0 && byte >= 0x20 && byte != 0x7f;
    if (fitting.size() + (shown ? size : 1) > max) break;
    fitting += shown ? text.substr(at, size) : "?";
    at += size > 0 ? size : 1;
  }
  text = std::move(fitting);
}

}  // namespace

std::string empty_audit_chain() { return std::string(32, '\0'); }

std::string audit_bytes(std::uint64_t seq, const AuditEntry& entry) {
  std::string bytes = "duhui audit v1\n";
  append_big_endian_64(bytes, seq);
  append_big_endian_64(bytes, static_cast<std::uint64_t>(entry.at.ms));
  for (const std::string* text : {&entry.actor, &entry.device, &entry.action, &entry.target_type,
                                  &entry.target_id, &entry.outcome, &entry.detail}) {
    append_big_endian_32(bytes, static_cast<std::uint32_t>(text->size()));
    bytes += *text;
  }
  return bytes;
}

std::string extend_audit_chain(std::string_view chain, std::uint64_t seq, const AuditEntry& entry) {
  return sha256(chain, audit_bytes(seq, entry)).str();
}

std::string audit_head_statement(std::string_view keeper,
                                 std::uint64_t seq,
                                 std::string_view chain,
                                 WallTime at) {
  std::string bytes = "duhui audit head v1\n";
  bytes.append(keeper);
  append_big_endian_64(bytes, seq);
  bytes.append(chain);
  append_big_endian_64(bytes, static_cast<std::uint64_t>(at.ms));
  return bytes;
}

AuditEntry fit_for_audit(AuditEntry entry) {
  for (std::string* text : {&entry.actor, &entry.device, &entry.action, &entry.target_type,
                            &entry.target_id, &entry.outcome}) {
    fit(*text, kTextMax);
  }
  fit(entry.detail, kDetailMax);
  return entry;
}

}  // namespace duhui

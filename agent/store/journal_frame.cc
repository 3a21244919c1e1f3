#include "agent/store/journal_frame.h"

#include <optional>

#include "shared/base/bytes.h"
#include "shared/base/check.h"

namespace duhui::agent {
namespace {

// Not UTF-8, so that it is rare inside of what people type.
constexpr std::string_view kMark = "\xd5\x48\x9a\x4a";
constexpr std::size_t kHeadSize = 12;  // mark, length, checksum
constexpr std::size_t kNameSize = 24;  // origin, seq
constexpr std::size_t kChainSize = 32;

/// The payload of the frame at the start of `bytes`. Empty optional: no whole frame begins here.
std::optional<std::string_view> take_payload(std::string_view bytes) {
  if (bytes.size() < kHeadSize || !bytes.starts_with(kMark)) return std::nullopt;
  const std::size_t length = read_big_endian_32(bytes.substr(4));
  if (length < kNameSize + kChainSize || length > kJournalFrameMax) return std::nullopt;
  if (length > bytes.size() - kHeadSize) return std::nullopt;
  const std::string_view payload = bytes.substr(kHeadSize, length);
  if (read_big_endian_32(bytes.substr(8)) != crc32c(payload)) return std::nullopt;
  return payload;
}

}  // namespace

void append_frame(std::string& out, const Journal::Entry& entry) {
  DUHUI_CHECK(entry.chain.size() == kChainSize);
  std::string payload;
  payload.reserve(kNameSize + kChainSize + entry.op.size());
  payload += entry.dot.origin.view();
  append_big_endian_64(payload, entry.dot.seq);
  payload += entry.chain;
  payload += entry.op;
  out += kMark;
  append_big_endian_32(out, static_cast<std::uint32_t>(payload.size()));
  append_big_endian_32(out, crc32c(payload));
  out += payload;
}

std::uint64_t read_frames(std::string_view bytes,
                          const std::function<void(const Journal::Entry&)>& visit) {
  std::uint64_t damaged_ranges = 0;
  bool in_damage = false;
  while (!bytes.empty()) {
    const auto payload = take_payload(bytes);
    if (!payload) {
      if (!in_damage) ++damaged_ranges;
      in_damage = true;
      const auto next = bytes.find(kMark, 1);
      bytes.remove_prefix(next == std::string_view::npos ? bytes.size() : next);
      continue;
    }
    in_damage = false;
    visit({.dot = {.origin = *Origin::from_bytes(payload->substr(0, 16)),
                   .seq = read_big_endian_64(payload->substr(16))},
           .op = payload->substr(kNameSize + kChainSize),
           .chain = payload->substr(kNameSize, kChainSize)});
    bytes.remove_prefix(kHeadSize + payload->size());
  }
  return damaged_ranges;
}

}  // namespace duhui::agent

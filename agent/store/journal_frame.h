#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "agent/ports/journal.h"

namespace duhui::agent {

/// An op may hold an attachment's thumbnail; nothing a person types comes near.
constexpr std::size_t kJournalFrameMax = 16 << 20;

/// Appends the frame of `entry` to `out`: mark, length, CRC-32C, bytes (docs/storage.md).
void append_frame(std::string& out, const Journal::Entry& entry);

/// Visits every whole frame of `bytes` in order. After damage, reading goes on at the next mark
/// that begins a whole frame. Returns the number of damaged ranges.
std::uint64_t read_frames(std::string_view bytes,
                          const std::function<void(const Journal::Entry&)>& visit);

}  // namespace duhui::agent

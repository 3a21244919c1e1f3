#pragma once

#include <cstdint>

namespace duhui::hub {

/// What a device has sent and fetched of files since the hub started. Plain numbers that only grow.
struct FileCounters {
  std::uint64_t pieces_received = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t pieces_sent = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t receipts = 0;  // signed; a file may be signed for more than once
  std::uint64_t refused = 0;   // offers and requests that were not answered with the file

  FileCounters& operator+=(const FileCounters& other) {
    pieces_received += other.pieces_received;
    bytes_received += other.bytes_received;
    pieces_sent += other.pieces_sent;
    bytes_sent += other.bytes_sent;
    receipts += other.receipts;
    refused += other.refused;
    return *this;
  }
};

}  // namespace duhui::hub

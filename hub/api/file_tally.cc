#include "hub/api/file_tally.h"

#include <nlohmann/json.hpp>

#include "shared/api/time_text.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

constexpr Duration kCountAgain = minutes(1);

}  // namespace

Json counters_json(const FileCounters& counters) {
  return {{"pieces_received", counters.pieces_received},
          {"bytes_received", counters.bytes_received},
          {"pieces_sent", counters.pieces_sent},
          {"bytes_sent", counters.bytes_sent},
          {"receipts", counters.receipts},
          {"refused", counters.refused}};
}

Status FileTally::count() {
  const MonotonicTime now = hub_.monotonic();
  if (counted_ && now - counted_->at < kCountAgain) return Done{};
  Counted sum;
  sum.at = now;
  sum.wall = hub_.now();
  if (BlobInventory* files = hub_.files_at_rest().inventory; files != nullptr) {
    DUHUI_CHECK_OK(files->each_whole([&](const BlobInventory::Whole& file) {
      ++sum.whole;
      sum.bytes += file.size;
      return true;
    }));
    DUHUI_CHECK_OK(files->each_part([&](const BlobInventory::Begun& part) {
      ++sum.parts;
      sum.part_bytes += part.bytes;
      return true;
    }));
  }
  counted_ = sum;
  return Done{};
}

Result<Json> FileTally::json() {
  DUHUI_CHECK_OK(count());
  FileCounters all;
  for (const auto& [device, counters] : hub_.file_counters()) all += counters;
  return Json{{"whole", counted_->whole},
              {"bytes", counted_->bytes},
              {"parts", counted_->parts},
              {"part_bytes", counted_->part_bytes},
              {"counted_at", api::time_text(counted_->wall)},
              {"counters", counters_json(all)}};
}

}  // namespace duhui::hub

#include "agent/api/transfer_json.h"

#include <optional>

#include <nlohmann/json.hpp>

#include "agent/api/agent_api.h"
#include "shared/api/time_text.h"

namespace duhui::agent {
namespace {

using Json = nlohmann::json;

Json counters_json(const TransferCounters& counters) {
  return {{"batches_sent", counters.batches_sent},
          {"ops_sent", counters.ops_sent},
          {"op_receipts", counters.op_receipts},
          {"pieces_sent", counters.pieces_sent},
          {"piece_bytes_sent", counters.piece_bytes_sent},
          {"piece_bytes_resent", counters.piece_bytes_resent},
          {"pieces_received", counters.pieces_received},
          {"piece_bytes_received", counters.piece_bytes_received},
          {"file_receipts", counters.file_receipts},
          {"files_refused", counters.files_refused},
          {"files_postponed", counters.files_postponed},
          {"files_fetched", counters.files_fetched},
          {"fetches_failed", counters.fetches_failed}};
}

Json bytes_json(const ByteBudget::Bytes& bytes) {
  return {{"text", bytes.text},
          {"thumbnails", bytes.thumbnails},
          {"files", bytes.files},
          {"carrying", bytes.carrying},
          {"total", bytes.total()}};
}

std::string month_text(std::uint32_t month) {
  std::string text = std::to_string(month);
  return text.insert(4, "-");
}

struct Words {
  const char* state;
  const char* zh;
  const char* en;
};

Words words_of(const ByteBudget& budget) {
  if (budget.is_free()) {
    return {"free_road", "现在的网络不计流量", "this network is free: nothing counts"};
  }
  if (budget.limit() == 0) return {"no_limit", "不限流量", "no limit"};
  if (budget.files_may_go()) {
    return {"within", "流量够用：文字在先，缩略图随文字，文件在后",
            "within the limit: text first, thumbnails with it, files after"};
  }
  return {"used_up", "本月流量已用完：文字和缩略图照常送，照片和文件等下月或免费网络，已安全存本机",
          "the month's bytes are used up: text and thumbnails go on; photos and documents wait for "
          "the next month or a free network, safe on this device"};
}

Json month_json(const ByteBudget& budget) {
  const Words words = words_of(budget);
  Json month = bytes_json(budget.used());
  month["month"] = budget.month() == 0 ? Json() : Json(month_text(budget.month()));
  month["limit"] = budget.limit();
  month["files_may_go"] = budget.files_may_go();
  month["state"] = words.state;
  month["words"] = {{"zh", words.zh}, {"en", words.en}};
  return month;
}

/// Files that are to be sent and lie nowhere on this device: another one may bring them.
Result<std::uint64_t> files_absent(Replica& replica) {
  std::uint64_t absent = 0;
  if (replica.files() == nullptr) return absent;
  DUHUI_TRY(waiting, replica.blobs().all_waiting());
  for (const BlobName& name : waiting) {
    DUHUI_TRY(size, replica.files()->size(name.sha256));
    if (size != name.size) ++absent;
  }
  return absent;
}

}  // namespace

Result<Json> transfer_json(Replica& replica, const LinkFacts& link) {
  DUHUI_TRY(waiting, replica.blobs().waiting());
  DUHUI_TRY(absent, files_absent(replica));
  std::optional<WallTime> last;
  for (const LinkFacts::OfRoad& road : link.roads) {
    if (road.last_success && (!last || *last < *road.last_success)) last = road.last_success;
  }
  const Traffic& traffic = replica.traffic();
  const WallTime heard{static_cast<std::int64_t>(replica.state().hub_seen_ms())};
  return Json{{"ops_waiting", replica.unacknowledged()},
              {"files_waiting", waiting.files},
              {"bytes_waiting", waiting.bytes},
              {"originals_waiting", waiting.originals},
              {"files_absent", absent},
              {"files_refused", waiting.refused},
              {"road", link.road.empty() ? Json() : Json(link.road)},
              {"network", link.network.empty() ? Json() : Json(link.network)},
              {"last_success", last ? Json(api::time_text(*last)) : Json()},
              {"hub_heard_at", heard.ms == 0 ? Json() : Json(api::time_text(heard))},
              {"month", month_json(traffic.budget())},
              {"free_bytes", bytes_json(traffic.budget().free_bytes())},
              {"counters", counters_json(replica.traffic().counters())}};
}

}  // namespace duhui::agent

#include "hub/api/verification.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "hub/api/audit_desk.h"
#include "hub/core/blob_links.h"
#include "hub/core/file_collection.h"
#include "shared/base/bytes.h"
#include "shared/crypto/signing.h"
#include "shared/merge/file_references.h"
#include "shared/merge/schema.h"
#include "shared/sync/stamps.h"
#include "shared/sync/stream_chain.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

constexpr std::uint32_t kRecordsAtOnce = 500;
constexpr std::size_t kProblemsMax = 100;

/// One run. Reads in pages, so that no transaction stays open long.
class Verification {
 public:
  explicit Verification(HubAccess& hub) : hub_(hub) {}

  Json run() {
    const Status database = hub_.check_database();
    if (!database) tell("database: " + database.error().detail);
    check(streams());
    check(scopes());
    check(audit());
    check(files());
    return {{"ok", problems_.empty()},
            {"database", database ? "ok" : to_string(database.error())},
            {"streams", streams_},
            {"batches", batches_},
            {"ops", ops_},
            {"scopes", scopes_},
            {"records", records_},
            {"audit", audited_},
            {"files", files_},
            {"problems", problems_}};
  }

 private:
  void tell(std::string problem) {
    if (problems_.size() < kProblemsMax) problems_.push_back(std::move(problem));
  }
  void check(const Status& done) {
    if (!done) tell(to_string(done.error()));
  }

  Status streams() {
    struct Known {
      StreamRow stream;
      std::string public_key;  // empty: the hub's own
    };
    std::vector<Known> all;
    DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
      all.clear();
      DUHUI_TRY(devices, tx.devices().all());
      devices.push_back(DeviceRow{});  // the zero device: the hub's own streams
      for (const DeviceRow& device : devices) {
        DUHUI_TRY(rows, tx.streams().of_device(device.id));
        for (StreamRow& row : rows) all.push_back({std::move(row), device.public_key});
      }
      return Done{};
    }));
    for (const Known& known : all) {
      ++streams_;
      DUHUI_CHECK_OK(stream(known.stream, known.public_key));
    }
    return Done{};
  }

  Status stream(const StreamRow& row, const std::string& public_key) {
    const std::string name = "stream " + to_hex(row.origin.view());
    const auto key = PublicKey::from_bytes(public_key);
    std::string chain = empty_chain();
    for (std::uint64_t seq = 1; seq <= row.head;) {
      if (hub_.stopping()) return Error{ErrorCode::unavailable, "verify: the hub stops"};
      std::optional<BatchRow> batch;
      std::shared_ptr<const UnpackedBatch> unpacked;
      DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader& ops) -> Status {
        DUHUI_TRY(found, tx.streams().batch_at(row.origin, seq));
        batch = std::move(found);
        if (!batch) return Done{};
        auto read = ops.batch_at(tx, Dot{row.origin, seq});
        if (read) unpacked = std::move(*read);
        return Done{};
      }));
      if (!batch || !unpacked) {
        tell(name + ": op " + std::to_string(seq) + (batch ? " cannot be read" : " is missing"));
        return Done{};
      }
      for (const std::string_view op : unpacked->ops) chain = extend_chain(chain, op);
      const Dot last{row.origin, batch->first_seq + batch->count - 1};
      const std::string place =
          name + ": ops " + std::to_string(seq) + " to " + std::to_string(last.seq);
      if (chain != batch->chain) {
        tell(place + ": the chain is broken");
        return Done{};
      }
      if (key && !duhui::verify(*key, batch_statement(last, chain), batch->signature)) {
        tell(place + ": the signature does not hold");
      }
      ++batches_;
      ops_ += batch->count;
      seq = last.seq + 1;
    }
    if (row.head > 0 && chain != row.chain) tell(name + ": its head has another chain value");
    return Done{};
  }

  Status scopes() {
    std::vector<std::string> names;
    DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
      DUHUI_TRY(found, tx.feed().scopes());
      names = std::move(found);
      return Done{};
    }));
    for (const std::string& name : names) {
      ++scopes_;
      DUHUI_CHECK_OK(scope(name));
    }
    return Done{};
  }

  Result<FeedHead> head_of(const std::string& name) {
    FeedHead head;
    DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
      DUHUI_TRY(found, tx.feed().head(name));
      head = found;
      return Done{};
    }));
    return head;
  }

  Status scope(const std::string& name) {
    DUHUI_TRY(before, head_of(name));
    std::uint64_t sum = 0;
    RecordId after;
    for (bool more = true; more;) {
      if (hub_.stopping()) return Error{ErrorCode::unavailable, "verify: the hub stops"};
      DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader& ops) -> Status {
        DUHUI_TRY(rows, tx.records().walk(name, after, kRecordsAtOnce));
        for (const RecordRow& row : rows) {
          record(tx, ops, row);
          sum += row.checksum;
        }
        more = rows.size() == kRecordsAtOnce;
        if (!rows.empty()) after = rows.back().id;
        return Done{};
      }));
    }
    DUHUI_TRY(head, head_of(name));
    // While people go on saving, the pages are not of one moment.
    if (head == before && sum != head.checksum) {
      tell("scope " + name + ": its records do not add up to its feed");
    }
    return Done{};
  }

  Status audit() {
    DUHUI_TRY(found, verify_audit(hub_, {}));
    audited_ = found.entries;
    if (!found.problem.empty()) tell(found.problem);
    return Done{};
  }

  /// What lies in the folder of files, and what of it is there for nothing. Nothing is removed: no
  /// backup is known to hold the database that does not name it.
  Status files() {
    const FilesAtRest at_rest = hub_.files_at_rest();
    if (at_rest.inventory == nullptr) return Done{};
    std::vector<BlobInventory::Whole> all;
    DUHUI_CHECK_OK(at_rest.inventory->each_whole([&](const BlobInventory::Whole& file) {
      all.push_back(file);
      return true;
    }));
    std::uint64_t bytes = 0;
    std::uint64_t unnamed = 0;
    std::uint64_t unnamed_bytes = 0;
    Json some = Json::array();
    for (std::size_t from = 0; from < all.size(); from += kRecordsAtOnce) {
      if (hub_.stopping()) return Error{ErrorCode::unavailable, "verify: the hub stops"};
      DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
        const std::size_t end = std::min(all.size(), from + kRecordsAtOnce);
        for (std::size_t at = from; at < end; ++at) {
          bytes += all[at].size;
          DUHUI_TRY(named, is_named(tx, all[at].sha256));
          if (named) continue;
          ++unnamed;
          unnamed_bytes += all[at].size;
          if (some.size() < kProblemsMax) some.push_back(to_hex(all[at].sha256.view()));
        }
        return Done{};
      }));
    }
    std::vector<UselessPart> useless;
    DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
      DUHUI_TRY(found, find_useless_parts(tx, *at_rest.content, *at_rest.inventory));
      useless = std::move(found);
      return Done{};
    }));
    std::uint64_t parts = 0;
    DUHUI_CHECK_OK(at_rest.inventory->each_part([&](const BlobInventory::Begun&) {
      ++parts;
      return true;
    }));
    files_ = {{"whole", all.size()},
              {"bytes", bytes},
              {"parts", parts},
              {"useless_parts", useless.size()},
              {"unnamed", {{"files", unnamed}, {"bytes", unnamed_bytes}, {"some", some}}},
              {"missing", missing_}};
    return Done{};
  }

  /// What the hub has signed for has to be there.
  void files_of(HubTransaction& tx, const RecordRow& row, const std::string& op_bytes) {
    BlobStore* content = hub_.files_at_rest().content;
    const RecordSchema* schema = Schema::instance().find(row.type);
    sync::v1::Op op;
    if (content == nullptr || schema == nullptr || !op.ParseFromString(op_bytes)) return;
    std::vector<FileReference> named;
    for (const sync::v1::Write& write : op.writes()) {
      append_file_references(*schema->descriptor, write.value(), &named);
    }
    for (const FileReference& one : named) {
      const Digest sha256 = *Digest::from_bytes(one.sha256);
      const auto brought = was_brought_for(tx, sha256, row.id);
      if (!brought || !*brought) continue;
      const auto size = content->size(sha256);
      if (size && *size) continue;
      ++missing_;
      tell("record " + to_uuid_text(row.id.view()) + ": the file " + to_hex(one.sha256) +
           " was brought and is not here");
    }
  }

  void record(HubTransaction& tx, OpReader& ops, const RecordRow& row) {
    ++records_;
    std::uint64_t sum = 0;
    const RecordSchema* schema = Schema::instance().find(row.type);
    const bool may_name = schema != nullptr && may_name_files(*schema->descriptor);
    for (const OpRef& ref : row.ops) {
      auto bytes = ops.op(tx, ref.dot);
      if (!bytes) {
        tell("record " + to_uuid_text(row.id.view()) + ": " + bytes.error().detail);
        return;
      }
      sum += scope_checksum(op_checksum(*bytes), ref.stamp);
      if (may_name) files_of(tx, row, std::string(*bytes));
    }
    if (sum != row.checksum) {
      tell("record " + to_uuid_text(row.id.view()) + ": the checksum of its ops differs");
    }
  }

  HubAccess& hub_;
  std::vector<std::string> problems_;
  std::uint64_t streams_ = 0;
  std::uint64_t batches_ = 0;
  std::uint64_t ops_ = 0;
  std::uint64_t scopes_ = 0;
  std::uint64_t records_ = 0;
  std::uint64_t audited_ = 0;
  std::uint64_t missing_ = 0;  // files
  Json files_;
};

}  // namespace

Json verify_hub(HubAccess& hub) { return Verification(hub).run(); }

}  // namespace duhui::hub

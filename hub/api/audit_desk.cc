#include "hub/api/audit_desk.h"

#include <charconv>
#include <utility>
#include <vector>

#include "hub/api/audit_file.h"
#include "hub/ports/store_limits.h"
#include "shared/api/audit_actor.h"
#include "shared/base/bytes.h"
#include "shared/crypto/audit_chain.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

constexpr std::uint32_t kListDefault = 100;
constexpr std::uint32_t kListMax = 1000;
constexpr std::uint32_t kRowsAtOnce = 1000;

Result<std::uint64_t> after_of(const api::ApiRequest& request) {
  const std::string text = request.query_text("after");
  std::uint64_t after = 0;
  if (text.empty()) return after;
  const char* end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, after);
  if (failed != std::errc() || rest != end) {
    return Error{ErrorCode::invalid_input, "after: a number from 0"};
  }
  return after;
}

/// One run over the log, a page at a time.
class AuditReading {
 public:
  AuditReading(HubAccess& hub, const AuditHead& earlier) : hub_(hub), earlier_(earlier) {}

  Result<AuditFindings> run() {
    for (bool more = true; more && found_.problem.empty();) {
      if (hub_.stopping()) return Error{ErrorCode::unavailable, "verify: the hub stops"};
      const Status page = hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
        DUHUI_TRY(rows, tx.audit().read(found_.entries, kRowsAtOnce));
        more = !rows.empty();
        DUHUI_CHECK_OK(read_marks(tx, more ? rows.back().seq : kStoreNumberMax));
        for (const AuditRow& row : rows) look_at(row);
        return Done{};
      });
      if (!page) return page.error();
    }
    if (found_.problem.empty() && !marks_.empty()) {
      tell("ends at entry " + std::to_string(found_.entries) + ", the hub signed entry " +
           std::to_string(marks_.back().seq) + ": the tail was cut off");
    }
    if (found_.problem.empty() && earlier_.seq > found_.entries) {
      tell("ends at entry " + std::to_string(found_.entries) + ", the earlier export at entry " +
           std::to_string(earlier_.seq));
    }
    return found_;
  }

 private:
  void tell(std::string problem) {
    if (found_.problem.empty()) found_.problem = "audit log: " + std::move(problem);
  }

  /// The checkpoints up to `seq` that were not read yet.
  Status read_marks(HubTransaction& tx, std::uint64_t seq) {
    for (;;) {
      DUHUI_TRY(rows, tx.audit().checkpoints(last_mark_, kRowsAtOnce));
      for (AuditCheckpoint& row : rows) {
        if (row.seq > seq) return Done{};
        last_mark_ = row.seq;
        marks_.push_back(std::move(row));
      }
      if (rows.empty()) return Done{};
    }
  }

  void look_at(const AuditRow& row) {
    if (!found_.problem.empty()) return;
    const std::uint64_t seq = found_.entries + 1;
    if (row.seq != seq) return tell("entry " + std::to_string(seq) + " is missing");
    chain_ = extend_audit_chain(chain_, row.seq, row.entry);
    if (chain_ != row.chain) return tell("entry " + std::to_string(seq) + " was changed");
    found_.entries = seq;
    if (earlier_.seq == seq && earlier_.chain != chain_) {
      return tell("entry " + std::to_string(seq) + " is another one than in the earlier export");
    }
    if (next_mark_ >= marks_.size() || marks_[next_mark_].seq != seq) return;
    const AuditCheckpoint& mark = marks_[next_mark_];
    if (mark.chain != chain_ || !holds(mark, hub_.facts().id, hub_.key().public_key())) {
      return tell("the hub's signature of entry " + std::to_string(seq) + " does not hold");
    }
    ++found_.checkpoints;
    if (++next_mark_ == marks_.size()) marks_.clear(), next_mark_ = 0;
  }

  HubAccess& hub_;
  const AuditHead earlier_;
  AuditFindings found_;
  std::string chain_ = empty_audit_chain();
  std::vector<AuditCheckpoint> marks_;  // not met yet, from next_mark_ on
  std::size_t next_mark_ = 0;
  std::uint64_t last_mark_ = 0;
};

}  // namespace

Result<AuditFindings> verify_audit(HubAccess& hub, const AuditHead& earlier) {
  return AuditReading(hub, earlier).run();
}

void AuditDesk::add_to(api::Router& router) {
  using Handler = Result<api::ApiResponse> (AuditDesk::*)(const api::ApiRequest&);
  const auto bind = [this](Handler handler) {
    return [this, handler](const api::ApiRequest& request) { return (this->*handler)(request); };
  };
  router.add("GET", "/audit", {Verb::read, Thing::audit}, bind(&AuditDesk::list));
  router.add("POST", "/audit/export", {Verb::export_, Thing::audit},
             bind(&AuditDesk::begin_export));
  router.add("POST", "/audit/verify", {Verb::read, Thing::audit}, bind(&AuditDesk::verify));
}

Result<api::ApiResponse> AuditDesk::list(const api::ApiRequest& request) {
  DUHUI_TRY(after, after_of(request));
  DUHUI_TRY(limit, request.query_number("limit", kListDefault, kListMax));
  Json entries;
  AuditHead head;
  DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
    entries = Json::array();
    DUHUI_TRY(newest, tx.audit().head());
    head = newest;
    DUHUI_TRY(rows, tx.audit().read(after, limit));
    for (const AuditRow& row : rows) entries.push_back(audit_json(row));
    return Done{};
  }));
  return api::ApiResponse{200,
                          {{"entries", std::move(entries)},
                           {"head", {{"seq", head.seq}, {"chain", to_hex(head.chain)}}}}};
}

Result<api::ApiResponse> AuditDesk::begin_export(const api::ApiRequest& request) {
  AuditCheckpoint signed_head;
  const AuditEntry entry{.at = hub_.now(),
                         .actor = api::audit_actor(request.subject),
                         .action = "audit.export",
                         .target_type = "audit",
                         .outcome = "begun"};
  const Status told = hub_.change([&](HubTransaction& tx) -> Status {
    DUHUI_CHECK_OK(append_audit(tx, entry));
    DUHUI_TRY(made, sign_audit(tx, hub_.facts().id, hub_.key(), hub_.now()));
    signed_head = made;
    return Done{};
  });
  if (!told) return told.error();
  return api::ApiResponse{200,
                          {{"hub", to_uuid_text(hub_.facts().id.view())},
                           {"hub_key", to_hex(hub_.key().public_key().view())},
                           {"checkpoint", checkpoint_json(signed_head)}}};
}

Result<api::ApiResponse> AuditDesk::verify(const api::ApiRequest& request) {
  AuditHead earlier;
  if (request.body.is_object() && request.body.contains("seq")) {
    const Json& seq = request.body["seq"];
    DUHUI_TRY(chain, request.body_text("chain"));
    const auto bytes = from_hex(chain);
    if (!seq.is_number_unsigned() || !bytes || bytes->size() != 32) {
      return Error{ErrorCode::invalid_input, "seq, chain: as an export says"};
    }
    earlier = {seq.get<std::uint64_t>(), *bytes};
  }
  DUHUI_TRY(found, verify_audit(hub_, earlier));
  return api::ApiResponse{200,
                          {{"ok", found.problem.empty()},
                           {"entries", found.entries},
                           {"checkpoints", found.checkpoints},
                           {"problem", found.problem}}};
}

}  // namespace duhui::hub

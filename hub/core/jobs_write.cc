// Storage work that changes the database: hello, commits, people's edits.

#include <algorithm>
#include <charconv>

#include "duhui/store/v1/store.pb.h"
#include "hub/core/audit.h"
#include "hub/core/jobs.h"
#include "hub/core/tickets.h"
#include "hub/core/vault_keepers.h"
#include "shared/base/bytes.h"
#include "shared/base/scope.h"
#include "shared/crypto/digest.h"
#include "shared/crypto/vault_key.h"
#include "shared/merge/effective_time.h"
#include "shared/sync/limits.h"
#include "shared/sync/locked_op.h"
#include "shared/sync/stamps.h"
#include "shared/sync/stream_chain.h"

namespace duhui::hub {
namespace {

std::string enrolment_statement(const sync::v1::Enrolment& said) {
  std::string bytes = "duhui enrolment v1\n";
  const auto add = [&](std::string_view part) {
    append_big_endian_32(bytes, static_cast<std::uint32_t>(part.size()));
    bytes.append(part);
  };
  add(said.device_id());
  add(said.public_key());
  add(said.name());
  for (const std::string& scope : said.scopes()) add(scope);
  append_big_endian_64(bytes, static_cast<std::uint64_t>(said.enrolled_at_ms()));
  return bytes;
}

constexpr std::string_view kEpochKey = "hub/epoch";

void add_flag(DeviceRow& device, const std::string& flag) {
  const std::string padded = "," + device.flags + ",";
  if (padded.find("," + flag + ",") != std::string::npos) return;
  device.flags += device.flags.empty() ? flag : "," + flag;
}

void remove_flag(DeviceRow& device, const std::string& flag) {
  std::string padded = "," + device.flags + ",";
  const auto at = padded.find("," + flag + ",");
  if (at == std::string::npos) return;
  padded.erase(at, flag.size() + 1);
  device.flags = padded.size() <= 2 ? "" : padded.substr(1, padded.size() - 2);
}

}  // namespace

void HelloJob::run(StorageContext& context) {
  auto done =
      context.store.read([&](HubTransaction& tx) { return work(tx, context, Access::reads); });
  // It had to change something.
  if (!done && done.error().code == ErrorCode::refused) {
    done = context.store.write([&](HubTransaction& tx) -> Status {
      DUHUI_CHECK_OK(work(tx, context, Access::writes));
      // Nothing of a refused hello stays: no use of a ticket, no new epoch.
      return refused.empty() ? Status(Done{}) : Error{ErrorCode::refused, "hello: rolled back"};
    });
    if (!refused.empty()) done = Done{};
  }
  if (!done) failed = done.error();
  if (!refused.empty()) epoch_changed = false;
}

Status HelloJob::work(HubTransaction& tx, StorageContext& context, Access access) {
  refused.clear();
  epoch_changed = false;
  wrong_ticket = false;
  contact.reset();
  missed_stamps.clear();
  missed_notes.clear();
  const auto id = DeviceId::from_bytes(hello.device_id());
  const auto key = PublicKey::from_bytes(hello.public_key());
  const auto origin = Origin::from_bytes(hello.head().origin());
  if (!id || !key || !origin || (hello.head().seq() > 0 && hello.head().chain().size() != 32)) {
    refused = "hello: malformed";
    return Done{};
  }
  const bool told_again = road == Arrival::Road::told_again;
  if (!told_again &&
      !verify(*key, device_statement(channel_binding, *id, key->view()), hello.proof())) {
    refused = "hello: the device's proof does not hold";
    return Done{};
  }
  DUHUI_TRY(known, tx.devices().get(*id));
  if (!known && told_again) {
    refused = "no such device";
    return Done{};
  }
  if (known) {
    device = *known;
  } else {
    if (access == Access::reads) return Error{ErrorCode::refused, "hello: has to write"};
    DUHUI_CHECK_OK(enrol(tx, context, *id));
    if (!refused.empty()) return Done{};
  }
  if (device.public_key != hello.public_key()) {
    refused = "hello: another key than the one enrolled";
    return Done{};
  }
  if (!epoch_changed) {  // else the enrolment began one
    DUHUI_TRY(epoch_text, tx.settings().get(kEpochKey));
    if (epoch_text && epoch_text->size() == 8) {
      epoch = read_big_endian_64(*epoch_text);
    } else {
      DUHUI_CHECK_OK(bump_epoch(tx, context.random, {}));
    }
  }
  DUHUI_CHECK_OK(judge_stream(tx, context));
  if (!refused.empty()) return Done{};
  // A revoked device may still hand in what it holds; it is told of nothing else.
  if (!device.revoked) {
    Ingest lookup(tx, context.ops, context.rules, context.hub_key, now);
    DUHUI_TRY(scopes, context.rules.follow_postings(lookup, device.scopes, now));
    device.scopes = std::move(scopes);
    DUHUI_CHECK_OK(judge_cursors(tx, context));
    DUHUI_TRY(keepers, vault_of(tx, context.ops, context.hub_key, device));
    vault = std::move(keepers);
  }

  if (!device.revoked) certify(context.hub_key);
  return told_again ? Status(Done{}) : note(tx, known);
}

Status HelloJob::note(HubTransaction& tx, const std::optional<DeviceRow>& known) {
  const Origin origin = *Origin::from_bytes(hello.head().origin());
  const ClockReading clock{.wall = {hello.clock().wall_ms()},
                           .monotonic = {static_cast<std::int64_t>(hello.clock().monotonic_ms())},
                           .boot = hello.clock().boot()};
  // A bundle may be older than what the device has said since.
  if (road == Arrival::Road::carried && known && said_at < known->last_seen_at) {
    return device == *known && !epoch_changed ? Status(Done{}) : tx.devices().put(device);
  }
  if (is_skewed(clock, said_at)) {
    add_flag(device, "clock_skew");
  } else {
    remove_flag(device, "clock_skew");
  }
  device.current_origin = origin;
  device.software = hello.software();
  const bool nothing_new = known && device == *known && !epoch_changed;
  device.clock_offset_ms = (clock.wall - said_at).ms;
  device.last_seen_at = said_at;
  if (!nothing_new) return tx.devices().put(device);
  contact = {device.id, device.last_seen_at, device.clock_offset_ms};
  return Done{};
}

Status HelloJob::enrol(HubTransaction& tx, StorageContext& context, const DeviceId& id) {
  device = DeviceRow{};
  device.id = id;
  device.public_key = hello.public_key();
  sync::v1::Enrolment said;
  if (!hello.enrolment().empty() && said.ParseFromString(hello.enrolment())) {
    const std::string signature = said.signature();
    said.clear_signature();
    if (said.device_id() == hello.device_id() && said.public_key() == hello.public_key() &&
        verify(context.hub_key.public_key(), enrolment_statement(said), signature)) {
      device.name = said.name();
      device.scopes.assign(said.scopes().begin(), said.scopes().end());
      device.enrolled_at = {said.enrolled_at_ms()};
      // We had enrolled it and do not know: this database is older than that.
      return bump_epoch(tx, context.random, "hub_was_behind");
    }
  }
  if (!hello.ticket().empty() && tickets_closed.ms > 0) {
    refused = "ticket: too many wrong tries";
    retry_after = tickets_closed;
    return Done{};
  }
  DUHUI_TRY(judged, judge_ticket(tx, hello.ticket(), now));
  refused = judged.refused;
  wrong_ticket = judged.wrong_try;
  if (!refused.empty()) return Done{};
  device.name = judged.ticket.name;
  device.scopes = judged.ticket.scopes;
  device.enrolled_at = now;
  DUHUI_CHECK_OK(append_audit(tx, {.at = now,
                                   .actor = "device",
                                   .device = to_uuid_text(id.view()),
                                   .action = "device.enrol",
                                   .target_type = "ticket",
                                   .target_id = judged.ticket.id,
                                   .outcome = "done"}));
  return take_use(tx, std::move(judged.ticket), now);
}

void HelloJob::certify(const SigningKey& hub_key) {
  sync::v1::Enrolment said;
  said.set_device_id(device.id.str());
  said.set_public_key(device.public_key);
  said.set_name(device.name);
  for (const std::string& scope : device.scopes) said.add_scopes(scope);
  said.set_enrolled_at_ms(device.enrolled_at.ms);
  said.set_signature(hub_key.sign(enrolment_statement(said)));
  enrolment = said.SerializeAsString();
  // The device has it already: nothing to send.
  if (enrolment == hello.enrolment()) enrolment.clear();
}

Status HelloJob::judge_stream(HubTransaction& tx, StorageContext& context) {
  const Origin origin = *Origin::from_bytes(hello.head().origin());
  DUHUI_TRY(row, tx.streams().get(origin));
  stream = row.value_or(StreamRow{.origin = origin, .device = device.id, .chain = empty_chain()});
  if (stream.device != device.id) {
    refused = "hello: stream of another device";
    return Done{};
  }
  verdict = sync::v1::STREAM_VERDICT_CONTINUE;
  const std::uint64_t device_head = hello.head().seq();
  if (device_head < stream.head) {
    DUHUI_TRY(chain, context.ops.chain_at(tx, stream, device_head));
    const bool same = chain && (device_head == 0 || *chain == hello.head().chain());
    // What was said some time ago may well be less than what came since.
    if (same && road != Arrival::Road::link) return find_missed_stamps(tx);
    verdict = same ? sync::v1::STREAM_VERDICT_DEVICE_BEHIND : sync::v1::STREAM_VERDICT_FORK;
    add_flag(device, same ? "rollback_detected" : "fork_detected");
  } else if (device_head == stream.head && device_head > 0 &&
             stream.chain != hello.head().chain()) {
    verdict = sync::v1::STREAM_VERDICT_FORK;
    add_flag(device, "fork_detected");
  } else if (hello.epoch() == epoch && hello.acknowledged().seq() > stream.head) {
    // We forgot what we had acknowledged: this database is an older copy. A new life begins.
    verdict = sync::v1::STREAM_VERDICT_HUB_BEHIND;
    // The word of a device that is not trusted any more begins no new life.
    if (device.revoked) return Done{};
    DUHUI_CHECK_OK(bump_epoch(tx, context.random, "hub_was_behind"));
  }
  return find_missed_stamps(tx);
}

Status HelloJob::find_missed_stamps(HubTransaction& tx) {
  for (std::uint64_t seq = hello.acknowledged().seq() + 1; seq <= stream.head;) {
    DUHUI_TRY(batch, tx.streams().batch_at(stream.origin, seq));
    if (!batch) break;
    store::v1::Stamps stamps;
    if (!batch->stamps.empty() && stamps.ParseFromString(batch->stamps)) {
      missed_stamps.insert(missed_stamps.end(), stamps.runs().begin(), stamps.runs().end());
    }
    seq = batch->first_seq + batch->count;
  }
  return find_missed_notes(tx);
}

Status HelloJob::find_missed_notes(HubTransaction& tx) {
  // More than are ever on their way: a device that asks for older ones has lost what they are
  // about.
  constexpr std::uint64_t kMissedMax = 16'384;
  const std::uint64_t from = hello.acknowledged().seq() + 1;
  const std::uint64_t first =
      stream.head > kMissedMax ? std::max(from, stream.head - kMissedMax + 1) : from;
  for (std::uint64_t seq = first; seq <= stream.head; ++seq) {
    DUHUI_TRY(row, tx.review().quarantined(Dot{stream.origin, seq}));
    if (row && row->kind != kProposalKind) {
      missed_notes.push_back(note_of(seq, row->kind, row->detail));
    }
  }
  return Done{};
}

Status HelloJob::judge_cursors(HubTransaction& tx, StorageContext& context) {
  std::map<std::string, const sync::v1::ScopeCursor*> said;
  for (const sync::v1::ScopeCursor& cursor : hello.cursors()) said[cursor.scope()] = &cursor;
  DUHUI_TRY(scopes, tx.feed().scopes());
  cursors.clear();
  for (const std::string& scope : scopes) {
    const bool readable =
        std::any_of(device.scopes.begin(), device.scopes.end(),
                    [&](const std::string& g) { return scope_readable(g, scope); });
    if (!readable) continue;
    DUHUI_TRY(head, tx.feed().head(scope));
    Cursor cursor{.scope = scope, .through = 0, .head = head.through, .checksum = head.checksum};
    if (const auto at = said.find(scope); at != said.end() && at->second->through() > 0) {
      const std::uint64_t through = at->second->through();
      bool same = false;
      if (through == head.through) {
        same = at->second->checksum() == head.checksum;
      } else if (through < head.through) {
        DUHUI_TRY(rows, tx.feed().read(scope, through - 1, 1));
        same = !rows.empty() && rows[0].first + rows[0].count - 1 == through &&
               rows[0].checksum_after == at->second->checksum();
      }
      if (same) {
        cursor.through = through;
      } else if (hello.epoch() == epoch) {
        DUHUI_CHECK_OK(bump_epoch(tx, context.random, "hub_was_behind"));
      }
    }
    cursors.push_back(std::move(cursor));
  }
  return Done{};
}

Status HelloJob::bump_epoch(HubTransaction& tx, Random& random, const std::string& flag) {
  if (road == Arrival::Road::told_again) return Done{};
  epoch = 0;
  while (epoch == 0) epoch = random.next();
  std::string bytes;
  append_big_endian_64(bytes, epoch);
  epoch_changed = true;
  if (!flag.empty()) add_flag(device, flag);
  return tx.settings().put(kEpochKey, bytes);
}

std::size_t CommitJob::Item::weight() const {
  constexpr std::size_t kEach = 1024;  // the item itself, its frame's other parts
  constexpr std::size_t kPerOp = sizeof(std::string_view) + sizeof(Digest);
  const sync::v1::Batch& batch = incoming.batch;
  return kEach + frame_bytes + batch.raw_bytes() + batch.count() * kPerOp;
}

void CheckJob::run(StorageContext& context) {
  for (const std::shared_ptr<CommitJob::Item>& item : items) {
    const IncomingBatch& incoming = item->incoming;
    item->checked = check_batch(context.ops.codec(), incoming.batch, incoming.device,
                                incoming.public_key, context.hub_key);
  }
}

void CommitJob::run(StorageContext& context) {
  const std::uint64_t hlc_before = hlc;
  const auto done = context.store.write([&](HubTransaction& tx) -> Status {
    hlc = hlc_before;
    Ingest ingest(tx, context.ops, context.rules, context.hub_key, now);
    for (const std::shared_ptr<Item>& item : items) {
      DUHUI_TRY(outcome, ingest.take(item->incoming, item->checked ? &*item->checked : nullptr));
      item->outcome = std::move(outcome);
    }
    DUHUI_CHECK_OK(ingest.finish(origin, hlc));
    grown = ingest.grown_feeds();
    people = ingest.changed_people();
    changed = ingest.changed_records();
    for (const Contact& contact : contacts) {
      DUHUI_TRY(device, tx.devices().get(contact.device));
      if (!device || device->last_seen_at > contact.at) continue;
      device->last_seen_at = contact.at;
      device->clock_offset_ms = contact.clock_offset_ms;
      DUHUI_CHECK_OK(tx.devices().put(*device));
    }
    return Done{};
  });
  if (!done) {
    context.ops.clear();
    failed = done.error();
  }
}

void FlagJob::run(StorageContext& context) {
  const auto done = context.store.write([&](HubTransaction& tx) -> Status {
    DUHUI_TRY(row, tx.devices().get(device));
    if (!row) return Done{};
    add_flag(*row, flag);
    return tx.devices().put(*row);
  });
  if (!done) failed = done.error();
}

void RefillJob::run(StorageContext& context) {
  const std::uint64_t hlc_before = hlc;
  const auto done = context.store.write([&](HubTransaction& tx) -> Status {
    hlc = hlc_before;
    taken = 0;
    Ingest ingest(tx, context.ops, context.rules, context.hub_key, now);
    for (const sync::v1::WalkedRecord& record : refill.records()) {
      for (const sync::v1::Batch& run : record.runs()) {
        const auto run_origin = Origin::from_bytes(run.origin());
        if (!run_origin) return Error{ErrorCode::invalid_input, "refill: origin"};
        DUHUI_TRY(raw, context.ops.codec().unpack(packed_ops(run)));
        DUHUI_TRY(ops, PayloadCodec::split(raw, 1));
        DUHUI_TRY(exact, open_op(VaultKey::of_device(context.hub_key, device), ops.front()));
        DUHUI_TRY(added, ingest.take_back(Dot{*run_origin, run.first_seq()}, exact,
                                          seal_of(run.stamps(), run.first_seq())));
        taken += added ? 1 : 0;
      }
    }
    DUHUI_CHECK_OK(ingest.finish(origin, hlc));
    grown = ingest.grown_feeds();
    people = ingest.changed_people();
    return Done{};
  });
  if (!done) {
    context.ops.clear();
    failed = done.error();
  }
}

void SaveJob::run(StorageContext& context) {
  const std::uint64_t hlc_before = hlc;
  const auto done = context.store.write([&](HubTransaction& tx) -> Status {
    hlc = hlc_before;
    Ingest ingest(tx, context.ops, context.rules, context.hub_key, now);
    DUHUI_TRY(saved, ingest.save(origin, hlc, intents));
    dots = std::move(saved);
    DUHUI_CHECK_OK(ingest.finish(origin, hlc));
    grown = ingest.grown_feeds();
    people = ingest.changed_people();
    return Done{};
  });
  if (!done) {
    context.ops.clear();
    failed = done.error();
  }
}

}  // namespace duhui::hub

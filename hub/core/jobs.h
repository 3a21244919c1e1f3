#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "duhui/sync/v1/frame.pb.h"
#include "hub/core/ingest.h"
#include "hub/core/op_reader.h"
#include "hub/core/record_rules.h"
#include "hub/ports/store.h"
#include "shared/base/ids.h"
#include "shared/base/random.h"
#include "shared/base/time.h"
#include "shared/crypto/signing.h"
#include "shared/crypto/vault_key.h"
#include "shared/sync/blob_inventory.h"
#include "shared/sync/blob_store.h"

namespace duhui::hub {

using SessionId = std::uint64_t;

/// Where storage work runs: one of these per storage thread.
struct StorageContext {
  HubStore& store;
  OpReader& ops;
  RecordRules& rules;
  Random& random;
  const SigningKey& hub_key;
  /// Null: this hub keeps no files.
  BlobStore* blobs = nullptr;
  BlobInventory* inventory = nullptr;  // of the same files
};

/// Work that needs the database, or much time. The core makes it, the shell runs it on the thread
/// of its lane and hands it back.
class Job {
 public:
  enum class Lane : std::uint8_t {
    writes,  // changes the database: one thread, in the order they were issued
    reads,   // one thread, in order
    checks,  // needs no database, and waits for none who do
    files,   // reads and writes files: one thread, in order
  };

  explicit Job(SessionId of) : session(of) {}
  virtual ~Job() = default;
  virtual void run(StorageContext& context) = 0;
  virtual Lane lane() const = 0;

  const SessionId session;
  std::optional<Error> failed;
};

/// What every session needs to know of the hub.
struct HubIdentity {
  HubId id;
  SigningKey key;
  /// Origin of this run's own ops; a new one at every start, so that a hub restored from a copy
  /// never uses a dot twice.
  Origin origin;
};

/// How a conversation comes to the hub.
struct Arrival {
  enum class Road : std::uint8_t {
    link,
    carried,     // from a bundle: said some time ago, perhaps after others that were said later
    told_again,  // by the hub itself, to make a bundle: nothing may change by it
  };
  Road road = Road::link;
  /// Carried: the newest hub time the device had seen when it spoke.
  WallTime hub_seen{};
};

/// That a device was here: told with the next commit, for it is worth no fsync of its own.
struct Contact {
  DeviceId device;
  WallTime at;
  std::int64_t clock_offset_ms = 0;
};

/// A device that says hello. Most hellos change nothing that has to be durable before the welcome
/// and are read-only; `contact` then says what remains to be written.
class HelloJob final : public Job {
 public:
  HelloJob(SessionId session_id, sync::v1::Hello said, std::string binding, WallTime at)
      : Job(session_id), hello(std::move(said)), channel_binding(std::move(binding)), now(at) {}
  void run(StorageContext& context) override;
  Lane lane() const override { return Lane::writes; }

  const sync::v1::Hello hello;
  const std::string channel_binding;
  const WallTime now;
  Arrival::Road road = Arrival::Road::link;
  WallTime said_at = now;     // by the hub's clock, as far as can be known
  std::string source{};       // where it comes from, for TicketGuard
  Duration tickets_closed{};  // more than zero: no ticket from there is looked at

  // Results.
  std::string refused;  // empty: welcome
  bool wrong_ticket = false;
  Duration retry_after = minutes(1);  // if it is refused
  DeviceRow device;
  std::optional<Contact> contact;
  std::string enrolment;  // for the device to keep
  std::uint64_t epoch = 0;
  bool epoch_changed = false;  // every other session must start anew
  StreamRow stream;
  sync::v1::StreamVerdict verdict = sync::v1::STREAM_VERDICT_CONTINUE;
  std::vector<sync::v1::Stamp> missed_stamps;  // of ops acknowledged but not heard
  std::vector<sync::v1::Note> missed_notes;    // likewise
  struct Cursor {
    std::string scope;
    std::uint64_t through = 0;
    std::uint64_t head = 0;
    std::uint64_t checksum = 0;  // at the head
  };
  std::vector<Cursor> cursors;  // none for a revoked device
  sync::v1::Vault vault;        // likewise

 private:
  enum class Access : std::uint8_t { reads, writes };
  Status work(HubTransaction& tx, StorageContext& context, Access access);
  Status enrol(HubTransaction& tx, StorageContext& context, const DeviceId& id);
  void certify(const SigningKey& hub_key);
  Status judge_stream(HubTransaction& tx, StorageContext& context);
  Status find_missed_stamps(HubTransaction& tx);
  Status find_missed_notes(HubTransaction& tx);
  Status judge_cursors(HubTransaction& tx, StorageContext& context);
  /// What becomes of the device's row.
  Status note(HubTransaction& tx, const std::optional<DeviceRow>& known);
  Status bump_epoch(HubTransaction& tx, Random& random, const std::string& flag);
};

/// Batches of many sessions in one transaction.
class CommitJob final : public Job {
 public:
  CommitJob(Origin hub_origin, std::uint64_t hlc_before, WallTime at)
      : Job(0), origin(hub_origin), hlc(hlc_before), now(at) {}
  void run(StorageContext& context) override;
  Lane lane() const override { return Lane::writes; }

  struct Item {
    SessionId session = 0;
    std::size_t frame_bytes = 0;
    IncomingBatch incoming;
    /// Ahead of the commit, by a CheckJob; while one has the item, nobody else looks at this.
    std::optional<CheckedBatch> checked;
    BatchOutcome outcome;

    /// Bytes of memory it may take once it is unpacked.
    std::size_t weight() const;
  };
  const Origin origin;
  std::uint64_t hlc;
  const WallTime now;
  std::vector<std::shared_ptr<Item>> items;
  std::vector<Contact> contacts;
  std::map<std::string, FeedHead> grown;
  ChangedPeople people;
  std::vector<RecordId> changed;
};

/// Checks batches that wait for their commit while another one is under way; needs no database.
class CheckJob final : public Job {
 public:
  CheckJob() : Job(0) {}
  void run(StorageContext& context) override;
  Lane lane() const override { return Lane::checks; }

  std::vector<std::shared_ptr<CommitJob::Item>> items;
};

/// Intents of a person at the hub (console, command line, import).
class SaveJob final : public Job {
 public:
  SaveJob(Origin hub_origin, std::uint64_t hlc_before, WallTime at, std::vector<Intent> wanted)
      : Job(0), origin(hub_origin), hlc(hlc_before), now(at), intents(std::move(wanted)) {}
  void run(StorageContext& context) override;
  Lane lane() const override { return Lane::writes; }

  const Origin origin;
  std::uint64_t hlc;
  const WallTime now;
  std::vector<Intent> intents;
  std::vector<Dot> dots;
  std::map<std::string, FeedHead> grown;
  ChangedPeople people;
};

/// What a device says of its stream shows that something happened to it: the operator must see it.
class FlagJob final : public Job {
 public:
  FlagJob(SessionId session_id, DeviceId of, std::string what)
      : Job(session_id), device(of), flag(std::move(what)) {}
  void run(StorageContext& context) override;
  Lane lane() const override { return Lane::writes; }

  const DeviceId device;
  const std::string flag;
};

/// The hub's own ops that come back from a device.
class RefillJob final : public Job {
 public:
  RefillJob(SessionId session_id,
            const DeviceId& of_device,
            sync::v1::Refill offer,
            Origin hub_origin,
            std::uint64_t hlc_before,
            WallTime at)
      : Job(session_id),
        device(of_device),
        refill(std::move(offer)),
        origin(hub_origin),
        hlc(hlc_before),
        now(at) {}
  void run(StorageContext& context) override;
  Lane lane() const override { return Lane::writes; }

  const DeviceId device;
  const sync::v1::Refill refill;
  const Origin origin;
  std::uint64_t hlc;
  const WallTime now;
  std::uint64_t taken = 0;
  std::map<std::string, FeedHead> grown;
  ChangedPeople people;
};

/// Who may open the vault of a session's device, after accounts of its places changed.
class VaultJob final : public Job {
 public:
  VaultJob(SessionId session_id, DeviceRow of) : Job(session_id), device(std::move(of)) {}
  void run(StorageContext& context) override;
  Lane lane() const override { return Lane::reads; }

  const DeviceRow device;
  sync::v1::Vault vault;
};

/// Pages of feeds for one session.
class FeedJob final : public Job {
 public:
  using Job::Job;
  void run(StorageContext& context) override;
  Lane lane() const override { return Lane::reads; }

  struct Want {
    std::string scope;
    std::uint64_t after = 0;
    std::string walk_after;  // record id; not empty or `walk`: a state walk is under way
    bool walk = false;
  };
  std::vector<Want> wants;
  Origin own_origin;
  // The device certainly holds [own_log_from, own_through] of its own stream.
  std::uint64_t own_log_from = 1;
  std::uint64_t own_through = 0;
  std::size_t bytes_aim = 0;
  Packing packing = kEveryPacking;  // what the device unpacks
  std::optional<VaultKey> vault;    // present: what the school may not read goes locked
  WallTime now;

  struct Page {
    std::string scope;
    std::string frame;
    std::uint64_t through = 0;
    bool at_head = false;
    bool walking = false;
    std::string walked_through;
  };
  std::vector<Page> pages;

 private:
  Status feed_page(HubTransaction& tx,
                   StorageContext& context,
                   const Want& want,
                   std::size_t& room);
  Status walk_page(HubTransaction& tx,
                   StorageContext& context,
                   const Want& want,
                   std::size_t& room);
};

/// Answers about forks and checksum ranges.
class QuestionJob final : public Job {
 public:
  QuestionJob(SessionId session_id, sync::v1::Frame asked)
      : Job(session_id), question(std::move(asked)) {}
  void run(StorageContext& context) override;
  Lane lane() const override { return Lane::reads; }

  const sync::v1::Frame question;
  Origin own_origin;
  Packing packing = kEveryPacking;
  std::optional<VaultKey> vault;
  sync::v1::Frame answer;

 private:
  Status probe(HubTransaction& tx, StorageContext& context);
  Status range(HubTransaction& tx, StorageContext& context);
};

/// The record's ops as runs of consecutive seqs, packed with their stamps.
Status pack_record(HubTransaction& tx,
                   OpReader& ops,
                   const RecordRow& row,
                   sync::v1::WalkedRecord* out);

}  // namespace duhui::hub

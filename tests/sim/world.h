#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "duhui/record/v1/visit.pb.h"
#include "duhui/sync/v1/bundle.pb.h"
#include "hub/core/hub_core.h"
#include "hub/core/hub_peer.h"
#include "hub/core/op_reader.h"
#include "tests/sim/options.h"
#include "tests/sim/sim_agent.h"
#include "tests/sim/sim_rules.h"
#include "tests/support/memory_hub_store.h"

namespace duhui::sim {

/// What a run found.
struct Verdict {
  std::string breach;       // empty: none
  std::uint64_t trace = 0;  // hash of everything that happened; the same seed gives the same
  std::uint64_t events = 0;
  std::uint64_t saved = 0;
  std::uint64_t reincarnations = 0;
  std::uint64_t files_by_stick = 0;  // that became whole by one
};

/// A hub and N agents in one thread and virtual time. One seed is one universe: the network, the
/// disks, the clocks and the people all draw from it.
///
///   run: a stormy phase with the faults of the options, then a calm one in which everything must
///   converge. The invariants (docs/protocol.md, "What must hold") are asked by world_checks.cc.
class World {
 public:
  explicit World(const Options& options, bool verbose = false);
  Verdict run();

 private:
  enum class Kind : std::uint8_t { to_hub, to_agent, job, link_lost_hub, link_lost_agent, tick };
  struct Event {
    std::int64_t at = 0;
    std::uint64_t order = 0;
    Kind kind = Kind::tick;
    std::uint64_t link = 0;
    std::string bytes{};
    std::shared_ptr<std::unique_ptr<hub::Job>> job{};
    std::uint64_t hub_life = 0;
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.at != b.at ? a.at > b.at : a.order > b.order;
    }
  };
  struct Link {
    std::uint32_t agent = 0;
    bool agent_side = true;
    bool hub_side = true;
    bool cut = false;        // nothing is delivered any more
    bool up_lost = false;    // nothing that the agent sends is
    bool down_lost = false;  // nothing that the hub sends is
    std::int64_t up_at = 0;  // deliveries keep their order
    std::int64_t down_at = 0;
    std::int64_t hub_timer_at = -1;
  };

  // people (world_people.cc)
  void someone_edits();
  void edit_at_agent(SimAgent& agent);
  void edit_at_hub();
  /// A supervisor, with an account at every place.
  void employ_supervisor();
  /// The supervisor signs in, or leaves.
  void come_or_go(SimAgent& agent);
  std::vector<IntendedWrite> draw_writes(const RecordState* state,
                                         const std::string& person,
                                         const std::string& text,
                                         bool& sees_all);
  Intent draw_intent(const std::vector<RecordId>& known,
                     const RecordState* state,
                     const RecordId& chosen,
                     const std::string& text);
  std::string new_text();
  /// A photo that this device has, named by `part`.
  BlobName take_photo(SimAgent& agent, const RecordId& record, record::v1::Attachment* attachment);
  /// What the school has been shown it has been shown, even if the record is taken back.
  void note_shown_photos(SimAgent& agent);
  /// Somebody looks at a photo.
  void look_at_photo(SimAgent& agent);
  /// Somebody hands in a file and never attaches it.
  void leave_upload(SimAgent& agent);
  /// Files that are there for nothing are cleared up.
  void collect_files(SimAgent& agent);

  // network and processes (world.cc)
  void step();
  void handle(Event& event);
  void push(Event event);
  void connect(SimAgent& agent);
  void perform(SimAgent& agent, std::vector<agent::Effect> effects);
  void perform_hub(hub::HubEffects effects);
  void drop_link(std::uint64_t id, bool agent_notices, bool hub_notices);
  void timers();
  std::int64_t delay();

  // faults (world_faults.cc)
  void maybe_fault();
  void start_agent(SimAgent& agent);
  void crash_agent(SimAgent& agent);
  void start_hub();
  void crash_hub();
  void roll_back_disk(SimAgent& agent);
  void clone_device(SimAgent& agent);
  void restore_hub();
  void calm_down();

  // sticks (world_bundles.cc)
  struct Stick {
    bool to_hub = false;
    DeviceId device{};
    sync::v1::BundleHeader header{};
    sync::v1::BundleOpening opening{};
    std::vector<std::string> frames{};
    std::vector<std::string> behind{};  // of each frame, what has to come before it in a part
    std::size_t greeting = 0;           // frames that every part begins with
  };
  void someone_carries();
  void keep_stick(Stick stick);
  void write_stick(SimAgent& agent);
  void write_stick_at_hub(const DeviceId& device);
  void read_stick_at_hub(const Stick& stick);
  void read_stick(SimAgent& agent, const Stick& stick);
  Status talk_to_stopped_hub(hub::HubPeer& peer);

  // checks (world_checks.cc)
  void check_watermarks();
  void check_saved(SimAgent& agent);
  void check_receipt(SimAgent& agent);
  void check_converged();
  void check_photos(SimAgent& agent);
  void check_locked_photos(SimAgent& agent, const std::set<RecordId>& open);
  /// What the school may not read lies on no disk for anybody to read.
  void check_locked(SimAgent& agent);
  std::set<std::string> texts_that_must_survive();
  std::map<RecordId, std::string> dump_agent(SimAgent& agent);
  std::map<RecordId, std::string> dump_hub();
  bool quiet();
  bool reads(const SimAgent& agent, const std::string& scope) const;
  void breach(const std::string& what);
  void note(const std::string& what);

  const Options options_;
  const bool verbose_;
  SeededRandom random_;
  Faults faults_;
  std::int64_t now_ = 1'760'000'000'000;  // October 2025
  std::uint64_t order_ = 0;
  std::priority_queue<Event, std::vector<Event>, Later> events_;
  std::map<std::uint64_t, Link> links_;
  std::uint64_t next_link_ = 1;

  hub::StorageContext hub_context() {
    return {hub_store_, *hub_ops_, rules_, hub_random_, hub_key_, &hub_files_, &hub_files_};
  }

  hub::MemoryHubStore hub_store_;
  MemoryBlobStore hub_files_;
  std::map<Digest, std::string> photos_;  // every photo's content
  struct HubImage {
    hub::MemoryHubState database;
    std::map<Digest, std::string> files;
  };
  std::deque<HubImage> hub_images_;
  std::unique_ptr<hub::HubIdentity> hub_identity_;
  std::unique_ptr<hub::HubCore> hub_;  // null: the process is down
  std::unique_ptr<hub::OpReader> hub_ops_;
  SimRules rules_;
  SeededRandom hub_random_;
  std::uint64_t hub_life_ = 0;
  std::int64_t writer_free_at_ = 0;
  std::int64_t files_free_at_ = 0;
  std::int64_t hub_up_at_ = 0;
  SigningKey hub_key_;
  SigningKey supervisor_;
  HubId hub_id_;

  std::vector<std::unique_ptr<SimAgent>> agents_;
  std::deque<Stick> sticks_;
  std::set<std::string> hub_saved_;  // texts saved at the hub in its current life
  /// Of a running agent: origin, epoch, acknowledged.
  struct Watermark {
    Origin origin;
    std::uint64_t epoch = 0;
    std::uint64_t acknowledged = 0;
  };
  std::map<std::uint32_t, Watermark> watermarks_;
  std::uint64_t texts_ = 0;
  bool calm_ = false;
  Verdict verdict_;
};

}  // namespace duhui::sim

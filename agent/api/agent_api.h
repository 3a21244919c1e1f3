#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/api/agent_records.h"
#include "agent/api/delivery_desk.h"
#include "agent/core/replica.h"
#include "shared/api/record_nouns.h"
#include "shared/api/router.h"
#include "shared/api/session_nouns.h"
#include "shared/base/time.h"

namespace duhui::agent {

/// What the link to the hub is doing, for people.
struct LinkFacts {
  enum class State : std::uint8_t { offline, connecting, live, disabled };

  State state = State::offline;
  WallTime since{};
  std::string last_error{};
  bool caught_up = false;
  // On the wire, TLS included: of the present connection, and of all since the start.
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t bytes_read_total = 0;
  std::uint64_t bytes_written_total = 0;
  std::string device_name{};               // as the hub calls it
  std::optional<Duration> clock_offset{};  // this clock minus the hub's, at the last welcome
  std::string road{};                      // "websocket" or "https", of the present connection
  std::string road_problem{};              // a kind of road_problem_json()
  struct OfRoad {
    std::string name{};
    std::optional<WallTime> last_success{};  // a welcome or an acknowledgement
    std::uint64_t bytes_read = 0;            // since the start
    std::uint64_t bytes_written = 0;
  };
  std::vector<OfRoad> roads{};
  std::string network{};  // a name for the network of the last attempt; empty: none yet
  bool revoked = false;   // the hub keeps aside what it is sent, and sends nothing
};
std::string to_string(LinkFacts::State state);

/// What is known of the device besides its records.
struct DeviceFacts {
  std::string id{};
  std::string name{};
  bool enrolled = false;
  std::string hub{};  // "host:port"
  std::vector<std::string> scopes{};
  nlohmann::json storage = nlohmann::json::object();  // what opening the data folder found
  std::vector<std::string> addresses{};               // where this service listens
};

/// Asked when somebody calls; all on the replica's thread.
struct AgentHooks {
  std::function<LinkFacts()> link{};
  std::function<DeviceFacts()> device{};
  std::function<void(bool enabled)> enable_link{};
  DeliveryDesk::Fetch fetch{};
};

/// The agent's API (docs/api/agent.openapi.yaml), but for the transport and POST /sync, which
/// waits. Not thread-safe: used on the thread that drives the replica.
class AgentApi {
 public:
  /// All outlive this. Without a desk nobody can sign in.
  AgentApi(Replica& replica,
           AgentRecords& records,
           ReadClock read_clock,
           std::string version,
           AgentHooks hooks,
           api::SignInDesk* desk = nullptr);
  AgentApi(const AgentApi&) = delete;
  AgentApi& operator=(const AgentApi&) = delete;

  api::ApiResponse dispatch(const api::ApiCall& call) const { return router_.dispatch(call); }
  const api::Router& router() const { return router_; }
  api::Router& router() { return router_; }

  Result<nlohmann::json> status();
  /// A file that somebody asked for is here, or why it is not.
  void file_fetched(const BlobName& name, const Status& how) { delivery_.fetched(name, how); }

 private:
  Result<api::ApiResponse> set_link(const api::ApiRequest& request);

  Replica& replica_;
  AgentRecords& records_;
  const ReadClock read_clock_;
  const std::string version_;
  const AgentHooks hooks_;
  const MonotonicTime started_;
  api::RecordNouns nouns_;
  DeliveryDesk delivery_;
  std::optional<api::SessionNouns> session_nouns_;
  api::Router router_;
};

}  // namespace duhui::agent

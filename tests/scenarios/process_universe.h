#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/scenarios/process_folder.h"
#include "tests/scenarios/program.h"
#include "tests/scenarios/universe.h"

namespace duhui::scenarios {

/// A hub and agents as the shipped programs: processes with real sockets, TLS and data folders, on
/// scenario time. An agent is cut off from the hub except within sync().
class ProcessUniverse final : public Universe {
 public:
  /// `folder` has a hub in `hub`, and goes with this. Nothing runs yet. `port`: where the hub
  /// listens for devices.
  ProcessUniverse(std::unique_ptr<TemporaryFolder> folder, int port, WallTime start);

  /// Starts the hub and the agents whose folders are there.
  void start(const std::vector<std::string>& agents);
  /// Makes a device with a ticket of the running hub, and starts it.
  void enrol(const std::string& name, const std::vector<std::string>& schools);
  /// Every program ends; what is left are the folders.
  std::unique_ptr<TemporaryFolder> stop();

  const std::vector<std::string>& agents() const override { return names_; }
  void at(WallTime time) override;
  void set_clock(const std::string& agent, Duration offset) override;
  api::ApiResponse call(const std::string& replica,
                        const std::string& method,
                        const std::string& path,
                        const nlohmann::json& body) override;
  void sync(const std::string& agent) override;
  void restart(const std::string& replica) override;
  void keep_disk(const std::string& replica, int step) override;
  void restore_disk(const std::string& replica, int step) override;

 private:
  Program& program(const std::string& replica);
  Program& hub() { return program(std::string(kHub)); }
  void add_program(const std::string& name, const std::string& executable);
  void start_hub();
  void start_again(const std::string& replica);
  /// Switches its link off before it can reach the hub.
  void start_cut_off(Program& agent);
  void set_link(Program& agent, bool enabled);
  /// What an exchange with the hub changes.
  nlohmann::json exchange_state(const std::string& agent);
  /// One connection until everything is exchanged.
  void exchange(const std::string& name);
  void write_clock(const std::string& replica);
  std::string image(const std::string& replica, int step) const;

  std::unique_ptr<TemporaryFolder> folder_;
  const int port_;
  const Duration since_boot_;                // from the monotonic to the wall clock of this machine
  Duration offset_{};                        // of true time from this machine's
  std::map<std::string, Duration> offsets_;  // of a device's clock from true time
  std::map<std::string, std::unique_ptr<Program>> programs_;
  std::vector<std::string> names_;  // of the agents
  int restarts_ = 0;
};

}  // namespace duhui::scenarios

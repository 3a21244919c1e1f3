#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hub/app/hub_settings.h"
#include "shared/base/result.h"
#include "shared/cli/caller.h"
#include "shared/cli/console.h"

namespace CLI {
class App;
}  // namespace CLI

namespace duhui::hub {

/// Whoever answers a command: the running service, or the data folder opened in this process.
class HubConnection {
 public:
  ~HubConnection();
  /// Waits a moment for another process that has the folder. `unavailable`: it still has it and
  /// does not answer.
  static Result<std::unique_ptr<HubConnection>> open(const HubSettings& settings,
                                                     const std::string& version);
  cli::Caller& caller() { return *caller_; }

 private:
  struct Local;
  HubConnection();
  static Result<std::unique_ptr<HubConnection>> try_to_open(const HubSettings& settings,
                                                            const std::string& version);
  std::unique_ptr<Local> local_;
  std::unique_ptr<cli::Caller> caller_;
};

/// The commands only a hub has.
class HubCommands {
 public:
  /// What every command needs; all of it outlives this.
  struct Parts {
    cli::Console& console;
    std::function<Result<ReadSettings>()> settings;
    std::function<Result<cli::Caller*>()> connect;
    std::function<int()>* action;  // set by the command that was typed
    std::string version{};
  };
  explicit HubCommands(Parts parts) : parts_(std::move(parts)), console_(parts_.console) {}
  HubCommands(const HubCommands&) = delete;
  HubCommands& operator=(const HubCommands&) = delete;

  void add_to(CLI::App& app);

 private:
  struct Options {
    std::string name;
    std::string listen;
    std::string http_listen;
    std::string folder;
    std::string school;
    std::vector<std::string> scopes;
    std::string address;
    std::string file;
    std::string device;
    std::string supervisor;
    std::string csv;
    std::string out_csv;
    std::string qr;
    std::string expires;
    std::string ticket;
    std::vector<std::string> dots;
    std::string person;
    std::string kind;
    std::uint32_t uses = 1;
    std::uint32_t expires_hours = 72;
    std::uint32_t limit = 100;
  };
  using Work = Result<int> (HubCommands::*)(cli::Caller&);
  using LocalWork = Result<int> (HubCommands::*)(const HubSettings&);

  void add_life(CLI::App& app);
  void add_tickets(CLI::App& app);
  void add_ticket_create(CLI::App& ticket);
  void add_devices(CLI::App& app);
  void add_quarantine(CLI::App& app);
  void add_keys(CLI::App& app);
  void on(CLI::App& command, Work work);
  void on(CLI::App& command, LocalWork work);

  Result<int> init(const HubSettings& settings);
  Result<int> serve(const HubSettings& settings);
  Result<int> check_config();
  Result<int> rotate_key(const HubSettings& settings);
  Result<int> import(cli::Caller& caller);
  Result<int> status(cli::Caller& caller);
  Result<int> create_ticket(cli::Caller& caller);
  /// One for each row of a CSV file; all or none.
  Result<int> create_tickets(cli::Caller& caller);
  /// Writes the files that were asked for.
  Status keep_ticket(const nlohmann::json& made);
  Result<int> list_tickets(cli::Caller& caller);
  Result<int> revoke_ticket(cli::Caller& caller);
  Result<int> list_devices(cli::Caller& caller);
  Result<int> show_device(cli::Caller& caller);
  Result<int> revoke_device(cli::Caller& caller);
  Result<int> restore_device(cli::Caller& caller);
  Result<int> list_quarantine(cli::Caller& caller);
  Result<int> accept_quarantine(cli::Caller& caller);
  Result<int> set_aside_quarantine(cli::Caller& caller);
  Result<int> decide_quarantine(cli::Caller& caller, const std::string& verb);

  /// The id of a device named by id or by name.
  Result<std::string> device_id(cli::Caller& caller);
  Result<int> change_device(cli::Caller& caller, const std::string& verb);

  const Parts parts_;
  cli::Console& console_;
  Options options_;
};

}  // namespace duhui::hub

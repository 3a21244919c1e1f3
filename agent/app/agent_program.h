#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "agent/app/agent_service.h"
#include "agent/app/agent_settings.h"
#include "shared/base/result.h"
#include "shared/cli/caller.h"
#include "shared/cli/console.h"
#include "shared/crypto/ticket.h"
#include "shared/sync/bundle_limits.h"

namespace CLI {
class App;
}  // namespace CLI

namespace duhui::agent {

/// The command line of duhui-agent. One object for one run.
class AgentProgram {
 public:
  explicit AgentProgram(cli::Console& console) : console_(console) {}

  /// Reads the arguments, does what they say, returns the exit code.
  int run(int argc, char** argv);

 private:
  void add_commands(CLI::App& app);
  void on(CLI::App& command, Result<int> (AgentProgram::*work)());
  /// Settings file, then what the command line says.
  Status settle();
  /// The running service, or the data opened in this process.
  Result<cli::Caller*> connect();
  /// Who has the data: a service that answers, or this process, in `service_`. Waits a moment for
  /// another process that has the folder. `unavailable`: it still has it and does not answer.
  enum class Holder : std::uint8_t { service, this_process };
  Result<Holder> reach(bool with_link);
  std::string socket() const { return settings_.data + "/control.sock"; }

  Result<Ticket> read_ticket() const;
  Result<int> init();
  Result<int> serve();
  Result<int> status();
  Result<int> sync();
  Result<int> fsck();
  void add_bundles(CLI::App& app);
  Result<int> bundle_export();
  Result<int> bundle_import();
  /// By the service, or in this process.
  Result<nlohmann::json> carry(const std::string& what, nlohmann::json body);
  Result<int> link_on();
  Result<int> link_off();
  Result<int> set_link(bool enabled);
  Result<int> config_check();

  cli::Console& console_;
  std::function<int()> action_;
  AgentSettings settings_;

  // What was typed.
  std::string data_;
  std::string config_;
  std::string language_;
  std::string ticket_file_;
  std::string tickets_csv_;
  std::string host_;
  std::string bundle_target_;
  std::vector<std::string> bundle_paths_;
  std::uint64_t bundle_part_bytes_ = bundle_limits::kPartBytesDefault;
  int port_ = -1;
  bool checks_settings_ = false;
  std::vector<std::string> problems_;  // of the settings file
  std::int64_t wait_ms_ = 30'000;

  boost::asio::io_context loop_{1};
  std::unique_ptr<AgentService> service_;
  std::unique_ptr<cli::Caller> caller_;
};

}  // namespace duhui::agent

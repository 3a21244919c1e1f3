#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <malloc.h>

#include "hub/app/account_commands.h"
#include "hub/app/audit_commands.h"
#include "hub/app/bundle_commands.h"
#include "hub/app/hub_commands.h"
#include "hub/app/hub_folder.h"
#include "hub/app/hub_settings.h"
#include "hub/app/proof_commands.h"
#include "shared/cli/console.h"
#include "shared/cli/private_process.h"
#include "shared/cli/protobuf_log.h"
#include "shared/cli/record_commands.h"
#include "shared/cli/usage.h"

namespace duhui::hub {
namespace {

/// Where the settings come from.
struct Sources {
  std::string data;    // --data
  std::string config;  // --config
};

/// The file named, or `hub.toml` in the data folder; without either the defaults.
Result<ReadSettings> find_settings(const Sources& sources) {
  ReadSettings read;
  const std::string folder = sources.data.empty() ? read.settings.data : sources.data;
  const std::string file = sources.config.empty() ? folder + "/hub.toml" : sources.config;
  auto text = read_file(file);
  if (text) {
    read = read_settings(*text, file);
  } else if (!sources.config.empty() || text.error().code != ErrorCode::not_found) {
    return text.error();
  }
  if (!sources.data.empty()) read.settings.data = sources.data;
  return read;
}

int run(int argc, char** argv) {
  cli::Console console(cli::choose_language(argc, argv), std::cout, std::cerr);
  CLI::App app(console("督汇中心：汇集各校的督导记录",
                       "Duhui hub: where the supervision records of all schools meet"),
               "duhui-hub");
  cli::speak(app, console, std::string("duhui-hub ") + DUHUI_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  Sources sources;
  std::string language;
  app.add_option("--data", sources.data,
                 console("数据文件夹；默认：/var/lib/duhui-hub，或设置里的 data",
                         "data folder; default: /var/lib/duhui-hub, or data of the settings"));
  app.add_option("--config", sources.config,
                 console("设置文件（TOML）；默认：数据文件夹里的 hub.toml（如果有）",
                         "settings file (TOML); default: hub.toml in the data folder, if any"));
  app.add_option("--lang", language,
                 console("输出的语言；默认：按系统语言", "language; default: the locale's"))
      ->check(CLI::IsMember({"zh", "en"}));
  app.add_flag("--json", *console.json_flag(), console("以 JSON 回答", "answer in JSON"));
  app.footer(
      "  duhui-hub init --data ./hub\n"
      "  duhui-hub serve --data ./hub\n"
      "  duhui-hub status --json\n\n" +
      cli::exit_codes(console));

  std::function<int()> action;
  std::unique_ptr<HubConnection> connection;
  const auto settings = [&sources] { return find_settings(sources); };
  const auto connect = [&]() -> Result<cli::Caller*> {
    DUHUI_TRY(found, settings());
    if (!found.problems.empty()) return cli::settings_error(found.problems);
    DUHUI_TRY(opened, HubConnection::open(found.settings, DUHUI_VERSION));
    connection = std::move(opened);
    return &connection->caller();
  };
  HubCommands hub_commands({.console = console,
                            .settings = settings,
                            .connect = connect,
                            .action = &action,
                            .version = DUHUI_VERSION});
  hub_commands.add_to(app);
  AuditCommands audit_commands(console, connect, &action);
  audit_commands.add_to(app);
  BundleCommands bundle_commands(console, connect, &action);
  bundle_commands.add_to(app);
  ProofCommands proof_commands(console, connect, &action);
  proof_commands.add_to(app);
  AccountCommands account_commands(console, connect, &action);
  account_commands.add_to(app);
  cli::RecordCommands record_commands(console, connect, &action);
  record_commands.add_to(app, "duhui-hub");
  if (const auto ended = cli::parse_arguments(app, argc, argv, console)) return *ended;
  return action ? action() : static_cast<int>(cli::ExitCode::usage);
}

}  // namespace
}  // namespace duhui::hub

int main(int argc, char** argv) {
  // Each thread's own heap would keep its high-water mark for ever.
  mallopt(M_ARENA_MAX, 2);
  // Batches of hundreds of kilobytes come and go: without these glibc would give their pages back
  // and merge its free lists each time, which costs a sixth of the hub's time.
  mallopt(M_MXFAST, 0);
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
  mallopt(M_TRIM_THRESHOLD, 32 << 20);
  mallopt(M_TOP_PAD, 1 << 20);
  duhui::cli::make_process_private();
  std::signal(SIGPIPE, SIG_IGN);
  duhui::cli::quiet_protobuf();
  return duhui::hub::run(argc, argv);
}

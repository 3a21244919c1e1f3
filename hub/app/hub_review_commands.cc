// What waits for a person: ops in quarantine.

#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "hub/app/hub_commands.h"
#include "shared/api/router.h"
#include "shared/cli/usage.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

constexpr int kDone = static_cast<int>(cli::ExitCode::done);
constexpr int kFailed = static_cast<int>(cli::ExitCode::failed);

}  // namespace

void HubCommands::add_quarantine(CLI::App& app) {
  auto* waiting = app.add_subcommand(
      "quarantine", console_("未能合并、等人决定的操作", "ops that wait for a person's decision"));
  waiting->require_subcommand(1);
  waiting->footer("  duhui-hub quarantine list\n\n" + cli::exit_codes(console_));
  auto* list = waiting->add_subcommand("list", console_("列出", "list them"));
  list->add_option("--limit", options_.limit, console_("最多几条", "how many at most"))
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  list->add_option("--kind", options_.kind,
                   console_("只列一类：revoked、proposal、orphan、forbidden、malformed、set_aside",
                            "one kind only: revoked, proposal, orphan, forbidden, malformed, "
                            "set_aside"));
  list->footer("  duhui-hub quarantine list --kind revoked");
  on(*list, &HubCommands::list_quarantine);
  const auto add = [&](const std::string& name, const std::string& text, Work work) {
    auto* command = waiting->add_subcommand(name, text);
    command->add_option(
        "dots", options_.dots,
        console_("操作（quarantine list 的第三列）", "ops, the third column of quarantine list"));
    command->add_option("--device", options_.device,
                        console_("或一台终端吊销期间送来的全部：编号或名称",
                                 "or all that a device sent while it was revoked: its id or name"));
    command->add_option("--as", options_.person, console_("决定人", "who decides"))->required();
    command->footer("  duhui-hub quarantine " + name +
                    " --as u-off-430202-1 --device 荷塘区样例小学1");
    on(*command, work);
  };
  add("accept", console_("采用：并入记录", "take them into their records"),
      &HubCommands::accept_quarantine);
  add("set-aside", console_("搁置：永久保存，不并入", "keep them for ever, and merge them never"),
      &HubCommands::set_aside_quarantine);
}

Result<int> HubCommands::list_quarantine(cli::Caller& caller) {
  const std::string kind =
      options_.kind.empty() ? "" : "&kind=" + api::percent_encoded(options_.kind);
  DUHUI_TRY(body, caller.get("/quarantine?limit=" + std::to_string(options_.limit) + kind));
  if (console_.json()) {
    console_.print(body);
    return kDone;
  }
  for (const Json& one : body["quarantine"]) {
    console_.out() << one.value("received_at", "") << "  " << one.value("kind", "") << "  "
                   << one.value("dot", "") << "  " << one.value("device", "") << "  "
                   << one.value("person", "") << "  " << one.value("type", "") << " "
                   << one.value("record", "") << "  " << one.value("writes", "") << "  "
                   << one.value("detail", "") << "\n";
  }
  if (body["quarantine"].empty())
    console_.out() << console_("没有待审操作", "nothing waits") << "\n";
  console_.out() << std::flush;
  return kDone;
}

Result<int> HubCommands::decide_quarantine(cli::Caller& caller, const std::string& verb) {
  Json body = {{"as", options_.person}};
  if (options_.device.empty() == options_.dots.empty()) {
    return Error{ErrorCode::invalid_input, "either ops or --device"};
  }
  if (options_.device.empty()) {
    body["dots"] = options_.dots;
  } else {
    DUHUI_TRY(id, device_id(caller));
    body["device"] = id;
  }
  DUHUI_TRY(answer, caller.post("/quarantine/" + verb, body));
  const bool all = answer["left"].empty();
  if (console_.json()) {
    console_.print(answer);
    return all ? kDone : kFailed;
  }
  console_.out() << console_("已决定 ", "decided ") << answer["decided"] << "\n";
  for (const Json& one : answer["left"]) {
    console_.out() << "  ! " << one.value("dot", "") << "  " << one.value("kind", "") << "\n";
  }
  console_.out() << std::flush;
  return all ? kDone : kFailed;
}

Result<int> HubCommands::accept_quarantine(cli::Caller& caller) {
  return decide_quarantine(caller, "accept");
}

Result<int> HubCommands::set_aside_quarantine(cli::Caller& caller) {
  return decide_quarantine(caller, "set-aside");
}

}  // namespace duhui::hub

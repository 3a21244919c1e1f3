// `duhui-agent bundle export|import`.

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "agent/app/agent_program.h"
#include "agent/app/run_to_end.h"
#include "shared/cli/bundle_text.h"
#include "shared/cli/usage.h"

namespace duhui::agent {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::json;

/// co_spawn wants what can be made without a value.
asio::awaitable<Json> in_json(asio::awaitable<Result<Json>> work) {
  auto done = co_await std::move(work);
  co_return done ? std::move(*done) : api::error_answer(done.error()).body;
}

}  // namespace

void AgentProgram::add_bundles(CLI::App& app) {
  auto* bundle = app.add_subcommand(
      "bundle", console_("用U盘与中心交换（没有网络时）", "exchange with the hub by USB stick"));
  bundle->require_subcommand(1);
  bundle->footer(
      "  duhui-agent bundle export /media/usb\n  duhui-agent bundle import /media/usb\n\n" +
      cli::exit_codes(console_));
  auto* export_command = bundle->add_subcommand(
      "export", console_("把中心还没有的全部写到U盘，只有中心能打开",
                         "write all that the hub does not have yet; only the hub can open it"));
  export_command
      ->add_option("target", bundle_target_, console_("文件夹或文件", "a folder or a file"))
      ->required();
  export_command
      ->add_option("--part-size", bundle_part_bytes_,
                   console_("每个文件最大多少，如 512MiB", "of each file at most, like 512MiB"))
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str();
  export_command->footer(
      "  duhui-agent bundle export /media/usb\n"
      "  duhui-agent bundle export /media/usb --part-size 100MiB");
  on(*export_command, &AgentProgram::bundle_export);
  auto* import_command = bundle->add_subcommand(
      "import", console_("读入中心的回执、更正和任务",
                         "take in what the hub answered: receipts, corrections, tasks"));
  import_command->add_option("paths", bundle_paths_, console_("文件夹或文件", "folders or files"))
      ->required();
  import_command->footer("  duhui-agent bundle import /media/usb");
  on(*import_command, &AgentProgram::bundle_import);
}

Result<Json> AgentProgram::carry(const std::string& what, Json body) {
  DUHUI_TRY(holder, reach(false));
  if (holder == Holder::service) {
    cli::SocketCaller caller(socket());
    return caller.post("/bundles/" + what, body);
  }
  BundleDesk& desk = service_->bundles();
  auto work = what == "export"
                  ? desk.export_to(body["target"].get<std::string>(), bundle_part_bytes_)
                  : desk.import_from(body["paths"].get<std::vector<std::string>>());
  DUHUI_TRY(told, run_to_end(loop_, in_json(std::move(work))));
  if (!told.contains("error")) return told;
  return *api::error_of({503, std::move(told)});
}

Result<int> AgentProgram::bundle_export() {
  DUHUI_TRY(told, carry("export", {{"target", cli::whole_path(bundle_target_)},
                                   {"part_bytes", bundle_part_bytes_}}));
  if (console_.json()) {
    console_.print(told);
    return 0;
  }
  cli::write_exported(console_, told);
  console_.out() << console_(
                        "现在可以拔出U盘。中心的回执带回来之前，这些内容不算送达。",
                        "The stick may be pulled out. Nothing of it counts as delivered before "
                        "the hub's receipt is brought back.")
                 << std::endl;
  return 0;
}

Result<int> AgentProgram::bundle_import() {
  std::vector<std::string> paths;
  for (const std::string& path : bundle_paths_) paths.push_back(cli::whole_path(path));
  DUHUI_TRY(told, carry("import", {{"paths", paths}}));
  if (console_.json()) {
    console_.print(told);
  } else {
    cli::write_carried(console_, told);
    console_.out() << console_("尚未送达中心的修改：", "not at the hub yet: ")
                   << told.value("unacknowledged", 0) << std::endl;
  }
  return cli::exit_code_of(told);
}

}  // namespace duhui::agent

#include "hub/app/bundle_commands.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "shared/cli/bundle_text.h"
#include "shared/cli/usage.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

}  // namespace

void BundleCommands::on(CLI::App& command, Work work) {
  command.callback([this, work] {
    *action_ = [this, work] {
      auto code = (this->*work)();
      return code ? *code : console_.fail(code.error());
    };
  });
}

void BundleCommands::add_to(CLI::App& app) {
  auto* bundle = app.add_subcommand(
      "bundle", console_("用U盘与终端交换（没有网络时）", "exchange with devices by USB stick"));
  bundle->require_subcommand(1);
  bundle->footer(
      "  duhui-hub bundle import /media/usb\n  duhui-hub bundle export --all /media/usb\n\n" +
      cli::exit_codes(console_));
  auto* import_command = bundle->add_subcommand(
      "import", console_("读入终端带来的文件；次序不限，可重复",
                         "take in what devices sent; in any order, any number of times"));
  import_command->add_option("paths", paths_, console_("文件夹或文件", "folders or files"))
      ->required();
  import_command->footer("  duhui-hub bundle import /media/usb");
  on(*import_command, &BundleCommands::import_files);
  auto* export_command = bundle->add_subcommand(
      "export", console_("写出给终端的回执、更正、任务等，只有那台终端能打开",
                         "write receipts, corrections, tasks for a device; only it can open them"));
  auto* device =
      export_command->add_option("--device", device_, console_("编号或名称", "id or name"));
  export_command->add_flag("--all", all_, console_("每台终端一份", "one for each device"))
      ->excludes(device);
  export_command->add_option("target", target_, console_("文件夹", "folder"))->required();
  export_command
      ->add_option("--part-size", part_bytes_,
                   console_("每个文件最大多少，如 512MiB", "of each file at most, like 512MiB"))
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str();
  export_command->footer(
      "  duhui-hub bundle export --device 荷塘区样例小学1 /media/usb\n"
      "  duhui-hub bundle export --all /media/usb");
  on(*export_command, &BundleCommands::export_files);
}

Result<int> BundleCommands::import_files() {
  DUHUI_TRY(caller, connect_());
  Json paths = Json::array();
  for (const std::string& path : paths_) paths.push_back(cli::whole_path(path));
  DUHUI_TRY(told, caller->post("/bundles/import", {{"paths", std::move(paths)}}));
  if (console_.json()) {
    console_.print(told);
  } else {
    cli::write_carried(console_, told);
  }
  return cli::exit_code_of(told);
}

Result<std::vector<std::string>> BundleCommands::devices(cli::Caller& caller) {
  if (all_ != device_.empty()) {
    return Error{ErrorCode::invalid_input, "say --device ID or NAME, or --all"};
  }
  if (!all_) return std::vector<std::string>{device_};
  DUHUI_TRY(body, caller.get("/devices"));
  std::vector<std::string> ids;
  for (const Json& device : body["devices"]) ids.push_back(device.value("id", ""));
  return ids;
}

Result<int> BundleCommands::export_files() {
  DUHUI_TRY(caller, connect_());
  DUHUI_TRY(ids, devices(*caller));
  std::error_code error;
  const std::string target = cli::whole_path(target_);
  if (all_ && !std::filesystem::is_directory(target, error)) {
    return Error{ErrorCode::invalid_input, "--all writes into a folder: " + target};
  }
  Json all = Json::array();
  for (const std::string& id : ids) {
    DUHUI_TRY(told,
              caller->post("/bundles/export",
                           {{"device", id}, {"target", target}, {"part_bytes", part_bytes_}}));
    if (!console_.json()) {
      console_.out() << told.value("device_name", "")
                     << (told.value("revoked", false) ? console_("（已吊销）", " (revoked)") : "")
                     << "\n";
      cli::write_exported(console_, told);
    }
    all.push_back(std::move(told));
  }
  if (console_.json()) console_.print({{"bundles", std::move(all)}});
  return 0;
}

}  // namespace duhui::hub

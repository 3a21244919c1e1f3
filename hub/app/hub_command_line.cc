// What can be typed: names, options, help and examples of the hub's own commands.

#include <CLI/CLI.hpp>

#include "hub/app/hub_commands.h"
#include "shared/cli/usage.h"

namespace duhui::hub {

void HubCommands::on(CLI::App& command, Work work) {
  command.callback([this, work] {
    *parts_.action = [this, work] {
      auto caller = parts_.connect();
      if (!caller) return console_.fail(caller.error());
      auto code = (this->*work)(**caller);
      return code ? *code : console_.fail(code.error());
    };
  });
}

void HubCommands::on(CLI::App& command, LocalWork work) {
  command.callback([this, work] {
    *parts_.action = [this, work] {
      auto settings = parts_.settings();
      if (!settings) return console_.fail(settings.error());
      if (!settings->problems.empty())
        return console_.fail(cli::settings_error(settings->problems));
      auto code = (this->*work)(settings->settings);
      return code ? *code : console_.fail(code.error());
    };
  });
}

void HubCommands::add_to(CLI::App& app) {
  add_life(app);
  add_tickets(app);
  add_devices(app);
  add_quarantine(app);
  add_keys(app);
}

void HubCommands::add_life(CLI::App& app) {
  auto* init_command = app.add_subcommand(
      "init", console_("建立中心：数据文件夹、密钥和编号", "make a hub: its folder, keys and id"));
  init_command->add_option("--name", options_.name, console_("中心名称", "name of the hub"));
  init_command->footer("  duhui-hub init --data ./hub --name 株洲市教育督导室");
  on(*init_command, &HubCommands::init);

  auto* serve_command = app.add_subcommand(
      "serve", console_("运行服务，直到 SIGTERM", "run the service until SIGTERM"));
  serve_command->add_option("--listen", options_.listen,
                            console_("终端接入地址，端口 0 为任选",
                                     "where devices connect, host:port; port 0: any free one"));
  serve_command->add_option("--http", options_.http_listen,
                            console_("本机接口地址", "where the API answers on this machine"));
  serve_command->add_option("--public-address", options_.address,
                            console_("凭证上写的地址", "address that tickets name"));
  serve_command->footer("  duhui-hub serve --data ./hub --listen 127.0.0.1:0 --json");
  on(*serve_command, &HubCommands::serve);

  auto* import_command = app.add_subcommand(
      "import", console_("导入登记数据：机构、学校、督学、账号、检查表等",
                         "take in registries: organisations, schools, people, templates ..."));
  import_command->add_option("--from", options_.folder, console_("文件夹", "folder"))->required();
  import_command->footer(
      console_("  duhui-hub import --from tests/data\n  再次导入同样的数据不会写入任何内容。",
               "  duhui-hub import --from tests/data\n  The same data again writes nothing."));
  on(*import_command, &HubCommands::import);

  auto* status_command = app.add_subcommand("status", console_("查看状态", "show how the hub is"));
  status_command->footer("  duhui-hub status --json");
  on(*status_command, &HubCommands::status);

  auto* config = app.add_subcommand("config", console_("设置", "settings"));
  config->require_subcommand(1);
  config->footer("  duhui-hub config check\n\n" + cli::exit_codes(console_));
  auto* check = config->add_subcommand(
      "check",
      console_("检查设置文件并显示生效的值", "check the settings file, show what is in force"));
  check->footer("  duhui-hub config check --config hub.toml");
  check->callback([this] {
    *parts_.action = [this] {
      auto code = check_config();
      return code ? *code : console_.fail(code.error());
    };
  });
}

void HubCommands::add_devices(CLI::App& app) {
  auto* device = app.add_subcommand("device", console_("终端", "devices"));
  device->require_subcommand(1);
  device->footer("  duhui-hub device list\n  duhui-hub device revoke 荷塘区样例小学1\n\n" +
                 cli::exit_codes(console_));
  auto* list = device->add_subcommand("list", console_("列出终端", "list the devices"));
  list->footer("  duhui-hub device list --json");
  on(*list, &HubCommands::list_devices);
  const auto add = [&](const std::string& name, const std::string& text, Work work) {
    auto* command = device->add_subcommand(name, text);
    command->add_option("device", options_.device, console_("编号或名称", "id or name"))
        ->required();
    command->footer("  duhui-hub device " + name + " 荷塘区样例小学1");
    on(*command, work);
  };
  add("show", console_("查看一台终端", "show a device"), &HubCommands::show_device);
  add("revoke", console_("吊销，立即生效", "revoke it, at once"), &HubCommands::revoke_device);
  add("restore", console_("恢复", "let it in again"), &HubCommands::restore_device);
}

}  // namespace duhui::hub

// Commands about the hub's TLS key.

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "hub/app/hub_commands.h"
#include "hub/app/hub_folder.h"
#include "hub/app/tls_rotation.h"
#include "shared/base/bytes.h"
#include "shared/cli/usage.h"
#include "shared/net/patience.h"
#include "shared/net/system_clock.h"

namespace duhui::hub {

void HubCommands::add_keys(CLI::App& app) {
  auto* key = app.add_subcommand(
      "key", console_("终端认得的中心密钥", "the key by which devices know the hub"));
  key->require_subcommand(1);
  key->footer("  duhui-hub key rotate\n\n" + cli::exit_codes(console_));
  auto* rotate = key->add_subcommand(
      "rotate",
      console_("更换 TLS 密钥（先停止服务）", "replace the TLS key (stop the service first)"));
  rotate->footer(console_(
      "  duhui-hub key rotate\n"
      "  旧密钥为新密钥签名，终端下次连接时自动换用，离线多久都行；未用的入网凭证仍然有效。",
      "  duhui-hub key rotate\n"
      "  The old key signs the new one: devices follow by themselves when they next connect, "
      "however\n"
      "  long they were away. Tickets that were not used yet stay good."));
  on(*rotate, &HubCommands::rotate_key);
}

Result<int> HubCommands::rotate_key(const HubSettings& settings) {
  auto folder = net::patiently([&] { return HubFolder::open(settings.data); });
  if (!folder && folder.error().code == ErrorCode::unavailable) {
    return Error{ErrorCode::unavailable, "key rotate: stop the service first: " + settings.data};
  }
  if (!folder) return std::move(folder).error();
  const std::string old_pin = to_hex((*folder)->tls().pin.view());
  DUHUI_TRY(pin, rotate_tls_key(**folder, net::SystemClock().wall()));
  const std::string new_pin = to_hex(pin.view());
  if (console_.json()) {
    console_.print({{"old_pin", old_pin}, {"pin", new_pin}});
  } else {
    console_.out() << console_("旧指纹  ", "old key  ") << old_pin << "\n"
                   << console_("新指纹  ", "new key  ") << new_pin << "\n"
                   << console_("现在启动服务；终端会自己换用新密钥。",
                               "Start the service; devices follow by themselves.")
                   << std::endl;
  }
  return static_cast<int>(cli::ExitCode::done);
}

}  // namespace duhui::hub

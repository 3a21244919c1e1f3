#include "hub/app/audit_commands.h"

#include <array>
#include <fstream>
#include <iomanip>
#include <utility>

#include <CLI/CLI.hpp>

#include "hub/api/audit_file.h"
#include "hub/app/out_file.h"
#include "shared/base/bytes.h"
#include "shared/cli/usage.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

constexpr std::uint32_t kEntriesAtOnce = 1000;
constexpr std::size_t kLineMax = 64 << 10;
constexpr int kDone = static_cast<int>(cli::ExitCode::done);
constexpr int kFailed = static_cast<int>(cli::ExitCode::failed);

std::string page_path(std::uint64_t after, std::uint32_t limit) {
  return "/audit?after=" + std::to_string(after) + "&limit=" + std::to_string(limit);
}

/// Every line of the file through the check.
Status read_lines(const std::string& path, AuditFileCheck& check) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{ErrorCode::not_found, path + ": cannot be read"};
  std::array<char, kLineMax> line{};
  for (;;) {
    file.getline(line.data(), line.size());
    const auto taken = static_cast<std::size_t>(file.gcount());
    if (file.eof()) {
      if (taken > 0) return Error{ErrorCode::corrupt_data, "the last line is cut off"};
      return check.finish();
    }
    if (!file) return Error{ErrorCode::corrupt_data, "a line that no export writes"};
    DUHUI_CHECK_OK(check.line({line.data(), taken - 1}));
  }
}

}  // namespace

Result<std::optional<PublicKey>> parse_hub_key(const std::string& text) {
  if (text.empty()) return std::optional<PublicKey>{};
  const auto key = PublicKey::from_bytes(from_hex(text).value_or(""));
  if (!key) return Error{ErrorCode::invalid_input, "hub-key: 64 hexadecimal digits"};
  return key;
}

void AuditCommands::on(CLI::App& command, Work work) {
  command.callback([this, work] {
    *action_ = [this, work] {
      auto code = (this->*work)();
      return code ? *code : console_.fail(code.error());
    };
  });
}

void AuditCommands::add_to(CLI::App& app) {
  auto* audit = app.add_subcommand(
      "audit", console_("审计日志：谁在何时做了什么", "audit log: who did what, and when"));
  audit->require_subcommand(1);
  audit->footer("  duhui-hub audit export audit.jsonl\n\n" + cli::exit_codes(console_));
  auto* list_command =
      audit->add_subcommand("list", console_("按时间列出", "list it, oldest first"));
  list_command->add_option("--after", after_,
                           console_("从这一条之后开始", "begin behind this entry"));
  list_command->add_option("--limit", limit_, console_("最多几条", "how many at most"))
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  list_command->footer("  duhui-hub audit list --after 1200");
  on(*list_command, &AuditCommands::list);

  auto* export_command = audit->add_subcommand(
      "export", console_("导出全部，附中心签名，可离线核对",
                         "write all of it, signed by the hub, to a file that proves itself"));
  export_command->add_option("file", file_, console_("写入的文件", "file to write"))->required();
  export_command->footer("  duhui-hub audit export audit.jsonl");
  on(*export_command, &AuditCommands::export_all);

  auto* verify_command = audit->add_subcommand(
      "verify", console_("核对导出的文件；不给文件则核对中心的日志",
                         "check an exported file; without one, the hub's own log"));
  verify_command->add_option("file", file_, console_("导出的文件", "an exported file"));
  verify_command->add_option("--hub-key", hub_key_,
                             console_("中心公钥（64 位十六进制）；默认采用文件中的公钥",
                                      "the hub's public key, hexadecimal; default: the file's"));
  verify_command->add_flag("--against-hub", against_hub_,
                           console_("并核对中心现在的日志仍以它开头",
                                    "and whether the hub's log of now still begins with it"));
  verify_command->footer("  duhui-hub audit verify audit.jsonl --against-hub");
  on(*verify_command, &AuditCommands::verify);
}

Result<int> AuditCommands::list() {
  DUHUI_TRY(caller, connect_());
  DUHUI_TRY(body, caller->get(page_path(after_, limit_)));
  if (console_.json()) {
    console_.print(body);
    return kDone;
  }
  for (const Json& one : body["entries"]) {
    const auto text = [&](const char* name) { return one.value(name, std::string()); };
    console_.out() << std::setw(6) << one.value("seq", std::uint64_t{0}) << "  " << text("at")
                   << "  " << text("actor") << "  " << text("action") << "  " << text("target_type")
                   << " " << text("target_id") << "  " << text("outcome") << "  " << text("detail")
                   << "\n";
  }
  console_.out() << std::flush;
  return kDone;
}

Result<int> AuditCommands::export_all() {
  DUHUI_TRY(caller, connect_());
  DUHUI_TRY(begun, caller->post("/audit/export", Json::object()));
  const auto id = from_uuid_text(begun.value("hub", std::string()));
  const auto hub = id ? HubId::from_bytes(*id) : std::nullopt;
  DUHUI_TRY(key, parse_hub_key(begun.value("hub_key", std::string())));
  if (!hub || !key) return Error{ErrorCode::corrupt_data, "export: the hub's id or key"};
  const Json& end = begun["checkpoint"];
  const std::uint64_t last = end.value("seq", std::uint64_t{0});
  DUHUI_TRY(file, OutFile::open(file_));
  DUHUI_CHECK_OK(file->append(audit_file_head(*hub, *key) + "\n"));
  for (std::uint64_t after = 0; after < last;) {
    const auto limit =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(last - after, kEntriesAtOnce));
    DUHUI_TRY(page, caller->get(page_path(after, limit)));
    if (page["entries"].empty()) return Error{ErrorCode::corrupt_data, "export: entries are gone"};
    for (const Json& entry : page["entries"]) {
      DUHUI_CHECK_OK(file->append(audit_file_entry(entry) + "\n"));
    }
    after += page["entries"].size();
  }
  DUHUI_CHECK_OK(file->append(audit_file_end(end) + "\n"));
  DUHUI_CHECK_OK(file->finish());
  if (console_.json()) {
    console_.print({{"file", file_}, {"entries", last}, {"hub_key", to_hex(key->view())}});
    return kDone;
  }
  console_.out() << console_("审计日志已导出：", "audit log written: ") << file_
                 << console_("，共 ", ", entries ") << last << "\n"
                 << console_("  中心公钥指纹  ", "  hub's key  ") << key_fingerprint(*key)
                 << std::endl;
  return kDone;
}

Result<int> AuditCommands::verify() {
  return file_.empty() ? verify_hub(Json::object()) : verify_file();
}

Result<int> AuditCommands::verify_file() {
  DUHUI_TRY(expected, parse_hub_key(hub_key_));
  AuditFileCheck check(expected);
  const Status sound = read_lines(file_, check);
  if (!sound && sound.error().code != ErrorCode::corrupt_data) return sound.error();
  const std::string key = check.key() ? key_fingerprint(*check.key()) : "";
  if (sound && against_hub_) {
    if (!console_.json()) {
      console_.out() << console_("文件完好：共 ", "the file is sound: entries ") << check.entries()
                     << std::endl;
    }
    return verify_hub({{"seq", check.entries()}, {"chain", to_hex(check.chain())}});
  }
  if (console_.json()) {
    console_.print({{"ok", sound.has_value()},
                    {"entries", check.entries()},
                    {"problem", sound ? "" : sound.error().detail},
                    {"key_fingerprint", key}});
    return sound ? kDone : kFailed;
  }
  if (sound) {
    console_.out() << console_("完好：共 ", "sound: entries ") << check.entries() << "\n";
  } else {
    console_.out() << console_("已被改动或不完整：", "changed or incomplete: ")
                   << sound.error().detail << "\n";
  }
  console_.out() << console_("  中心公钥指纹  ", "  hub's key  ") << key << std::endl;
  return sound ? kDone : kFailed;
}

Result<int> AuditCommands::verify_hub(const Json& earlier) {
  DUHUI_TRY(caller, connect_());
  DUHUI_TRY(body, caller->post("/audit/verify", earlier));
  const bool ok = body.value("ok", false);
  if (console_.json()) {
    console_.print(body);
    return ok ? kDone : kFailed;
  }
  console_.out() << (ok ? console_("中心日志完好：共 ", "the hub's log is sound: entries ")
                        : console_("中心日志有问题：共 ", "the hub's log is damaged: entries "))
                 << body["entries"] << console_("，签名 ", ", signatures ") << body["checkpoints"]
                 << "\n";
  if (!ok) console_.out() << "  ! " << body.value("problem", std::string()) << "\n";
  console_.out() << std::flush;
  return ok ? kDone : kFailed;
}

}  // namespace duhui::hub

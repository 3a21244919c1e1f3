#include "hub/app/hub_commands.h"

#include <iomanip>
#include <utility>

#include <nlohmann/json.hpp>

#include "hub/app/hub_folder.h"
#include "hub/app/hub_log.h"
#include "hub/app/json_words.h"
#include "hub/app/registry_files.h"
#include "hub/app/serve.h"
#include "shared/base/bytes.h"
#include "shared/cli/progress.h"
#include "shared/crypto/system_random.h"
#include "shared/net/patience.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kRowsAtOnce = 200;
constexpr int kDone = static_cast<int>(cli::ExitCode::done);

/// "orgs.json: line 12: ..." for the API's "row 3: ..." of a part of the file.
Error in_file(Error error, const RegistryFile& file, std::size_t first) {
  const std::string mark = "row ";
  if (!error.detail.starts_with(mark)) {
    error.detail = file.name + ": " + error.detail;
    return error;
  }
  std::size_t row = 0;
  std::size_t at = mark.size();
  for (; at < error.detail.size() && error.detail[at] >= '0' && error.detail[at] <= '9'; ++at) {
    row = row * 10 + static_cast<std::size_t>(error.detail[at] - '0');
  }
  const std::size_t index = first + row - 1;
  const std::string place = row > 0 && index < file.places.size() ? file.places[index] : "row";
  error.detail = file.name + ": " + place + error.detail.substr(at);
  return error;
}

Result<Json> import_file(cli::Caller& caller, const RegistryFile& file, cli::Progress& progress) {
  Json counts = {{"file", file.name}, {"kind", file.kind}, {"rows", 0},
                 {"created", 0},      {"changed", 0},      {"unchanged", 0}};
  for (std::size_t first = 0; first < file.rows.size(); first += kRowsAtOnce) {
    const std::size_t end = std::min(file.rows.size(), first + kRowsAtOnce);
    Json rows = Json::array();
    for (std::size_t n = first; n < end; ++n) rows.push_back(file.rows[n]);
    auto taken = caller.post("/import", {{"kind", file.kind}, {"rows", std::move(rows)}});
    if (!taken) return in_file(std::move(taken).error(), file, first);
    for (const char* name : {"rows", "created", "changed", "unchanged"}) {
      counts[name] = counts[name].get<std::uint64_t>() + taken->value(name, std::uint64_t{0});
    }
    progress.advance(end - first);
  }
  return counts;
}

std::string why_skipped(const cli::Console& console, SkippedFile::Reason reason) {
  switch (reason) {
    case SkippedFile::Reason::records:
      return console("由人填写的记录：用 record import 导入",
                     "records that people make: take them in with record import");
    case SkippedFile::Reason::devices:
      return console("终端凭入网凭证登记：用 ticket create",
                     "devices enrol with a ticket: ticket create");
    case SkippedFile::Reason::unknown:
      return console("不是登记数据", "no registry");
  }
  return {};
}

}  // namespace

Result<int> HubCommands::init(const HubSettings& settings) {
  SystemRandom random;
  const std::string name = options_.name.empty() ? settings.name : options_.name;
  DUHUI_CHECK_OK(HubFolder::create(settings.data, name, random));
  DUHUI_TRY(folder, net::patiently([&] { return HubFolder::open(settings.data); }));
  const std::string id = to_uuid_text(folder->id().view());
  const std::string pin = to_hex(folder->tls().pin.view());
  if (console_.json()) {
    console_.print({{"id", id}, {"name", name}, {"data", settings.data}, {"pin", pin}});
    return kDone;
  }
  console_.out() << console_("中心已建立：", "hub made: ") << settings.data << "\n  "
                 << console_("编号  ", "id    ") << id << "\n  "
                 << console_("公钥指纹  ", "TLS key  ") << pin << "\n"
                 << console_("下一步：", "next: ") << "duhui-hub serve --data " << settings.data
                 << std::endl;
  return kDone;
}

Result<int> HubCommands::serve(const HubSettings& given) {
  HubSettings settings = given;
  if (!options_.listen.empty()) {
    DUHUI_TRY(address, parse_listen_address(options_.listen));
    settings.devices = std::move(address);
  }
  if (!options_.http_listen.empty()) {
    DUHUI_TRY(address, parse_listen_address(options_.http_listen));
    DUHUI_CHECK_OK(check_http(address));
    settings.http = std::move(address);
  }
  if (!options_.address.empty()) settings.public_address = options_.address;
  // A short command may have it for a moment.
  DUHUI_TRY(folder, net::patiently([&] { return HubFolder::open(settings.data); }));
  DUHUI_CHECK_OK(open_log(settings.data, settings.log_level, settings.log_bytes_max));
  DUHUI_CHECK_OK(serve_hub(*folder, settings, parts_.version, [this](const Json& addresses) {
    if (console_.json()) {
      Json line = addresses;
      line["event"] = "ready";
      console_.print(line);
      return;
    }
    console_.out() << console_("中心就绪。终端接入 ", "hub ready. devices: ")
                   << text_of(addresses, "devices") << console_("，接口 ", ", API: ")
                   << text_of(addresses, "http") << std::endl;
  }));
  return kDone;
}

Result<int> HubCommands::check_config() {
  DUHUI_TRY(read, parts_.settings());
  return cli::report_settings(console_, settings_file(read.settings), read.file, read.problems);
}

Result<int> HubCommands::import(cli::Caller& caller) {
  DUHUI_TRY(folder, read_registry_folder(options_.folder));
  std::size_t total = 0;
  for (const RegistryFile& file : folder.files) total += file.rows.size();
  Json report = {{"files", Json::array()},
                 {"skipped", Json::array()},
                 {"rows", 0},
                 {"created", 0},
                 {"changed", 0},
                 {"unchanged", 0}};
  for (const SkippedFile& file : folder.skipped) {
    report["skipped"].push_back({{"file", file.name}, {"reason", to_string(file.reason)}});
  }
  {
    cli::Progress progress(console_("导入", "import"), total);
    for (const RegistryFile& file : folder.files) {
      DUHUI_TRY(counts, import_file(caller, file, progress));
      for (const char* name : {"rows", "created", "changed", "unchanged"}) {
        report[name] = report[name].get<std::uint64_t>() + counts[name].get<std::uint64_t>();
      }
      report["files"].push_back(std::move(counts));
    }
  }
  if (console_.json()) {
    console_.print(report);
    return kDone;
  }
  for (const Json& file : report["files"]) {
    console_.out() << "  " << std::left << std::setw(40) << text_of(file, "file") << std::right
                   << std::setw(6) << file["rows"] << "  +" << file["created"] << "  ~"
                   << file["changed"] << "\n";
  }
  for (const SkippedFile& file : folder.skipped) {
    console_.out() << "  " << std::left << std::setw(40) << file.name << std::right
                   << console_("跳过：", "skipped: ") << why_skipped(console_, file.reason) << "\n";
  }
  console_.out() << console_("共 ", "rows ") << report["rows"] << console_(" 行：新增 ", ": new ")
                 << report["created"] << console_("，更新 ", ", changed ") << report["changed"]
                 << console_("，未变 ", ", unchanged ") << report["unchanged"] << std::endl;
  return kDone;
}

Result<int> HubCommands::status(cli::Caller& caller) {
  DUHUI_TRY(body, caller.get("/status"));
  if (console_.json()) {
    console_.print(body);
    return kDone;
  }
  const bool serving = body.value("serving", false);
  console_.out() << text_of(body, "name") << "  " << text_of(body, "id") << "  "
                 << (serving ? console_("运行中", "running") : console_("未运行", "not running"))
                 << "\n";
  if (serving) {
    console_.out() << console_("  终端接入  ", "  devices    ")
                   << text_of(body["addresses"], "devices") << "\n"
                   << console_("  接口      ", "  API        ")
                   << text_of(body["addresses"], "http") << "\n";
  }
  const Json& devices = body["devices"];
  const Json& files = body["files"];
  console_.out() << console_("  终端      ", "  devices    ") << devices["enrolled"]
                 << console_(" 台，在线 ", ", connected ") << devices["connected"] << "\n"
                 << console_("  文件      ", "  files      ") << files["whole"]
                 << console_(" 个完整，", " whole, ") << files["bytes"]
                 << console_(" 字节；未到齐 ", " bytes; in parts ") << files["parts"]
                 << console_("；已签收 ", "; receipts ") << files["counters"]["receipts"] << "\n"
                 << console_("  操作      ", "  ops        ") << body["ops"]
                 << console_("，范围 ", ", scopes ") << body["scopes"] << "\n"
                 << console_("  待处理分歧  ", "  open conflicts  ") << body["open_conflicts"]
                 << console_("，待审  ", ", quarantine ") << body["quarantine"] << std::endl;
  return kDone;
}

Result<int> HubCommands::list_devices(cli::Caller& caller) {
  DUHUI_TRY(body, caller.get("/devices"));
  if (console_.json()) {
    console_.print(body);
    return kDone;
  }
  for (const Json& device : body["devices"]) {
    const bool revoked = device.value("revoked", false);
    const bool connected = device.value("connected", false);
    console_.out() << text_of(device, "id") << "  "
                   << (revoked     ? console_("已吊销", "revoked")
                       : connected ? console_("在线  ", "online ")
                                   : console_("离线  ", "offline"))
                   << "  " << std::setw(8) << device["head"] << "  "
                   << text_of(device, "last_seen_at") << "  " << text_of(device, "name");
    if (!device["flags"].empty()) console_.out() << "  ! " << joined(device["flags"]);
    console_.out() << "\n";
  }
  console_.out() << std::flush;
  return kDone;
}

Result<std::string> HubCommands::device_id(cli::Caller& caller) {
  if (from_uuid_text(options_.device)) return options_.device;
  DUHUI_TRY(body, caller.get("/devices"));
  std::string found;
  for (const Json& device : body["devices"]) {
    if (text_of(device, "name") != options_.device) continue;
    if (!found.empty()) {
      return Error{ErrorCode::invalid_input, "several devices have this name: use the id"};
    }
    found = text_of(device, "id");
  }
  if (found.empty()) return Error{ErrorCode::not_found, "no such device: " + options_.device};
  return found;
}

Result<int> HubCommands::show_device(cli::Caller& caller) {
  DUHUI_TRY(id, device_id(caller));
  DUHUI_TRY(device, caller.get("/devices/" + id));
  if (console_.json()) {
    console_.print(device);
    return kDone;
  }
  for (const auto& [name, value] : device.items()) {
    console_.out() << "  " << std::left << std::setw(18) << name << std::right
                   << (value.is_array() ? joined(value) : text_of(device, name.c_str())) << "\n";
  }
  console_.out() << std::flush;
  return kDone;
}

Result<int> HubCommands::change_device(cli::Caller& caller, const std::string& verb) {
  DUHUI_TRY(id, device_id(caller));
  DUHUI_TRY(device, caller.post("/devices/" + id + "/" + verb, Json::object()));
  if (console_.json()) {
    console_.print(device);
    return kDone;
  }
  console_.out() << text_of(device, "name") << ": "
                 << (device.value("revoked", false) ? console_("已吊销", "revoked")
                                                    : console_("已恢复", "restored"))
                 << std::endl;
  return kDone;
}

Result<int> HubCommands::revoke_device(cli::Caller& caller) {
  return change_device(caller, "revoke");
}

Result<int> HubCommands::restore_device(cli::Caller& caller) {
  return change_device(caller, "restore");
}

}  // namespace duhui::hub

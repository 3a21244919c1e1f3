#include "agent/app/status_text.h"

#include <array>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace duhui::agent {
namespace {

using Json = nlohmann::json;

std::string link_text(const cli::Console& say, const std::string& state, bool caught_up) {
  if (state == "live" && caught_up)
    return say("已连接，双方一致", "connected, both sides hold the same");
  if (state == "live") return say("已连接，正在交换", "connected, exchanging");
  if (state == "connecting") return say("正在连接", "connecting");
  if (state == "disabled") return say("已手动断开", "switched off");
  return say("离线（照常填写，联网后自动送达）",
             "offline (work on; it is sent when there is a network)");
}

/// What the hub said, in words for the person at the school; what is not known stays as it is.
std::string reason_text(const cli::Console& say, const std::string& reason) {
  struct Known {
    std::string_view reason;
    const char* zh;
    const char* en;
  };
  static constexpr std::array kKnown = {
      Known{"unavailable: the vault is locked", "本机磁盘被还原过，等督学在本机登录后继续上传",
            "this disk was put back; sending goes on once a supervisor signs in here"},
      Known{"hub: ticket: used up", "入网凭证次数已用完", "the enrolment ticket is used up"},
      Known{"hub: ticket: expired", "入网凭证已过期", "the enrolment ticket has expired"},
      Known{"hub: ticket: revoked", "入网凭证已作废", "the enrolment ticket was revoked"},
      Known{"hub: ticket: unknown", "中心不认识这张入网凭证", "the hub knows no such ticket"},
      Known{"hub: ticket: too many wrong tries", "错误的凭证太多，稍后自动再试",
            "too many wrong tickets from there; it tries again by itself"}};
  for (const Known& known : kKnown) {
    if (reason == known.reason) return say(known.zh, known.en) + ("  (" + reason + ")");
  }
  return reason;
}

void write_roads(cli::Console& console, const Json& link) {
  auto& out = console.out();
  if (const Json problem = link.value("road_problem", Json()); problem.is_object()) {
    const std::string zh = problem.value("zh", "");
    const std::string en = problem.value("en", "");
    out << console("网络", "network") << ": " << console(zh.c_str(), en.c_str()) << "\n";
  }
  const Json roads = link.value("roads", Json::object());
  for (const auto& [name, road] : roads.items()) {
    const bool in_use = link.value("road", Json()) == name;
    const Json success = road.value("last_success", Json());
    if (!success.is_string()) continue;
    out << console("通道", "road") << " " << (name == "https" ? "HTTPS" : "WebSocket")
        << (in_use ? console("（正在使用）", " (in use)") : "") << ": "
        << console("最近一次成功 ", "last success ") << success.get<std::string>()
        << console("，发出 ", ", sent ") << road["bytes_written"]
        << console(" 字节，收到 ", " bytes, received ") << road["bytes_read"]
        << console(" 字节", " bytes") << "\n";
  }
}

/// "1.5 MB"; bytes as they are below 10 kB.
std::string amount(std::uint64_t bytes) {
  constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  std::uint64_t tenths = bytes * 10;
  while (tenths >= 100'000 && unit + 1 < kUnits.size()) {
    tenths /= 1000;
    ++unit;
  }
  std::string text = std::to_string(tenths / 10);
  if (unit > 0) text += "." + std::to_string(tenths % 10);
  return text + " " + kUnits[unit];
}

void write_transfer(cli::Console& console, const Json& transfer) {
  auto& out = console.out();
  out << console("待送文件", "files waiting") << ": " << transfer["files_waiting"]
      << console("，共 ", ", ") << amount(transfer["bytes_waiting"])
      << console(" 中心还没有", " that the hub does not have");
  if (transfer["files_absent"] > 0) {
    out << console("；其中本机没有的 ", "; not on this device: ") << transfer["files_absent"];
  }
  if (transfer["files_refused"] > 0) {
    out << console("；中心不收的 ", "; refused by the hub: ") << transfer["files_refused"];
  }
  out << "\n";
  const Json& counters = transfer["counters"];
  out << console("文件传输", "files sent") << ": " << counters["file_receipts"]
      << console(" 个已签收，发出 ", " receipt(s), ") << amount(counters["piece_bytes_sent"])
      << console("，其中重发 ", ", of it again ") << amount(counters["piece_bytes_resent"]) << "\n";
  const Json& month = transfer["month"];
  const std::string zh = month["words"].value("zh", "");
  const std::string en = month["words"].value("en", "");
  out << console("本月流量", "this month") << ": " << amount(month["total"]);
  if (month["limit"] > 0) out << console("，限 ", " of ") << amount(month["limit"]);
  out << console("（文字 ", " (text ") << amount(month["text"])
      << console("，缩略图 ", ", thumbnails ") << amount(month["thumbnails"])
      << console("，文件 ", ", files ") << amount(month["files"])
      << console("，传输开销 ", ", around them ") << amount(month["carrying"]) << console("）", ")")
      << "\n  " << console(zh.c_str(), en.c_str()) << "\n";
}

}  // namespace

void write_status(cli::Console& console, const Json& status) {
  auto& out = console.out();
  const Json& device = status["device"];
  const Json& link = status["link"];
  const std::string name = device.value("name", "");
  out << "duhui-agent " << status.value("version", "") << "\n";
  out << console("设备", "device") << ": " << (name.empty() ? device.value("id", "") : name)
      << (device.value("enrolled", false)
              ? ""
              : console("（尚未经中心确认）", " (not confirmed by the hub yet)"))
      << "\n";
  out << console("中心", "hub") << ": " << status.value("hub", "") << "  "
      << link_text(console, link.value("state", ""), link.value("caught_up", false)) << "\n";
  if (link.value("revoked", false)) {
    out << console(
               "本机已被中心吊销：照常填写，送达的内容由中心人员决定是否采用；收不到中心的内容。",
               "The hub has revoked this device: work on; a person at the hub decides about what "
               "it sends, and nothing comes from the hub.")
        << "\n";
  }
  write_roads(console, link);
  if (const std::string error = link.value("last_error", ""); !error.empty()) {
    out << console("最近一次断开的原因", "last reason for a broken link") << ": "
        << reason_text(console, error) << "\n";
  }
  out << console("已存本机", "saved here") << ": " << status["head"] << console(" 次修改", " op(s)")
      << "\n";
  out << console("已送达中心", "durable at the hub") << ": " << status["acknowledged"]
      << console("，待送 ", ", waiting ") << status["unacknowledged"]
      << console("，已备份 ", ", backed up ") << status["backed_up"] << "\n";
  if (const Json receipt = status.value("receipt", Json()); receipt.is_object()) {
    out << console("中心签收", "the hub's signed receipt") << ": " << console("至第 ", "up to op ")
        << receipt["seq"] << console(" 条，", ", ") << receipt.value("at", "")
        << console("，签收码 ", ", code ") << receipt.value("code", "") << "\n";
  }
  write_transfer(console, status["transfer"]);
  out << console("记录", "records") << ": " << status["records"]["total"];
  for (const auto& [type, count] : status["records"]["by_type"].items()) {
    out << "  " << type << " " << count;
  }
  out << "\n"
      << console("未处理的分歧", "open conflicts") << ": " << status["open_conflicts"]
      << console("，隔离 ", ", quarantined ") << status["quarantine"] << "\n";
  if (status.value("vault", "") == "locked") {
    out << console("督导资料已加锁：以上只计学校可知的内容；督学登录后打开。",
                   "What the school may not read is locked: the figures above are without it. It "
                   "opens when a supervisor signs in.")
        << "\n";
  }
  for (const Json& scope : status["scopes"]) {
    out << "  " << scope.value("scope", "") << "  " << console("已收到 ", "received through ")
        << scope["through"] << "\n";
  }
  const Json& storage = status["storage"];
  const std::string outcome = storage.value("outcome", "opened");
  if (outcome != "opened" && outcome != "created") {
    out << console("存储", "storage") << ": " << outcome << ": " << storage.value("damage", "")
        << "\n";
    if (!storage.value("set_aside", "").empty()) {
      out << console("  损坏的数据保存在 ", "  the damaged data is kept in ")
          << storage.value("set_aside", "") << "\n";
    }
  }
  if (storage.value("lost", 0) > 0) {
    out << console("  无法找回的修改：", "  ops that could not be recovered: ") << storage["lost"]
        << "\n";
  }
  if (const Json& skew = status["clock"]["skew"]; !skew.is_null()) {
    out << (skew == "ahead" ? console("本机时钟比中心快，请校正。",
                                      "This device's clock is ahead of the hub's; please set it.")
                            : console("本机时钟比中心慢，请校正。",
                                      "This device's clock is behind the hub's; please set it."))
        << "\n";
  }
  out << std::flush;
}

}  // namespace duhui::agent

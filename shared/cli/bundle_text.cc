#include "shared/cli/bundle_text.h"

#include <filesystem>
#include <system_error>

#include <nlohmann/json.hpp>

namespace duhui::cli {
namespace {

using Json = nlohmann::json;

std::string text_of(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::uint64_t number_of(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : 0;
}

struct Words {
  std::string_view code;
  std::string_view zh;
  std::string_view en;
};

constexpr Words kReasons[] = {
    {"invalid_input", "不是督汇的交换文件", "not a bundle"},
    {"corrupt_data", "文件不完整或被改动", "incomplete or changed"},
    {"refused", "不是给这里的，或不能采用", "not for here, or not to be taken"},
    {"conflict", "本机的数据流出现分叉", "the device's stream has forked"},
    {"limit_exceeded", "超出限制", "over a limit"},
    {"not_found", "找不到文件", "no such file"},
    {"storage_failed", "读写失败", "cannot be read"},
    {"unavailable", "暂时不能处理，请再试", "not now: try again"},
};

constexpr Words kResults[] = {
    {"taken", "已导入", "taken"},
    {"known", "没有新内容", "nothing new"},
    {"waiting", "等待前面的部分：请一起再导入一次",
     "waits for an earlier part: import it again with that"},
    {"fork", "数据流分叉：请让这台终端联网一次",
     "the stream has forked: connect this device once by a network"},
    {"skipped", "跳过", "skipped"},
};

template <std::size_t n>
std::string word(Console& console, const Words (&words)[n], const std::string& code) {
  for (const Words& one : words) {
    if (one.code == code) return console(one.zh, one.en);
  }
  return code;
}

struct Count {
  const char* name;
  std::string_view zh;
  std::string_view en;
};

constexpr Count kCounts[] = {
    {"ops", "修改", "ops"},
    {"quarantined", "其中待审", "of them waiting for a decision"},
    {"waiting_ops", "未接上", "not taken yet"},
    {"acknowledged", "已送达中心", "at the hub"},
    {"attachments", "附件已签收", "attachments signed for"},
    {"attachment_bytes", "附件字节", "bytes of attachments"},
    {"waiting_attachments", "未接收的附件", "attachments not taken yet"},
    {"records", "有变化的记录", "records changed"},
};

}  // namespace

void write_carried(Console& console, const Json& told) {
  for (const Json& file : told.value("files", Json::array())) {
    console.out() << word(console, kResults, text_of(file, "result")) << "  "
                  << text_of(file, "path");
    if (const std::string device = text_of(file, "device_name"); !device.empty()) {
      console.out() << "  " << device;
    }
    for (const Count& count : kCounts) {
      if (const std::uint64_t value = number_of(file, count.name); value > 0) {
        console.out() << console("，", ", ") << console(count.zh, count.en) << " " << value;
      }
    }
    if (const std::string why = text_of(file, "waiting_for"); !why.empty()) {
      console.out() << " (" << why << ")";
    }
    if (file.value("revoked", false)) {
      console.out() << console("，终端已吊销", ", the device is revoked");
    }
    const auto reason = file.find("reason");
    if (reason != file.end() && reason->is_object()) {
      console.out() << "\n    " << word(console, kReasons, text_of(*reason, "code")) << ": "
                    << text_of(*reason, "detail");
    }
    console.out() << "\n";
  }
  if (told.value("files", Json::array()).empty()) {
    console.out() << console("没有找到交换文件（.dhb）", "no bundles (.dhb) found") << "\n";
  }
  console.out() << std::flush;
}

void write_exported(Console& console, const Json& told) {
  for (const Json& file : told.value("files", Json::array())) {
    console.out() << console("已写入并核对：", "written and read back: ") << text_of(file, "path")
                  << console("，修改 ", ", ops ") << number_of(file, "ops")
                  << console("，附件 ", ", attachments ") << number_of(file, "attachments")
                  << console("，字节 ", ", bytes ") << number_of(file, "bytes") << "\n";
  }
  console.out() << std::flush;
}

int exit_code_of(const Json& told) {
  for (const Json& file : told.value("files", Json::array())) {
    const std::string result = text_of(file, "result");
    if (result == "taken" || result == "known") continue;
    // A stick holds what is for others, too.
    const auto reason = file.find("reason");
    const bool foreign = reason != file.end() && file.value("foreign", false);
    if (!foreign) return static_cast<int>(ExitCode::failed);
  }
  return static_cast<int>(ExitCode::done);
}

std::string whole_path(const std::string& path) {
  std::error_code gone;
  const auto whole = std::filesystem::absolute(path, gone);
  return gone ? path : whole.string();
}

}  // namespace duhui::cli

#include "agent/app/attach_command.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include <CLI/CLI.hpp>

#include "shared/api/router.h"
#include "shared/base/bytes.h"
#include "shared/cli/assignments.h"
#include "shared/crypto/digest.h"

namespace duhui::agent {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kPieceBytes = 1 << 20;
/// Of the hash: enough to tell the files of one record apart, and the same for the same file.
constexpr std::size_t kIdDigits = 16;

/// A file of the person who types, read from the front.
class LocalFile {
 public:
  static Result<LocalFile> open(const std::string& path) {
    LocalFile file;
    std::error_code denied;
    const bool plain = std::filesystem::is_regular_file(path, denied);
    if (!plain) return Error{ErrorCode::not_found, "file: " + path + ": not a file"};
    file.size_ = std::filesystem::file_size(path, denied);
    file.stream_.open(path, std::ios::binary);
    if (denied || !file.stream_) return Error{ErrorCode::storage_failed, "file: " + path};
    file.path_ = path;
    return file;
  }

  std::uint64_t size() const { return size_; }
  std::string name() const { return std::filesystem::path(path_).filename().string(); }

  Result<std::string> read(std::uint64_t offset) {
    std::string bytes(kPieceBytes, '\0');
    stream_.clear();
    stream_.seekg(static_cast<std::streamoff>(offset));
    stream_.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (stream_.bad()) return Error{ErrorCode::storage_failed, "file: " + path_};
    bytes.resize(static_cast<std::size_t>(stream_.gcount()));
    if (bytes.empty()) return Error{ErrorCode::storage_failed, "file: " + path_ + ": it changed"};
    return bytes;
  }

  Result<std::string> hash() {
    DigestStream digest;
    for (std::uint64_t at = 0; at < size_;) {
      DUHUI_TRY(piece, read(at));
      digest.add(piece);
      at += piece.size();
    }
    return to_hex(digest.take().view());
  }

 private:
  std::string path_;
  std::uint64_t size_ = 0;
  std::ifstream stream_;
};

}  // namespace

void AttachCommand::add_to(CLI::App& app) {
  auto* command = app.add_subcommand(
      "attach", console_("给记录添加照片或文件", "add photos or files to a record"));
  command->add_option("record", record_, console_("记录编号", "id of the record"))->required();
  command->add_option("files", files_, console_("照片或文件", "photos or files"))->required();
  command->add_option(
      "--type", type_,
      console_("记录类型（编号不是 UUID 时）", "its type, where the id is no UUID"));
  command->add_option("--field", field_, console_("添加到哪个字段", "the field that lists them"))
      ->capture_default_str();
  command->add_option("--caption", caption_, console_("说明文字", "what they show"));
  command->add_flag("--keep-location", keep_location_,
                    console_("记下照片的拍摄地点", "note where photos were taken"));
  auto* person = command->add_option("--as", person_, console_("添加的人", "who adds them"));
  person->required();
  command
      ->add_option("--password-file", password_file_,
                   console_("以此人的密码登录：文件，- 为标准输入",
                            "sign in with that person's password: a file, - for standard input"))
      ->required();
  command->footer(
      "  duhui-agent attach 0192f0c1-8a00-7000-8000-0123456789ab IMG_0001.jpg \\\n"
      "    --caption 食堂后厨 --as u-sup-001 --password-file pw.txt");
  command->callback([this] {
    *action_ = [this] {
      auto code = run();
      return code ? *code : console_.fail(code.error());
    };
  });
}

Result<int> AttachCommand::run() {
  DUHUI_TRY(caller, connect_());
  DUHUI_TRY(password, cli::read_password_file(password_file_));
  DUHUI_TRY(session, caller->sign_in(person_, password));
  static_cast<void>(session);
  auto code = attach(*caller);
  caller->sign_out();
  return code;
}

Result<Json> AttachCommand::hand_in(cli::Caller& caller, const std::string& path) {
  DUHUI_TRY(file, LocalFile::open(path));
  DUHUI_TRY(hash, file.hash());
  DUHUI_TRY(upload, caller.post("/files", {{"name", file.name()},
                                           {"size", file.size()},
                                           {"sha256", hash},
                                           {"keep_location", keep_location_}}));
  const std::string target = "/files/uploads/" + upload.value("id", "");
  while (upload["file"].is_null()) {
    const std::uint64_t offset = upload.value("offset", std::uint64_t{0});
    std::string piece;
    if (offset < file.size()) {
      DUHUI_TRY(read, file.read(offset));
      piece = std::move(read);
    }
    const api::ApiResponse answer = caller.send_piece(target, offset, piece);
    if (auto error = api::error_of(answer)) {
      error->detail = path + ": " + error->detail;
      return std::move(*error);
    }
    upload = answer.body;
  }
  return upload["file"];
}

Json AttachCommand::attachment(const Json& file) const {
  Json value = {{"file_name", file["file_name"]},
                {"mime", file["mime"]},
                {"sha256", file["sha256"]},
                {"size", file["size"]},
                {"by", person_}};
  for (const char* name : {"thumbnail", "taken_at", "original"}) {
    if (file.contains(name)) value[name] = file[name];
  }
  if (!caption_.empty()) value["caption"] = caption_;
  if (field_ != "attachments") return value;
  value["id"] = "f-" + file.value("sha256", "").substr(0, kIdDigits);
  value["kind"] = file["kind"] == "photo" ? "photo" : "document";
  if (file.contains("geo")) {
    value["lat"] = file["geo"]["lat"];
    value["lon"] = file["geo"]["lon"];
  }
  return value;
}

Result<int> AttachCommand::attach(cli::Caller& caller) {
  Json files = Json::array();
  Json edits = Json::array();
  for (const std::string& path : files_) {
    DUHUI_TRY(file, hand_in(caller, path));
    edits.push_back({{"do", "add"}, {"field", field_}, {"value", attachment(file)}});
    file.erase("thumbnail");
    files.push_back(std::move(file));
  }
  const std::string query = type_.empty() ? "" : "?type=" + api::percent_encoded(type_);
  const Json body = {{"as", person_}, {"edits", std::move(edits)}};
  DUHUI_TRY(saved,
            caller.post("/records/" + api::percent_encoded(record_) + "/edits" + query, body));
  if (console_.json()) {
    saved["files"] = std::move(files);
    console_.print(saved);
    return 0;
  }
  for (const Json& file : files) {
    console_.out() << console_("已存本机 ", "saved here ") << file.value("file_name", "") << " "
                   << file["size"] << " " << file.value("sha256", "") << "\n";
  }
  console_.out() << std::flush;
  return 0;
}

}  // namespace duhui::agent

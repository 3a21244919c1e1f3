#include "hub/app/proof_commands.h"

#include <fstream>
#include <utility>

#include <CLI/CLI.hpp>

#include "hub/api/proof_desk.h"
#include "hub/app/audit_commands.h"
#include "hub/app/out_file.h"
#include "shared/cli/usage.h"
#include "shared/crypto/text.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

constexpr int kDone = static_cast<int>(cli::ExitCode::done);
constexpr int kFailed = static_cast<int>(cli::ExitCode::failed);

std::string text_of(const Json& value, const char* name) {
  return value.value(name, std::string());
}

}  // namespace

void ProofCommands::on(CLI::App& command, Work work) {
  command.callback([this, work] {
    *action_ = [this, work] {
      auto code = (this->*work)();
      return code ? *code : console_.fail(code.error());
    };
  });
}

void ProofCommands::add_to(CLI::App& app) {
  auto* proof = app.add_subcommand(
      "proof", console_("签名档案：可离线证明督导记录未被改动",
                        "signed archives: prove without the hub that records are unaltered"));
  proof->require_subcommand(1);
  proof->footer("  duhui-hub proof export --all archive.proof\n\n" + cli::exit_codes(console_));
  auto* export_command = proof->add_subcommand(
      "export", console_("导出一条记录或全部", "write one record, or everything, to a file"));
  const auto add_record = [this](CLI::App& command) {
    auto* record =
        command.add_option("--record", record_, console_("记录编号", "id of the record"));
    command.add_option(
        "--type", type_,
        console_("记录类型，用于登记数据的编号", "its type, where the id is that of a registry"));
    command.add_flag("--all", all_, console_("全部记录", "everything"))->excludes(record);
  };
  add_record(*export_command);
  export_command->add_option("file", file_, console_("写入的文件", "file to write"))->required();
  export_command->footer(
      "  duhui-hub proof export --record 0199027c-d700-7867-b438-4bb4a48f4cf7 visit.proof");
  on(*export_command, &ProofCommands::export_archive);

  auto* verify_command = app.add_subcommand(
      "verify", console_("核对签名档案；不给文件则通读中心的数据",
                         "check a signed archive; without one, read all that the hub has"));
  add_record(*verify_command);
  verify_command->add_option("file", file_, console_("签名档案", "a signed archive"));
  verify_command->add_option("--hub-key", hub_key_,
                             console_("中心公钥（64 位十六进制）；默认采用档案中的公钥",
                                      "the hub's public key, hexadecimal; default: the archive's"));
  verify_command->footer(console_(
      "  duhui-hub verify\n  duhui-hub verify archive.proof\n"
      "  中心：数据库结构、各流的哈希链与签名、各记录的校验和、审计日志。\n"
      "  档案：不需要网络和中心；指出第一条有问题的操作。",
      "  duhui-hub verify\n  duhui-hub verify archive.proof\n"
      "  The hub: its database, every stream's chain and signatures, every record's checksum, the\n"
      "  audit log. An archive: without network or hub; the first op that does not hold is "
      "named."));
  on(*verify_command, &ProofCommands::verify);
}

Result<int> ProofCommands::export_archive() {
  if (record_.empty() == !all_) {
    return Error{ErrorCode::invalid_input, "say --record ID, or --all"};
  }
  DUHUI_TRY(caller, connect_());
  Json body = Json::object();
  if (!record_.empty()) body = {{"record", record_}, {"type", type_}};
  DUHUI_TRY(begun, caller->post("/proofs", body));
  DUHUI_TRY(file, OutFile::open(file_));
  std::uint64_t bytes = 0;
  for (std::uint64_t page = 1;; ++page) {
    DUHUI_TRY(part,
              caller->get("/proofs/" + text_of(begun, "id") + "?page=" + std::to_string(page)));
    const auto piece = from_base64url(text_of(part, "bytes"));
    if (!piece) return Error{ErrorCode::corrupt_data, "proof: a page that cannot be read"};
    DUHUI_CHECK_OK(file->append(*piece));
    bytes += piece->size();
    if (part.value("last", false)) break;
  }
  DUHUI_CHECK_OK(file->finish());
  if (console_.json()) {
    console_.print({{"file", file_},
                    {"bytes", bytes},
                    {"key_fingerprint", text_of(begun, "key_fingerprint")}});
    return kDone;
  }
  console_.out() << console_("签名档案已写入：", "signed archive written: ") << file_
                 << console_("，字节 ", ", bytes ") << bytes << "\n"
                 << console_("  中心公钥指纹  ", "  hub's key  ")
                 << text_of(begun, "key_fingerprint") << std::endl;
  return kDone;
}

Result<int> ProofCommands::verify() { return file_.empty() ? verify_hub() : verify_file(); }

Result<int> ProofCommands::verify_file() {
  DUHUI_TRY(expected, parse_hub_key(hub_key_));
  std::ifstream file(file_, std::ios::binary | std::ios::ate);
  if (!file) return Error{ErrorCode::not_found, file_ + ": cannot be read"};
  ProofSource source;
  source.size = static_cast<std::uint64_t>(file.tellg());
  source.read = [&](std::uint64_t offset, std::size_t count) -> Result<std::string> {
    std::string bytes(count, '\0');
    file.clear();
    file.seekg(static_cast<std::streamoff>(offset));
    file.read(bytes.data(), static_cast<std::streamsize>(count));
    if (!file) return Error{ErrorCode::storage_failed, file_ + ": cannot be read"};
    return bytes;
  };
  DUHUI_TRY(found, ProofReader(source, expected).run());
  return report(findings_json(found));
}

int ProofCommands::report(const Json& found) {
  const bool ok = found.value("ok", false);
  if (console_.json()) {
    console_.print(found);
    return ok ? kDone : kFailed;
  }
  if (ok) {
    console_.out() << console_("未被改动，完整：", "unaltered and complete: ")
                   << console_("数据流 ", "streams ") << found["streams"]
                   << console_("，批次 ", ", batches ") << found["batches"]
                   << console_("，操作 ", ", ops ") << found["ops"]
                   << console_("，记录 ", ", records ") << found["records"] << "\n";
  } else {
    console_.out() << console_("已被改动或不完整：", "changed or incomplete: ")
                   << text_of(found, "problem") << "\n";
    if (found.value("seq", std::uint64_t{0}) > 0) {
      console_.out() << console_("  第一条有问题的操作  ", "  first op that does not hold  ")
                     << text_of(found, "stream") << "/" << found["seq"] << "\n";
    }
    if (!text_of(found, "damaged_record").empty()) {
      console_.out() << console_("  所属记录  ", "  of record  ")
                     << text_of(found, "damaged_record") << "\n";
    }
  }
  console_.out() << console_("  中心公钥指纹  ", "  hub's key  ")
                 << text_of(found, "key_fingerprint") << std::endl;
  return ok ? kDone : kFailed;
}

Result<int> ProofCommands::verify_hub() {
  DUHUI_TRY(caller, connect_());
  if (!record_.empty()) {
    DUHUI_TRY(found, caller->post("/verify", {{"record", record_}, {"type", type_}}));
    return report(found);
  }
  DUHUI_TRY(body, caller->post("/verify", Json::object()));
  const bool ok = body.value("ok", false);
  if (console_.json()) {
    console_.print(body);
    return ok ? kDone : kFailed;
  }
  console_.out() << (ok ? console_("完好：", "sound: ") : console_("发现问题：", "damaged: "))
                 << console_("数据流 ", "streams ") << body["streams"]
                 << console_("，批次 ", ", batches ") << body["batches"]
                 << console_("，操作 ", ", ops ") << body["ops"]
                 << console_("，记录 ", ", records ") << body["records"]
                 << console_("，审计 ", ", audit ") << body["audit"] << "\n";
  for (const Json& problem : body["problems"]) {
    console_.out() << "  ! " << problem.get<std::string>() << "\n";
  }
  console_.out() << std::flush;
  return ok ? kDone : kFailed;
}

}  // namespace duhui::hub

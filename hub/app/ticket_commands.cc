// duhui-hub ticket create, list, revoke.

#include <iomanip>
#include <utility>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "hub/app/hub_commands.h"
#include "hub/app/hub_folder.h"
#include "hub/app/json_words.h"
#include "hub/app/qr_svg.h"
#include "hub/app/ticket_sheet.h"
#include "shared/cli/assignments.h"
#include "shared/cli/progress.h"
#include "shared/cli/usage.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

constexpr int kDone = static_cast<int>(cli::ExitCode::done);

/// Nobody will ever see what these tickets say: they must not stay good.
void take_back(cli::Caller& caller, const std::vector<Json>& made) {
  for (const Json& ticket : made) {
    // If even this fails, they expire.
    static_cast<void>(caller.post("/tickets/" + text_of(ticket, "id") + "/revoke", Json::object()));
  }
}

}  // namespace

void HubCommands::add_tickets(CLI::App& app) {
  auto* ticket =
      app.add_subcommand("ticket", console_("终端入网凭证", "enrolment tickets of devices"));
  ticket->require_subcommand(1);
  ticket->footer(
      "  duhui-hub ticket create --school sch-001 --out sch-001.ticket\n"
      "  duhui-hub ticket list\n\n" +
      cli::exit_codes(console_));
  add_ticket_create(*ticket);
  auto* list = ticket->add_subcommand("list", console_("列出凭证：用过几次、还剩几次、最近一次",
                                                       "list the tickets and their uses"));
  list->footer("  duhui-hub ticket list");
  on(*list, &HubCommands::list_tickets);
  auto* revoke = ticket->add_subcommand(
      "revoke", console_("作废凭证；已入网的终端不受影响",
                         "no device joins with it any more; those that did stay"));
  revoke->add_option("id", options_.ticket, console_("凭证编号", "id of the ticket"))->required();
  revoke->footer("  duhui-hub ticket revoke 4n7k2m9p");
  on(*revoke, &HubCommands::revoke_ticket);
}

void HubCommands::add_ticket_create(CLI::App& ticket) {
  auto* create = ticket.add_subcommand("create", console_("签发凭证", "make a ticket"));
  auto* school = create->add_option(
      "--school", options_.school,
      console_("学校编号或十位学校代码", "the school: its id or ten-digit code"));
  auto* supervisor = create->add_option(
      "--supervisor", options_.supervisor,
      console_("督学编号：其笔记本电脑，范围为现任挂牌学校",
               "id of a supervisor: a laptop, for the schools of the postings of today"));
  auto* scope = create->add_option(
      "--scope", options_.scopes,
      console_("或直接给出范围，可多个", "or the scopes themselves; may be repeated"));
  auto* csv = create->add_option(
      "--csv", options_.csv,
      console_("一行一台：列 school（编号或代码），可有 host、name、uses、expires",
               "a device per row: column school (id or code); host, name, uses, expires if "
               "wanted"));
  auto* out_csv = create->add_option(
      "--out-csv", options_.out_csv,
      console_("结果：同样的列加 id 和 ticket，供 duhui-agent init --csv",
               "the result: the same columns, id and ticket, for duhui-agent init --csv"));
  create->add_option("--name", options_.name,
                     console_("终端名称；默认：学校或督学的名称",
                              "name of the device; default: the school's or the supervisor's"));
  create->add_option("--uses", options_.uses, console_("可用次数", "how many devices may use it"))
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  auto* expires = create->add_option(
      "--expires", options_.expires,
      console_("有效期，如 72h 或 30d；默认 72h", "valid for, like 72h or 30d; default: 72h"));
  create
      ->add_option("--expires-hours", options_.expires_hours,
                   console_("同上，小时数", "the same in hours"))
      ->check(CLI::Range(1, 366 * 24))
      ->excludes(expires);
  create->add_option(
      "--address", options_.address,
      console_("终端访问中心的地址 host:port", "where devices reach the hub, host:port"));
  auto* out = create->add_option("--out", options_.file,
                                 console_("凭证写入文件", "write the ticket to this file"));
  auto* qr = create->add_option(
      "--qr", options_.qr,
      console_("代码的二维码写入 SVG 文件", "write a QR picture of the code to this SVG file"));
  csv->needs(out_csv);
  out_csv->needs(csv);
  for (auto* other : {school, supervisor, scope, out, qr}) csv->excludes(other);
  create->footer(
      "  duhui-hub ticket create --school sch-001 --out sch-001.ticket --qr sch-001.svg\n"
      "  duhui-hub ticket create --supervisor sup-001 --expires 30d --out wang.ticket\n"
      "  duhui-hub ticket create --csv schools.csv --out-csv tickets.csv --expires 30d");
  on(*create, &HubCommands::create_ticket);
}

Result<int> HubCommands::create_ticket(cli::Caller& caller) {
  if (!options_.expires.empty()) {
    DUHUI_TRY(asked_hours, parse_expiry(options_.expires));
    options_.expires_hours = asked_hours;
  }
  if (!options_.csv.empty()) return create_tickets(caller);
  Json body = {{"uses", options_.uses}, {"expires_hours", options_.expires_hours}};
  if (!options_.school.empty()) body["school"] = options_.school;
  if (!options_.supervisor.empty()) body["supervisor"] = options_.supervisor;
  if (!options_.scopes.empty()) body["scopes"] = options_.scopes;
  if (!options_.name.empty()) body["name"] = options_.name;
  if (!options_.address.empty()) body["address"] = options_.address;
  DUHUI_TRY(made, caller.post("/tickets", body));
  if (auto kept = keep_ticket(made); !kept) {
    take_back(caller, {made});
    return std::move(kept).error();
  }
  if (console_.json()) {
    console_.print(made);
    return kDone;
  }
  console_.out() << console_("入网凭证 ", "ticket ") << text_of(made, "id") << console_("，", ", ")
                 << text_of(made, "name") << "\n"
                 << console_("  范围    ", "  scopes   ") << joined(made["scopes"]) << "\n"
                 << console_("  有效至  ", "  expires  ") << text_of(made, "expires_at") << "\n"
                 << console_("  代码    ", "  code     ") << text_of(made, "code") << "\n";
  if (!options_.qr.empty()) {
    console_.out() << console_("  二维码  ", "  picture  ") << options_.qr << "\n";
  }
  if (options_.file.empty()) {
    console_.out() << "\n" << text_of(made, "file");
  } else {
    console_.out() << console_("  文件    ", "  file     ") << options_.file << "\n";
  }
  console_.out() << std::flush;
  return kDone;
}

Status HubCommands::keep_ticket(const Json& made) {
  if (!options_.file.empty()) {
    DUHUI_CHECK_OK(write_file(options_.file, text_of(made, "file"), true));
  }
  if (!options_.qr.empty()) {
    DUHUI_TRY(picture, qr_svg(text_of(made, "code")));
    DUHUI_CHECK_OK(write_file(options_.qr, picture, true));
  }
  return Done{};
}

Result<int> HubCommands::create_tickets(cli::Caller& caller) {
  DUHUI_TRY(text, cli::read_argument_file(options_.csv));
  DUHUI_TRY(sheet, TicketSheet::read(text, {.uses = options_.uses,
                                            .expires_hours = options_.expires_hours,
                                            .address = options_.address}));
  std::vector<Json> made;
  {
    cli::Progress progress(console_("签发", "tickets"), sheet.size());
    for (std::size_t n = 0; n < sheet.size(); ++n) {
      auto one = caller.post("/tickets", sheet.order(n));
      if (!one) {
        take_back(caller, made);
        return sheet.at(n, std::move(one).error());
      }
      made.push_back(std::move(*one));
      progress.advance(1);
    }
  }
  if (auto written = write_file(options_.out_csv, sheet.written(made), true); !written) {
    take_back(caller, made);
    return std::move(written).error();
  }
  if (console_.json()) {
    console_.print({{"tickets", made.size()}, {"file", options_.out_csv}});
    return kDone;
  }
  console_.out() << console_("已签发凭证 ", "tickets made: ") << made.size()
                 << console_(" 张，写入 ", ", written to ") << options_.out_csv << "\n"
                 << console_("文件里有入网密钥，只放在各终端能读、旁人不能读的地方。",
                             "It lets devices join: keep it where only they can read it.")
                 << std::endl;
  return kDone;
}

Result<int> HubCommands::list_tickets(cli::Caller& caller) {
  DUHUI_TRY(body, caller.get("/tickets"));
  if (console_.json()) {
    console_.print(body);
    return kDone;
  }
  for (const Json& ticket : body["tickets"]) {
    const std::string last = text_of(ticket, "last_used_at");
    console_.out() << text_of(ticket, "id") << "  " << std::left << std::setw(8)
                   << text_of(ticket, "state") << std::right << console_("  已用 ", "  used ")
                   << ticket["uses"] << console_("，剩 ", ", left ") << ticket["uses_left"]
                   << console_("  有效至 ", "  expires ") << text_of(ticket, "expires_at")
                   << console_("  最近使用 ", "  last use ") << (last.empty() ? "-" : last) << "  "
                   << text_of(ticket, "name") << "\n";
  }
  if (body["tickets"].empty()) console_.out() << console_("没有凭证", "no tickets") << "\n";
  console_.out() << std::flush;
  return kDone;
}

Result<int> HubCommands::revoke_ticket(cli::Caller& caller) {
  DUHUI_TRY(ticket, caller.post("/tickets/" + options_.ticket + "/revoke", Json::object()));
  if (console_.json()) {
    console_.print(ticket);
    return kDone;
  }
  console_.out() << text_of(ticket, "id") << "  " << text_of(ticket, "name")
                 << console_("：已作废", ": revoked") << std::endl;
  return kDone;
}

}  // namespace duhui::hub

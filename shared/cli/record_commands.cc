#include "shared/cli/record_commands.h"

#include <fstream>
#include <utility>

#include <CLI/CLI.hpp>

#include "shared/cli/assignments.h"
#include "shared/cli/record_text.h"
#include "shared/cli/usage.h"
#include "shared/record/json_text.h"

namespace duhui::cli {
namespace {

using Json = nlohmann::json;

std::string example(const std::string& program, const std::string& words) {
  return "  " + program + " " + words;
}

constexpr const char* kResolveExample =
    "conflict resolve 0199… item_answers/C6 '{\"value\":\"no\"}' --as u-off-430202-1 "
    "--reason 现场复核";

/// "&name=value", or nothing.
std::string query_part(const char* name, const std::string& value) {
  return value.empty() ? std::string()
                       : "&" + std::string(name) + "=" + api::percent_encoded(value);
}

}  // namespace

void RecordCommands::on(CLI::App& command, Work work) {
  command.callback([this, work] {
    *action_ = [this, work] {
      auto caller = connect_();
      if (!caller) return console_.fail(caller.error());
      auto code = run_as(**caller, work);
      return code ? *code : console_.fail(code.error());
    };
  });
}

void RecordCommands::add_person(CLI::App& command, const std::string& text) {
  auto* person = command.add_option("--as", options_.person, text);
  command
      .add_option("--password-file", options_.password_file,
                  console_("以此人的密码登录：文件，- 为标准输入",
                           "sign in with that person's password: a file, - for standard input"))
      ->needs(person);
}

Result<int> RecordCommands::run_as(Caller& caller, Work work) {
  if (options_.password_file.empty()) return (this->*work)(caller);
  DUHUI_TRY(password, read_password_file(options_.password_file));
  DUHUI_TRY(session, caller.sign_in(options_.person, password));
  static_cast<void>(session);
  auto code = (this->*work)(caller);
  caller.sign_out();
  return code;
}

void RecordCommands::add_to(CLI::App& app, const std::string& program) {
  auto* record = app.add_subcommand(
      "record", console_("新建、查看、修改记录", "create, show and change records"));
  record->require_subcommand(1);
  record->footer(example(program, "record list --type visit_record --school sch-001") + "\n" +
                 example(program, "record show sch-001 --type school") + "\n\n" +
                 exit_codes(console_));
  add_new(*record, program);
  add_show(*record, program);
  add_set(*record, program);
  add_list(*record, program);
  add_import(*record, program);
  add_export(*record, program);
  add_why(app, program);
  add_conflicts(app, program);
}

void RecordCommands::add_new(CLI::App& record, const std::string& program) {
  auto* command = record.add_subcommand("new", console_("新建一条记录", "create a record"));
  command
      ->add_option("type", options_.type,
                   console_("记录种类，如 visit_record", "type, e.g. visit_record"))
      ->required();
  command->add_option(
      "fields", options_.sets,
      console_("字段=值；值是 JSON、文本或 @文件", "field=value; JSON, text or @file"));
  add_person(*command, console_("填写人", "who writes it"));
  command->get_option("--as")->required();
  command->add_option("--value", options_.value,
                      console_("整条记录的 JSON 或 @文件", "the whole record: JSON or @file"));
  command->add_option("--id", options_.id, console_("指定编号（UUID）", "its id, a UUID"));
  command->add_option("--scope", options_.scope, console_("所属范围", "the scope it belongs to"));
  command->add_option("--reason", options_.reason, console_("理由", "reason"));
  command->footer(example(program,
                          "record new visit_record --as u-sup-001 school_id=sch-001 "
                          "visit_date=2025-10-09"));
  on(*command, &RecordCommands::make);
}

void RecordCommands::add_show(CLI::App& record, const std::string& program) {
  auto* command = record.add_subcommand("show", console_("查看一条记录", "show a record"));
  command->add_option("id", options_.id, console_("UUID 或登记编号", "UUID or readable id"))
      ->required();
  command->add_option("--type", options_.type,
                      console_("登记编号所属种类", "type of a readable id"));
  command->add_option("--path", options_.path, console_("只看一个字段", "one field only"));
  add_person(*command, console_("查看人", "who asks"));
  command->footer(example(program, "record show sch-001 --type school") + "\n" +
                  example(program, "record show 0199… --path item_answers/C6 --json"));
  on(*command, &RecordCommands::show);
}

void RecordCommands::add_set(CLI::App& record, const std::string& program) {
  auto* command = record.add_subcommand("set", console_("修改一条记录", "change a record"));
  command->add_option("id", options_.id, console_("UUID 或登记编号", "UUID or readable id"))
      ->required();
  command->add_option("fields", options_.sets, console_("字段=值", "field=value"));
  command->add_option("--type", options_.type,
                      console_("登记编号所属种类", "type of a readable id"));
  add_person(*command, console_("修改人", "who changes it"));
  command->get_option("--as")->required();
  command->add_option("--seen", options_.seen, seen_text());
  command->add_option("--reason", options_.reason, console_("理由", "reason"));
  command->add_option("--add", options_.adds, console_("集合=成员", "set=member to put in"))
      ->allow_extra_args(false);
  command
      ->add_option("--remove", options_.removes,
                   console_("集合=成员的编号", "set=member to take out"))
      ->allow_extra_args(false);
  command->add_option("--append", options_.appends, console_("列表=条目", "list=entry to append"))
      ->allow_extra_args(false);
  command->add_option("--state", options_.state, console_("转到的状态", "the state to go to"));
  command->add_flag("--delete", options_.remove,
                    console_("删除（仅草稿）", "delete (drafts only)"));
  command->footer(example(program,
                          "record set 0199… --as u-sup-001 --seen TOKEN "
                          "'item_answers/C6={\"value\":\"yes\"}'") +
                  "\n" + example(program, "record set 0199… --as u-sup-001 --state submitted"));
  on(*command, &RecordCommands::set);
}

void RecordCommands::add_list(CLI::App& record, const std::string& program) {
  auto* command = record.add_subcommand("list", console_("列出记录", "list records"));
  command->add_option("--type", options_.type, console_("种类", "type"));
  command->add_option("--school", options_.school, console_("学校", "school"));
  command->add_option("--state", options_.state, console_("状态", "state"));
  command->add_option("--from", options_.from, console_("日期不早于", "not before this date"));
  command->add_option("--to", options_.to, console_("日期不晚于", "not after this date"));
  command->add_option("--after", options_.after, console_("从这条之后", "after this one"));
  command->add_option("--limit", options_.limit, console_("最多几条", "how many at most"))
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_flag("--all", options_.all, console_("全部", "all of them"));
  add_person(*command, console_("查看人", "who asks"));
  command->footer(example(program, "record list --type visit_record --school sch-001"));
  on(*command, &RecordCommands::list);
}

void RecordCommands::add_import(CLI::App& record, const std::string& program) {
  auto* command = record.add_subcommand(
      "import",
      console_("导入 JSON Lines 文件，每行一条", "take in a JSON Lines file, one record a line"));
  command
      ->add_option("file", options_.file,
                   console_("文件，- 为标准输入", "file, - for standard input"))
      ->required();
  command->add_option("--type", options_.type, console_("种类", "type"))->required();
  command->add_option(
      "--as-field", options_.author_fields,
      console_("填写人所在字段，可多个", "fields that name the author; the first that is set"));
  add_person(*command, console_("导入人；没有填写人的行算作此人所写",
                                "who imports; author of lines that name none"));
  command->add_flag("--only-here", options_.only_here,
                    console_("略过不属于本机范围的行", "pass over lines that belong elsewhere"));
  command->footer(
      example(program, "record import visits.jsonl --type visit_record --as-field created_by"));
  on(*command, &RecordCommands::import);
}

void RecordCommands::add_export(CLI::App& record, const std::string& program) {
  auto* command =
      record.add_subcommand("export", console_("导出为 JSON Lines", "write records as JSON Lines"));
  command->add_option("--type", options_.type, console_("种类", "type"));
  command->add_option("--school", options_.school, console_("学校", "school"));
  command->add_option("--out", options_.file, console_("写入文件", "write to this file"));
  add_person(*command, console_("查看人", "who asks"));
  command->footer(example(program, "record export --type visit_record --out visits.jsonl"));
  on(*command, &RecordCommands::export_all);
}

void RecordCommands::add_why(CLI::App& app, const std::string& program) {
  auto* command = app.add_subcommand("why", console_("为什么显示这个值", "why a value is shown"));
  command->add_option("id", options_.id, console_("UUID 或登记编号", "UUID or readable id"))
      ->required();
  command->add_option("path", options_.path, console_("字段", "field"))->required();
  command->add_option("--type", options_.type,
                      console_("登记编号所属种类", "type of a readable id"));
  add_person(*command, console_("查看人", "who asks"));
  command->footer(example(program, "why 0199… item_answers/C6"));
  on(*command, &RecordCommands::why);
}

void RecordCommands::add_conflicts(CLI::App& app, const std::string& program) {
  auto* conflict = app.add_subcommand("conflict", console_("分歧", "conflicts"));
  conflict->require_subcommand(1);
  conflict->footer(example(program, "conflict list") + "\n" + example(program, kResolveExample) +
                   "\n\n" + exit_codes(console_));
  auto* all = conflict->add_subcommand("list", console_("列出未处理的分歧", "list open conflicts"));
  all->add_option("--limit", options_.limit,
                  console_("最多几条记录", "of how many records at most"))
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  add_person(*all, console_("查看人", "who asks"));
  all->footer(example(program, "conflict list"));
  on(*all, &RecordCommands::list_conflicts);
  auto* decide = conflict->add_subcommand("resolve", console_("决定一个分歧", "settle a conflict"));
  decide->add_option("id", options_.id, console_("记录", "the record"))->required();
  decide->add_option("path", options_.path, console_("字段", "field"))->required();
  decide->add_option("value", options_.value, console_("采用的值", "the value that holds"))
      ->required();
  add_person(*decide, console_("决定人", "who decides"));
  decide->get_option("--as")->required();
  decide->add_option("--reason", options_.reason, console_("理由", "reason"))->required();
  decide->add_option("--type", options_.type,
                     console_("登记编号所属种类", "type of a readable id"));
  decide->add_option("--seen", options_.seen, seen_text());
  decide->footer(example(program, kResolveExample));
  on(*decide, &RecordCommands::resolve);
}

std::string RecordCommands::seen_text() const {
  return console_("record show 给出的标记：只替换当时看到的值；默认：替换记录现在的值",
                  "the token that `record show` gave: only what was on screen then is replaced; "
                  "default: the record as it is now");
}

std::string RecordCommands::record_path(const std::string& tail, const std::string& query) const {
  std::string path = "/records/" + api::percent_encoded(options_.id) + tail;
  const std::string all = query_part("type", options_.type) + query;
  return all.empty() ? path : path + "?" + all.substr(1);
}

Result<int> RecordCommands::make(Caller& caller) {
  Json start = Json::object();
  if (!options_.value.empty()) {
    DUHUI_TRY(whole, parse_value(options_.value));
    start = std::move(whole);
  }
  DUHUI_TRY(value, object_from(options_.sets, std::move(start)));
  Json body = {{"type", options_.type}, {"as", options_.person}, {"value", std::move(value)}};
  if (!options_.id.empty()) body["id"] = options_.id;
  if (!options_.scope.empty()) body["scope"] = options_.scope;
  if (!options_.reason.empty()) body["reason"] = options_.reason;
  DUHUI_TRY(answer, caller.post("/records", body));
  if (console_.json()) {
    console_.print(answer);
  } else {
    console_.out() << answer.value("id", "") << "\n"
                   << console_("已存盘。", "Saved.") << " seen: " << answer.value("seen", "")
                   << std::endl;
  }
  return 0;
}

Result<int> RecordCommands::show(Caller& caller) {
  if (options_.path.empty()) {
    DUHUI_TRY(record, caller.get(record_path("")));
    if (console_.json()) {
      console_.print(record);
    } else {
      write_record(console_, record);
    }
    return 0;
  }
  DUHUI_TRY(field, caller.get(record_path("/field", query_part("path", options_.path))));
  if (console_.json()) {
    console_.print(field);
  } else {
    write_field(console_, field);
  }
  return 0;
}

Result<Json> RecordCommands::edits() const {
  Json edits = Json::array();
  const auto take = [&edits](const char* what, const std::vector<std::string>& texts) -> Status {
    for (const std::string& text : texts) {
      DUHUI_TRY(one, parse_assignment(text));
      edits.push_back({{"do", what}, {"field", one.first}, {"value", one.second}});
    }
    return Done{};
  };
  DUHUI_CHECK_OK(take("set", options_.sets));
  DUHUI_CHECK_OK(take("add", options_.adds));
  DUHUI_CHECK_OK(take("remove", options_.removes));
  DUHUI_CHECK_OK(take("append", options_.appends));
  if (!options_.state.empty()) {
    edits.push_back({{"do", "transition"}, {"value", options_.state}});
  }
  if (options_.remove) edits.push_back({{"do", "delete"}});
  if (edits.empty()) return Error{ErrorCode::invalid_input, "missing: field=value"};
  return edits;
}

Result<int> RecordCommands::set(Caller& caller) {
  DUHUI_TRY(wanted, edits());
  const Json body = {{"as", options_.person},
                     {"seen", options_.seen},
                     {"reason", options_.reason},
                     {"edits", std::move(wanted)}};
  DUHUI_TRY(answer, caller.post(record_path("/edits"), body));
  if (console_.json()) {
    console_.print(answer);
  } else {
    console_.out() << console_("已存盘。", "Saved.") << " seen: " << answer.value("seen", "")
                   << std::endl;
  }
  return 0;
}

Result<int> RecordCommands::list(Caller& caller) {
  Json rows = Json::array();
  Json next = options_.after.empty() ? Json() : Json(options_.after);
  do {
    DUHUI_TRY(page, caller.get("/records?limit=" + std::to_string(options_.limit) +
                               query_part("type", options_.type) +
                               query_part("school_id", options_.school) +
                               query_part("state", options_.state) +
                               query_part("from", options_.from) + query_part("to", options_.to) +
                               query_part("after", next.is_null() ? "" : next.get<std::string>())));
    for (Json& row : page["records"]) rows.push_back(std::move(row));
    next = page["next"];
  } while (options_.all && !next.is_null());
  if (console_.json()) {
    console_.print({{"records", std::move(rows)}, {"next", next}});
  } else {
    write_rows(console_, rows);
  }
  return 0;
}

Result<int> RecordCommands::import(Caller& caller) {
  DUHUI_TRY(text, read_argument_file(options_.file));
  const ImportOptions import{.type = options_.type,
                             .author_fields = options_.author_fields,
                             .person = options_.person,
                             .only_here = options_.only_here,
                             .label = console_("导入", "import")};
  DUHUI_TRY(done, import_lines(caller, text, import));
  if (console_.json()) {
    console_.print(done);
  } else {
    console_.out() << console_("已存盘 ", "saved ") << done["saved"]
                   << console_("，已有而跳过 ", ", skipped (there already) ") << done["skipped"]
                   << console_("，不属于这里 ", ", not of this place ") << done["elsewhere"]
                   << std::endl;
  }
  return 0;
}

Result<int> RecordCommands::export_all(Caller& caller) {
  std::ofstream file;
  if (!options_.file.empty()) {
    file.open(options_.file, std::ios::binary | std::ios::trunc);
    if (!file) return Error{ErrorCode::storage_failed, "file: cannot write " + options_.file};
  }
  std::ostream& out = options_.file.empty() ? console_.out() : file;
  Json next;
  do {
    DUHUI_TRY(page, caller.get("/export?limit=200" + query_part("type", options_.type) +
                               query_part("school_id", options_.school) +
                               query_part("after", next.is_null() ? "" : next.get<std::string>())));
    for (const Json& record : page["records"]) out << json_text(record) << "\n";
    next = page["next"];
  } while (!next.is_null());
  out << std::flush;
  if (!out) return Error{ErrorCode::storage_failed, "file: cannot write " + options_.file};
  return 0;
}

Result<int> RecordCommands::why(Caller& caller) {
  DUHUI_TRY(answer, caller.get(record_path("/why", query_part("path", options_.path))));
  if (console_.json()) {
    console_.print(answer);
  } else {
    console_.out() << answer.value(console_("text_zh", "text_en"), "") << std::endl;
  }
  return 0;
}

Result<int> RecordCommands::list_conflicts(Caller& caller) {
  DUHUI_TRY(answer, caller.get("/conflicts?limit=" + std::to_string(options_.limit)));
  if (console_.json()) {
    console_.print(answer);
  } else {
    write_conflicts(console_, answer["conflicts"]);
  }
  return 0;
}

Result<int> RecordCommands::resolve(Caller& caller) {
  DUHUI_TRY(value, parse_value(options_.value));
  std::string seen = options_.seen;
  if (seen.empty()) {
    DUHUI_TRY(record, caller.get(record_path("")));
    seen = record.value("seen", "");
  }
  // Asked after `seen`: what others write from now on is not replaced.
  DUHUI_TRY(field, caller.get(record_path("/field", query_part("path", options_.path))));
  if (!field.value("conflict", false)) {
    return Error{ErrorCode::refused, "not_in_conflict: " + options_.path};
  }
  const Json edit = {{"do", "set"}, {"field", options_.path}, {"value", std::move(value)}};
  const Json body = {{"as", options_.person},
                     {"seen", seen},
                     {"reason", options_.reason},
                     {"edits", Json::array({edit})}};
  DUHUI_TRY(answer, caller.post(record_path("/edits"), body));
  if (console_.json()) {
    console_.print(answer);
  } else {
    console_.out() << console_("已决定；将随下次同步到达各校。",
                               "Settled; every device gets it with its next sync.")
                   << std::endl;
  }
  return 0;
}

}  // namespace duhui::cli

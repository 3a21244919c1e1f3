#include "hub/app/account_commands.h"

#include <algorithm>
#include <iomanip>
#include <utility>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "shared/cli/assignments.h"
#include "shared/cli/csv.h"
#include "shared/cli/progress.h"
#include "shared/cli/usage.h"
#include "shared/crypto/password.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

/// Each takes a tenth of a second; people like to see that it goes on.
constexpr std::size_t kPasswordsAtOnce = 20;
constexpr int kDone = static_cast<int>(cli::ExitCode::done);

std::string account_path(const std::string& user, const std::string& tail) {
  return "/accounts/" + api::percent_encoded(user) + tail;
}

}  // namespace

void AccountCommands::on(CLI::App& command, Work work) {
  command.callback([this, work] {
    *action_ = [this, work] {
      auto caller = connect_();
      if (!caller) return console_.fail(caller.error());
      auto code = (this->*work)(**caller);
      return code ? *code : console_.fail(code.error());
    };
  });
}

void AccountCommands::add_to(CLI::App& app) {
  add_admin(app);
  add_accounts(app);
}

void AccountCommands::add_admin(CLI::App& app) {
  auto* admin = app.add_subcommand("admin", console_("管理员", "administrators"));
  admin->require_subcommand(1);
  const char* example =
      "  duhui-hub admin create --login anquan --name 周安全 --password-file - < password.txt";
  admin->footer(example + ("\n\n" + cli::exit_codes(console_)));
  auto* create = admin->add_subcommand(
      "create", console_("新建管理员账号（没有默认密码）",
                         "make an administrator's account (there is no default password)"));
  create->add_option("--login", options_.login, console_("登录名", "login"))->required();
  create->add_option("--name", options_.name, console_("姓名", "name"))->required();
  create
      ->add_option("--role", options_.role,
                   console_("角色：security_admin 管账号，it_admin 管终端，auditor 看审计，"
                            "或 district_officer 等",
                            "role: security_admin (accounts), it_admin (devices), auditor (audit "
                            "log), or district_officer and the like"))
      ->capture_default_str();
  create->add_option("--org", options_.org,
                     console_("所属机构，如 org-430202", "organisation, e.g. org-430202"));
  create
      ->add_option("--password-file", options_.password_file,
                   console_("密码所在文件，- 为标准输入", "file with the password, - for stdin"))
      ->required();
  create->footer(example);
  on(*create, &AccountCommands::create_admin);
}

void AccountCommands::add_accounts(CLI::App& app) {
  auto* account = app.add_subcommand("account", console_("账号与密码", "accounts and passwords"));
  account->require_subcommand(1);
  account->footer(
      "  duhui-hub account list\n"
      "  duhui-hub account set-password u-sup-001 --password-file -\n\n" +
      cli::exit_codes(console_));
  const auto user = [this](CLI::App& command) {
    command.add_option("user", options_.user, console_("编号或登录名", "id or login"))->required();
  };
  const auto keep = [this](CLI::App& command) {
    command.add_flag("--keep", options_.keep,
                     console_("本人不必先改密码", "the person need not choose another one first"));
  };
  auto* all = account->add_subcommand("list", console_("列出账号", "list the accounts"));
  all->footer("  duhui-hub account list --json");
  on(*all, &AccountCommands::list);

  auto* password = account->add_subcommand(
      "set-password", console_("设置或重置密码；原有登录全部失效",
                               "set or reset a password; every session of the person ends"));
  user(*password);
  password
      ->add_option("--password-file", options_.password_file,
                   console_("密码所在文件，- 为标准输入", "file with the password, - for stdin"))
      ->required();
  keep(*password);
  password->footer("  duhui-hub account set-password u-sup-001 --password-file -");
  on(*password, &AccountCommands::set_password);

  auto* disable_command =
      account->add_subcommand("disable", console_("停用账号，立即生效", "lock it out, at once"));
  user(*disable_command);
  disable_command->footer("  duhui-hub account disable u-sup-001");
  on(*disable_command, &AccountCommands::disable);
  auto* enable_command = account->add_subcommand("enable", console_("恢复账号", "let it in again"));
  user(*enable_command);
  enable_command->footer("  duhui-hub account enable u-sup-001");
  on(*enable_command, &AccountCommands::enable);

  add_places(*account);

  auto* import_command =
      account->add_subcommand("import", console_("批量设置密码", "set the passwords of many"));
  import_command
      ->add_option("--passwords", options_.file,
                   console_("CSV 文件：login,password；- 为标准输入",
                            "CSV file: login,password; - for stdin"))
      ->required();
  keep(*import_command);
  import_command->footer("  duhui-hub account import --passwords passwords.csv");
  on(*import_command, &AccountCommands::import);
}

void AccountCommands::add_places(CLI::App& account) {
  auto* place = account.add_subcommand("place", console_("登录地点", "where people sign in"));
  place->require_subcommand(1);
  const char* example = "  duhui-hub account place add u-off-430202-1 --school sch-001";
  place->footer(example);
  const auto command = [&](const char* name, const std::string& what, bool which, Work work) {
    auto* made = place->add_subcommand(name, what);
    made->add_option("user", options_.user, console_("编号或登录名", "id or login"))->required();
    if (which) {
      auto* school = made->add_option("--school", options_.school, console_("学校", "school"));
      made->add_option(
              "--place", options_.place,
              console_("范围，如 org-430200/org-430202", "scope, e.g. org-430200/org-430202"))
          ->excludes(school);
    }
    made->footer(example);
    on(*made, work);
  };
  command("list", console_("此人在哪里登录；* 为手工添加", "where the person signs in; *: by hand"),
          false, &AccountCommands::list_places);
  command("add",
          console_("让此人也能在这所学校的终端登录",
                   "let the person sign in at the devices of this school, too"),
          true, &AccountCommands::add_place);
  command("remove", console_("收回手工添加的登录地点", "take back a place that was added by hand"),
          true, &AccountCommands::remove_place);
}

int AccountCommands::tell(const Json& account) {
  if (console_.json()) {
    console_.print(account);
    return kDone;
  }
  console_.out() << account.value("id", "") << "  " << account.value("login", "") << "  "
                 << account.value("name", "") << "  "
                 << (account.value("active", false) ? console_("有效", "active")
                                                    : console_("停用", "disabled"))
                 << (account.value("must_change", false)
                         ? console_("，须先改密码", ", must change the password")
                         : "")
                 << "\n";
  for (const Json& place : account.value("places", Json::array())) {
    console_.out() << "    " << (place.value("disabled", false) ? "- " : "+ ")
                   << place.value("place", "") << (place.value("by_hand", false) ? " *" : "")
                   << "\n";
  }
  console_.out() << std::flush;
  return kDone;
}

Result<int> AccountCommands::create_admin(cli::Caller& caller) {
  DUHUI_TRY(password, cli::read_password_file(options_.password_file));
  Json body = {{"login", options_.login},
               {"name", options_.name},
               {"role", options_.role},
               {"password", std::move(password)},
               {"must_change", false}};
  if (!options_.org.empty()) body["org"] = options_.org;
  DUHUI_TRY(account, caller.post("/accounts", body));
  return tell(account);
}

Result<int> AccountCommands::list(cli::Caller& caller) {
  DUHUI_TRY(body, caller.get("/accounts"));
  if (console_.json()) {
    console_.print(body);
    return kDone;
  }
  for (const Json& account : body["accounts"]) {
    console_.out() << std::left << std::setw(24) << account.value("id", "") << std::setw(24)
                   << account.value("login", "") << std::right
                   << (account.value("active", false) ? "  " : "x ")
                   << (account.value("must_change", false) ? "! " : "  ")
                   << account.value("places", Json::array()).size() << "  "
                   << account.value("name", "") << "\n";
  }
  if (body["accounts"].empty()) {
    console_.out() << console_("还没有任何账号有密码", "nobody has a password yet") << "\n";
  }
  console_.out() << std::flush;
  return kDone;
}

Result<int> AccountCommands::set_password(cli::Caller& caller) {
  DUHUI_TRY(password, cli::read_password_file(options_.password_file));
  DUHUI_TRY(account,
            caller.post(account_path(options_.user, "/password"),
                        {{"password", std::move(password)}, {"must_change", !options_.keep}}));
  return tell(account);
}

Result<int> AccountCommands::disable(cli::Caller& caller) {
  DUHUI_TRY(account, caller.post(account_path(options_.user, "/disable"), Json::object()));
  return tell(account);
}

Result<int> AccountCommands::enable(cli::Caller& caller) {
  DUHUI_TRY(account, caller.post(account_path(options_.user, "/enable"), Json::object()));
  return tell(account);
}

Json AccountCommands::place_body() const {
  Json body = Json::object();
  if (!options_.school.empty()) body["school"] = options_.school;
  if (!options_.place.empty()) body["place"] = options_.place;
  return body;
}

Result<int> AccountCommands::list_places(cli::Caller& caller) {
  DUHUI_TRY(account, caller.get(account_path(options_.user, "")));
  return tell(account);
}

Result<int> AccountCommands::add_place(cli::Caller& caller) {
  DUHUI_TRY(account, caller.post(account_path(options_.user, "/places"), place_body()));
  return tell(account);
}

Result<int> AccountCommands::remove_place(cli::Caller& caller) {
  DUHUI_TRY(account, caller.post(account_path(options_.user, "/places/remove"), place_body()));
  return tell(account);
}

Result<int> AccountCommands::import(cli::Caller& caller) {
  DUHUI_TRY(text, cli::read_argument_file(options_.file));
  DUHUI_TRY(rows, cli::parse_csv(text));
  wipe(text);
  std::uint64_t set = 0;
  cli::Progress progress(console_("设置密码", "passwords"), rows.size());
  for (std::size_t first = 0; first < rows.size(); first += kPasswordsAtOnce) {
    const std::size_t end = std::min(rows.size(), first + kPasswordsAtOnce);
    Json part = Json::array();
    for (std::size_t n = first; n < end; ++n) {
      if (!rows[n].cells.contains("login") || !rows[n].cells.contains("password")) {
        return Error{ErrorCode::invalid_input, "columns: login,password"};
      }
      part.push_back(
          {{"login", rows[n].cells.at("login")}, {"password", rows[n].cells.at("password")}});
    }
    DUHUI_TRY(done, caller.post("/accounts/passwords",
                                {{"rows", std::move(part)}, {"must_change", !options_.keep}}));
    set += done.value("set", std::uint64_t{0});
    progress.advance(end - first);
  }
  if (console_.json()) {
    console_.print({{"set", set}});
  } else {
    console_.out() << console_("已设置密码：", "passwords set: ") << set << std::endl;
  }
  return kDone;
}

}  // namespace duhui::hub

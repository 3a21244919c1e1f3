#include "agent/app/agent_program.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "agent/app/agent_log.h"
#include "agent/app/attach_command.h"
#include "agent/app/fsck.h"
#include "agent/app/run_to_end.h"
#include "agent/app/status_text.h"
#include "agent/app/ticket_row.h"
#include "shared/cli/assignments.h"
#include "shared/cli/record_commands.h"
#include "shared/cli/usage.h"
#include "shared/net/patience.h"

namespace duhui::agent {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::json;

asio::awaitable<Json> serve_in_json(AgentService& service,
                                    AgentSettings settings,
                                    std::function<void(const Json&)> ready) {
  auto served = co_await service.serve(std::move(settings), std::move(ready));
  co_return served ? Json() : api::error_answer(served.error()).body;
}

}  // namespace

int AgentProgram::run(int argc, char** argv) {
  CLI::App app{console_("督汇终端：学校和督学手边的记录，有没有网络都能用。",
                        "Duhui agent: supervision records at the school, with or without a "
                        "network."),
               "duhui-agent"};
  cli::speak(app, console_, "duhui-agent " + program_version());
  app.require_subcommand(1);
  app.fallthrough();
  app.add_flag("--json", *console_.json_flag(), console_("以 JSON 回答", "answer in JSON"));
  app.add_option("--data", data_,
                 console_("数据文件夹；默认：root 为 /var/lib/duhui-agent，其他用户为 "
                          "$XDG_STATE_HOME/duhui-agent，未设时 ~/.local/state/duhui-agent",
                          "data folder; default: /var/lib/duhui-agent as root, otherwise "
                          "$XDG_STATE_HOME/duhui-agent, unset: ~/.local/state/duhui-agent"));
  app.add_option("--config", config_,
                 console_("设置文件（TOML）；默认：数据文件夹里的 agent.toml（如果有）",
                          "settings file (TOML); default: agent.toml in the data folder, if any"));
  app.add_option("--lang", language_,
                 console_("输出的语言；默认：按系统语言", "language; default: the locale's"))
      ->check(CLI::IsMember({"zh", "en"}));
  app.footer(
      "  duhui-agent init --ticket-file sch-001.ticket\n"
      "  duhui-agent serve --port 7481\n"
      "  duhui-agent status --json\n\n" +
      cli::exit_codes(console_));
  cli::RecordCommands records(
      console_, [this] { return connect(); }, &action_);
  AttachCommand attach(
      console_, [this] { return connect(); }, &action_);
  add_commands(app);
  attach.add_to(app);
  records.add_to(app, "duhui-agent");
  if (const auto ended = cli::parse_arguments(app, argc, argv, console_)) return *ended;
  if (auto settled = settle(); !settled) return console_.fail(settled.error());
  return action_();
}

void AgentProgram::on(CLI::App& command, Result<int> (AgentProgram::*work)()) {
  command.callback([this, work] {
    action_ = [this, work] {
      auto code = (this->*work)();
      return code ? *code : console_.fail(code.error());
    };
  });
}

void AgentProgram::add_commands(CLI::App& app) {
  auto* init_command = app.add_subcommand(
      "init", console_("用入网凭证初始化这台设备", "make this device from an enrolment ticket"));
  init_command->add_option(
      "--ticket-file", ticket_file_,
      console_("凭证文件，- 为标准输入（文件内容或抄录的代码）",
               "the ticket, - for standard input (the file or the typed code)"));
  auto* csv = init_command->add_option(
      "--csv", tickets_csv_,
      console_("全区凭证表，按主机名取本机的一行；- 为标准输入",
               "tickets of a whole district: takes this machine's row by host name; - for "
               "standard input"));
  csv->excludes(init_command->get_option("--ticket-file"));
  init_command
      ->add_option("--host", host_,
                   console_("表里的主机名；默认：本机的",
                            "host name in that file; default: this "
                            "machine's"))
      ->needs(csv);
  init_command->footer(
      "  duhui-agent init --ticket-file sch-001.ticket --data /var/lib/duhui-agent\n"
      "  duhui-agent init --csv /mnt/share/tickets.csv");
  on(*init_command, &AgentProgram::init);

  auto* serve_command = app.add_subcommand("serve", console_("运行服务", "run the service"));
  serve_command
      ->add_option("--port", port_,
                   console_("本机接口的端口，0 为任意；默认：设置里的 api.port",
                            "loopback port of the API, 0 for any; default: api.port of the "
                            "settings"))
      ->check(CLI::Range(0, 65535));
  serve_command->footer("  duhui-agent serve --data /var/lib/duhui-agent");
  on(*serve_command, &AgentProgram::serve);

  auto* status_command = app.add_subcommand("status", console_("现在的情况", "how things stand"));
  status_command->footer("  duhui-agent status --json");
  on(*status_command, &AgentProgram::status);

  auto* sync_command =
      app.add_subcommand("sync", console_("现在就与中心交换", "exchange with the hub now"));
  sync_command
      ->add_option("--wait-ms", wait_ms_,
                   console_("最多等多少毫秒", "milliseconds to wait at most"))
      ->check(CLI::Range(0, 600'000))
      ->capture_default_str();
  sync_command->footer("  duhui-agent sync --wait-ms 10000");
  on(*sync_command, &AgentProgram::sync);

  add_bundles(app);

  auto* fsck_command = app.add_subcommand(
      "fsck",
      console_("检查数据文件夹（先停止服务）", "examine the data folder (stop the service first)"));
  fsck_command->footer("  duhui-agent fsck --json");
  on(*fsck_command, &AgentProgram::fsck);

  auto* link_command =
      app.add_subcommand("link", console_("断开或恢复与中心的连接", "cut or restore the link"));
  link_command->require_subcommand(1);
  link_command->footer("  duhui-agent link off\n  duhui-agent link on\n\n" +
                       cli::exit_codes(console_));
  const auto add_link = [&](const std::string& name, const std::string& text, auto work) {
    auto* command = link_command->add_subcommand(name, text);
    command->footer("  duhui-agent link " + name);
    on(*command, work);
  };
  add_link("on", console_("恢复", "let it connect"), &AgentProgram::link_on);
  add_link("off", console_("断开", "cut it off"), &AgentProgram::link_off);

  auto* config_command = app.add_subcommand("config", console_("设置", "settings"));
  config_command->require_subcommand(1);
  config_command->footer("  duhui-agent config check\n\n" + cli::exit_codes(console_));
  auto* check =
      config_command->add_subcommand("check", console_("检查设置文件", "check the settings file"));
  check->footer("  duhui-agent config check --config agent.toml");
  on(*check, &AgentProgram::config_check);
  check->preparse_callback([this](std::size_t) { checks_settings_ = true; });
}

Status AgentProgram::settle() {
  std::string file = config_;
  if (file.empty()) {
    const std::string folder = data_.empty() ? default_data_folder() : data_;
    // One that may not be looked at is read all the same, to say so.
    std::error_code denied;
    const bool there = std::filesystem::exists(folder + "/agent.toml", denied);
    if (there || denied) file = folder + "/agent.toml";
  }
  if (!file.empty()) {
    DUHUI_TRY(read, read_settings(file));
    settings_ = std::move(read.settings);
    problems_ = std::move(read.problems);
    if (!problems_.empty() && !checks_settings_) {
      return cli::settings_error(problems_);
    }
    config_ = file;
  }
  if (language_.empty() && !settings_.language.empty()) {
    console_.use(settings_.language == "zh" ? api::Language::zh : api::Language::en);
  }
  if (!data_.empty()) settings_.data = data_;
  if (settings_.data.empty()) settings_.data = default_data_folder();
  // One spelling for the socket and for what is shown.
  std::error_code gone;  // the working folder
  const auto whole = std::filesystem::absolute(settings_.data, gone);
  if (!gone) settings_.data = whole.lexically_normal();
  if (settings_.data.ends_with('/')) settings_.data.pop_back();
  if (port_ >= 0) settings_.api_port = static_cast<std::uint16_t>(port_);
  return Done{};
}

Result<AgentProgram::Holder> AgentProgram::reach(bool with_link) {
  // Commands talk to people through the console; what the parts have to say goes beside it.
  DUHUI_CHECK_OK(open_log({}, "warn"));
  // Whoever has the folder is a service that will answer soon, or a command that will end soon.
  return net::patiently([&]() -> Result<Holder> {
    if (cli::SocketCaller::answers(socket())) return Holder::service;
    DUHUI_TRY(service,
              AgentService::open(loop_.get_executor(), settings_.data, with_link, settings_));
    service_ = std::move(service);
    return Holder::this_process;
  });
}

Result<cli::Caller*> AgentProgram::connect() {
  DUHUI_TRY(holder, reach(false));
  if (holder == Holder::service) {
    caller_ = std::make_unique<cli::SocketCaller>(socket());
  } else {
    caller_ = std::make_unique<cli::LocalCaller>(
        [this](const api::EdgeRequest& request) { return service_->answer_now(request); });
  }
  return caller_.get();
}

Result<Ticket> AgentProgram::read_ticket() const {
  if (!tickets_csv_.empty()) {
    DUHUI_TRY(csv, cli::read_argument_file(tickets_csv_));
    DUHUI_TRY(text, ticket_of_host(csv, host_.empty() ? host_name() : host_));
    return parse_ticket(text);
  }
  if (ticket_file_.empty()) {
    return Error{ErrorCode::invalid_input, "init: --ticket-file or --csv is missing"};
  }
  // Everybody on the machine can read what is on a command line.
  if (parse_ticket(ticket_file_)) {
    return Error{ErrorCode::invalid_input,
                 "init: type the code after --ticket-file - instead, not on the command line"};
  }
  DUHUI_TRY(text, cli::read_argument_file(ticket_file_));
  return parse_ticket(text);
}

Result<int> AgentProgram::init() {
  DUHUI_TRY(ticket, read_ticket());
  PosixFileSystem files;
  SystemRandom random;
  DataFolder folder(files, settings_.data);
  DUHUI_TRY(card, folder.enrol(ticket, random));
  const std::string id = to_uuid_text(card.identity.id.view());
  const std::string hub = card.hub.host + ":" + std::to_string(card.hub.port);
  if (console_.json()) {
    console_.print(
        {{"device_id", id}, {"hub", hub}, {"scopes", card.scopes}, {"data", settings_.data}});
  } else {
    console_.out() << console_("设备已就绪：", "The device is ready: ") << id << "\n"
                   << console_("中心：", "hub: ") << hub << "\n"
                   << console_("现在就可以填写；第一次联网时由中心确认。",
                               "Start working now; the hub confirms it at first contact.")
                   << std::endl;
  }
  return 0;
}

Result<int> AgentProgram::serve() {
  DUHUI_CHECK_OK(open_log(settings_.log_file, settings_.log_level));
  // A short command may have the folder for a moment.
  DUHUI_TRY(service, net::patiently([&] {
              return AgentService::open(loop_.get_executor(), settings_.data, true, settings_);
            }));
  service_ = std::move(service);
  const auto ready = [this](const Json& listen) {
    if (console_.json()) {
      Json line = listen;
      line["ready"] = true;
      console_.print(line);
    } else {
      console_.out() << console_("已就绪 ", "ready ") << listen.value("api", "") << " "
                     << listen.value("socket", "") << std::endl;
    }
  };
  DUHUI_TRY(ended, run_to_end(loop_, serve_in_json(*service_, settings_, ready)));
  if (ended.is_null()) return 0;
  return *api::error_of({503, std::move(ended)});
}

Result<int> AgentProgram::status() {
  DUHUI_TRY(caller, connect());
  DUHUI_TRY(body, caller->get("/status"));
  if (console_.json()) {
    console_.print(body);
  } else {
    write_status(console_, body);
  }
  return 0;
}

Result<int> AgentProgram::sync() {
  DUHUI_TRY(holder, reach(true));
  Json body;
  bool done = false;
  if (holder == Holder::service) {
    cli::SocketCaller caller(socket());
    api::ApiResponse answer = caller.call("POST", "/sync", {{"wait_ms", wait_ms_}});
    done = answer.ok();
    if (!done && !answer.body.contains("link")) return *api::error_of(answer);
    body = std::move(answer.body);
  } else {
    DUHUI_TRY(synced, run_to_end(loop_, service_->sync_once(milliseconds(wait_ms_))));
    done = synced;
    DUHUI_TRY(told, service_->status());
    body = std::move(told);
  }
  if (console_.json()) {
    console_.print(body);
  } else {
    write_status(console_, body);
    if (!done) {
      console_.err() << console_("还没有全部交换完；已存本机的不会丢失。",
                                 "Not everything is exchanged yet; what is saved here is safe.")
                     << std::endl;
    }
  }
  return done ? 0 : static_cast<int>(cli::ExitCode::unavailable);
}

Result<int> AgentProgram::fsck() {
  DUHUI_TRY(holder, reach(false));
  if (holder == Holder::service) {
    return Error{ErrorCode::unavailable, "fsck: stop the service on " + settings_.data + " first"};
  }
  DUHUI_TRY(report, examine(service_->store(), service_->replica(), service_->file_collection()));
  if (console_.json()) {
    console_.print(fsck_json(report, service_->store().report));
  } else {
    console_.out() << (report.sound ? console_("完好。", "Sound.")
                                    : console_("有问题：", "Problems:"))
                   << "\n";
    for (const std::string& problem : report.problems) console_.out() << "  " << problem << "\n";
    console_.out() << console_("数据项 ", "values ") << report.values
                   << console_("，修改 ", ", own ops ") << report.own_ops
                   << console_("，记录 ", ", records ") << report.records
                   << console_("，日志条目 ", ", journal entries ") << report.journal_entries
                   << "\n";
    const FileCollection::Report& files = report.files;
    console_.out() << console_("文件 ", "files ") << files.whole.files
                   << console_("，未到齐 ", ", in parts ") << files.parts.files
                   << console_("（无用 ", " (of no use ") << files.useless_parts.files
                   << console_("），无记录引用 ", "), that no record names ");
    if (files.unnamed) {
      console_.out() << files.unnamed->files;
    } else {
      console_.out() << console_("现在无法判断（有加锁的记录）",
                                 "cannot be told (records are locked)");
    }
    console_.out() << console_("，待送而本机没有 ", ", to be sent and not here ") << files.absent
                   << std::endl;
  }
  return report.sound ? 0 : static_cast<int>(cli::ExitCode::failed);
}

Result<int> AgentProgram::set_link(bool enabled) {
  if (!cli::SocketCaller::answers(socket())) {
    return Error{ErrorCode::unavailable, "link: no service runs on " + settings_.data};
  }
  cli::SocketCaller caller(socket());
  DUHUI_TRY(body, caller.post("/link", {{"enabled", enabled}}));
  if (console_.json()) {
    console_.print(body);
  } else {
    write_status(console_, body);
  }
  return 0;
}

Result<int> AgentProgram::link_on() { return set_link(true); }
Result<int> AgentProgram::link_off() { return set_link(false); }

Result<int> AgentProgram::config_check() {
  return cli::report_settings(console_, settings_file(settings_), config_, problems_);
}

}  // namespace duhui::agent

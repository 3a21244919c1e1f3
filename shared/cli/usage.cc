#include "shared/cli/usage.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace duhui::cli {
namespace {

struct Label {
  const char* name;
  const char* zh;
};

constexpr Label kLabels[] = {
    {"Usage", "用法"},       {"OPTIONS", "选项"},    {"Options", "选项"},
    {"Positionals", "参数"}, {"SUBCOMMAND", "命令"}, {"SUBCOMMANDS", "命令"},
    {"Subcommands", "命令"}, {"REQUIRED", "必填"},   {"TEXT", "文本"},
    {"UINT", "数"},          {"INT", "数"},
};

/// The text between the first `open` and the last `close`; empty: there is none.
std::string between(const std::string& text, char open, char close) {
  const std::size_t from = text.find(open);
  const std::size_t to = text.rfind(close);
  if (from == std::string::npos || to == std::string::npos || to < from) return {};
  return text.substr(from + 1, to - from - 1);
}

/// What values an option takes, as its checks say it: "zh,en", "1 - 1000"; empty: any.
std::string allowed_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::string names = between(type, '{', '}');
  return names.empty() ? between(type, '[', ']') : names;
}

/// The library's formatter knows labels for some of its words; the rest is here.
class Formatter final : public CLI::Formatter {
 public:
  std::string make_group(std::string group,
                         bool is_positional,
                         std::vector<const CLI::Option*> options) const override {
    return CLI::Formatter::make_group(get_label(group), is_positional, std::move(options));
  }

  std::string make_subcommands(const CLI::App* app, CLI::AppFormatMode mode) const override {
    const std::string given = "\nSubcommands:\n";
    std::string text = CLI::Formatter::make_subcommands(app, mode);
    if (!text.starts_with(given)) return text;
    return "\n" + get_label("Subcommands") + ":\n" + text.substr(given.size());
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_type_size() == 0) return {};
    const std::string allowed = allowed_of(*option);
    std::string text = " " + (allowed.empty() ? get_label(option->get_type_name()) : allowed);
    if (!option->get_default_str().empty()) text += " =" + option->get_default_str();
    if (option->get_expected_max() == CLI::detail::expected_max_vector_size) text += " ...";
    if (option->get_required()) text += " (" + get_label("REQUIRED") + ")";
    return text;
  }
};

/// The innermost command that was named.
const CLI::App& named_command(const CLI::App& app) {
  const CLI::App* named = &app;
  for (auto inner = named->get_subcommands(); !inner.empty(); inner = named->get_subcommands()) {
    named = inner.back();
  }
  return *named;
}

std::string words_of(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return (parent == nullptr ? std::string() : words_of(*parent) + " ") + command.get_name();
}

std::string commands_of(const CLI::App& group) {
  std::string names;
  for (const CLI::App* command : group.get_subcommands({})) {
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  return names;
}

/// The option that the library's sentence speaks of; null: none of them.
const CLI::Option* option_in(const CLI::App& command, std::string_view sentence) {
  const CLI::Option* found = nullptr;
  for (const CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      const std::string name = option->get_name();
      if (name.empty() || sentence.find(name) == std::string_view::npos) continue;
      if (found == nullptr || found->get_name().size() < name.size()) found = option;
    }
  }
  return found;
}

/// A mistake in both languages, and as programs read it.
struct Mistake {
  std::string detail;
  std::string zh;
  std::string en;
};

Mistake surplus(const CLI::App& command, const std::vector<std::string>& words) {
  const auto option = std::find_if(words.begin(), words.end(),
                                   [](const std::string& word) { return word.starts_with('-'); });
  if (option != words.end()) {
    return {"unknown_option: " + *option, "没有这个选项：" + *option, "No such option: " + *option};
  }
  const std::string& word = words.front();
  if (command.get_require_subcommand_min() > 0) {
    const std::string known = commands_of(command);
    return {"unknown_command: " + word, "没有这个命令：" + word + "（有：" + known + "）",
            "No such command: " + word + " (there are: " + known + ")"};
  }
  return {"unexpected: " + word, "多出来的参数：" + word, "Unexpected argument: " + word};
}

Mistake missing(const CLI::App& command, const std::string& sentence) {
  if (command.get_require_subcommand_min() > 0) {
    const std::string known = commands_of(command);
    return {"missing_command: " + known, "缺少命令，可用：" + known,
            "A command is missing: one of " + known};
  }
  std::string name = sentence.substr(0, sentence.find(" is required"));
  return {"missing: " + name, "缺少必填的 " + name, name + " is missing"};
}

Mistake wrong_value(const CLI::Option& option) {
  const std::string name = option.get_name();
  const std::string value = option.results().empty() ? "" : option.results().back();
  std::string allowed = allowed_of(option);
  return {"wrong_value: " + name + ": " + value,
          name + " 的值不对：" + value + (allowed.empty() ? "" : "（可以是 " + allowed + "）"),
          name + " cannot be " + value + (allowed.empty() ? "" : " (allowed: " + allowed + ")")};
}

Mistake wrong_count(const CLI::Option& option, const std::string& sentence) {
  const std::string name = option.get_name();
  const bool too_many = option.count() > 1 && sentence.find("missing") == std::string::npos;
  if (too_many)
    return {"repeated: " + name, name + " 只能给一次", name + " may be given once only"};
  return {"missing_value: " + name, name + " 后面缺少值", name + " wants a value"};
}

Mistake mistake_of(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = named_command(app);
  const std::string sentence = error.what();
  const auto surplus_words = app.remaining(true);
  const CLI::Option* option = option_in(command, sentence);
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr && option != nullptr) {
    return wrong_count(*option, sentence);
  }
  const bool invalid = dynamic_cast<const CLI::ValidationError*>(&error) != nullptr ||
                       dynamic_cast<const CLI::ConversionError*>(&error) != nullptr;
  if (invalid && option != nullptr) return wrong_value(*option);
  // A word that is not known says more than what is missing because of it.
  if (!surplus_words.empty()) return surplus(command, surplus_words);
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) return missing(command, sentence);
  return {"usage: " + sentence, "用法有误：" + sentence, sentence};
}

}  // namespace

void speak(CLI::App& app, const Console& console, const std::string& version) {
  auto formatter = std::make_shared<Formatter>();
  if (console.language() == api::Language::zh) {
    for (const Label& label : kLabels) formatter->label(label.name, label.zh);
  }
  formatter->label("REQUIRED", console("必填", "required"));
  app.formatter(formatter);
  app.set_help_flag("-h,--help", console("显示这段说明", "show this help"));
  app.set_version_flag("--version", version, console("显示版本", "show the version"));
}

std::string exit_codes(const Console& console) {
  return console(
      "退出码：0 成功，1 失败，2 用法错误，3 没有找到，4 规则不允许，5 服务或存储不可用，"
      "6 冲突",
      "Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 refused by a rule, "
      "5 service or storage unavailable, 6 conflict");
}

std::optional<int> parse_arguments(CLI::App& app, int argc, char** argv, Console& console) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::Success& asked) {
    return app.exit(asked, console.out(), console.err());
  } catch (const CLI::ParseError& error) {
    // The flag itself may not have been reached when the mistake was found.
    for (int n = 1; n < argc; ++n) {
      if (std::string_view(argv[n]) == "--json") *console.json_flag() = true;
    }
    const Mistake mistake = mistake_of(app, error);
    const std::string help = words_of(named_command(app)) + " --help";
    if (console.json()) {
      console.print({{"error",
                      {{"code", to_string(ErrorCode::invalid_input)},
                       {"detail", mistake.detail},
                       {"message_zh", mistake.zh + "。"},
                       {"message_en", mistake.en + "."}}}});
    } else {
      console.err() << "✗ " << console(mistake.zh, mistake.en) << "\n  "
                    << console("用法：", "Usage: ") << help << std::endl;
    }
    return static_cast<int>(ExitCode::usage);
  }
}

}  // namespace duhui::cli

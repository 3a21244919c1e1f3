#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "shared/base/result.h"
#include "shared/cli/caller.h"
#include "shared/cli/console.h"

namespace CLI {
class App;
}  // namespace CLI

namespace duhui::cli {

/// Finds who answers: the running service, or the data opened in this process.
using Connect = std::function<Result<Caller*>()>;

/// `record new|show|set|list|import|export`, `why` and `conflict list|resolve`: the same words in
/// both programs. The subcommand that was typed sets `action`; main runs it and returns its exit
/// code.
class RecordCommands {
 public:
  /// All outlive this.
  RecordCommands(Console& console, Connect connect, std::function<int()>* action)
      : console_(console), connect_(std::move(connect)), action_(action) {}
  RecordCommands(const RecordCommands&) = delete;
  RecordCommands& operator=(const RecordCommands&) = delete;

  /// `program`: for the examples in the help ("duhui-agent").
  void add_to(CLI::App& app, const std::string& program);

 private:
  struct Options {
    std::string type;
    std::string id;
    std::string person;
    std::string password_file;
    std::string seen;
    std::string reason;
    std::string path;
    std::string value;
    std::string scope;
    std::string school;
    std::string state;
    std::string from;
    std::string to;
    std::string file;
    std::string after;
    std::uint32_t limit = 100;
    bool all = false;
    bool remove = false;
    bool only_here = false;
    std::vector<std::string> sets;
    std::vector<std::string> adds;
    std::vector<std::string> removes;
    std::vector<std::string> appends;
    std::vector<std::string> author_fields;
  };

  void add_new(CLI::App& record, const std::string& program);
  void add_show(CLI::App& record, const std::string& program);
  void add_set(CLI::App& record, const std::string& program);
  void add_list(CLI::App& record, const std::string& program);
  void add_import(CLI::App& record, const std::string& program);
  void add_export(CLI::App& record, const std::string& program);
  void add_why(CLI::App& app, const std::string& program);
  void add_conflicts(CLI::App& app, const std::string& program);

  /// `--as` and `--password-file`.
  void add_person(CLI::App& command, const std::string& text);
  /// As the person, if a password was given.
  Result<int> run_as(Caller& caller, Result<int> (RecordCommands::*work)(Caller&));

  using Work = Result<int> (RecordCommands::*)(Caller&);
  /// Runs `work` when `command` was typed.
  void on(CLI::App& command, Work work);

  Result<int> make(Caller& caller);
  Result<int> show(Caller& caller);
  Result<int> set(Caller& caller);
  Result<int> list(Caller& caller);
  Result<int> import(Caller& caller);
  Result<int> export_all(Caller& caller);
  Result<int> why(Caller& caller);
  Result<int> list_conflicts(Caller& caller);
  Result<int> resolve(Caller& caller);

  std::string seen_text() const;
  std::string record_path(const std::string& tail, const std::string& query = {}) const;
  Result<nlohmann::json> edits() const;

  Console& console_;
  const Connect connect_;
  std::function<int()>* const action_;
  Options options_;
};

struct ImportOptions {
  std::string type{};
  std::vector<std::string> author_fields{};  // the first that is set names the author
  std::string person{};                      // author of lines that name none
  bool only_here = false;                    // pass over what belongs elsewhere
  std::string label{};                       // of the progress bar
};

/// Sends the lines of a file as records made by the people they name. Returns {"lines","saved",
/// "skipped","elsewhere"}.
Result<nlohmann::json> import_lines(Caller& caller,
                                    const std::string& text,
                                    const ImportOptions& import);

}  // namespace duhui::cli

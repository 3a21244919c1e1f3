#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "shared/base/result.h"
#include "shared/cli/caller.h"
#include "shared/cli/console.h"
#include "shared/cli/record_commands.h"

namespace CLI {
class App;
}  // namespace CLI

namespace duhui::hub {

/// `admin create` and `account ...`: who may sign in. Passwords come from files or standard input,
/// never from the command line.
class AccountCommands {
 public:
  /// All outlive this.
  AccountCommands(cli::Console& console, cli::Connect connect, std::function<int()>* action)
      : console_(console), connect_(std::move(connect)), action_(action) {}
  AccountCommands(const AccountCommands&) = delete;
  AccountCommands& operator=(const AccountCommands&) = delete;

  void add_to(CLI::App& app);

 private:
  struct Options {
    std::string login;
    std::string name;
    std::string role = "security_admin";
    std::string org;
    std::string user;
    std::string password_file;
    std::string school;
    std::string place;
    std::string file;
    bool keep = false;
  };
  using Work = Result<int> (AccountCommands::*)(cli::Caller&);

  void add_admin(CLI::App& app);
  void add_accounts(CLI::App& app);
  void add_places(CLI::App& account);
  void on(CLI::App& command, Work work);

  Result<int> create_admin(cli::Caller& caller);
  Result<int> list(cli::Caller& caller);
  Result<int> set_password(cli::Caller& caller);
  Result<int> disable(cli::Caller& caller);
  Result<int> enable(cli::Caller& caller);
  Result<int> list_places(cli::Caller& caller);
  Result<int> add_place(cli::Caller& caller);
  Result<int> remove_place(cli::Caller& caller);
  Result<int> import(cli::Caller& caller);
  nlohmann::json place_body() const;
  int tell(const nlohmann::json& account);

  cli::Console& console_;
  const cli::Connect connect_;
  std::function<int()>* const action_;
  Options options_;
};

}  // namespace duhui::hub

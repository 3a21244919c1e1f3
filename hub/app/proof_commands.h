#pragma once

#include <functional>
#include <string>

#include "shared/base/result.h"
#include "shared/cli/caller.h"
#include "shared/cli/console.h"

namespace CLI {
class App;
}  // namespace CLI

namespace duhui::hub {

/// `duhui-hub proof export` and `duhui-hub verify`.
class ProofCommands {
 public:
  using Connect = std::function<Result<cli::Caller*>()>;

  /// All outlive this. `action` is set by the command that was typed.
  ProofCommands(cli::Console& console, Connect connect, std::function<int()>* action)
      : console_(console), connect_(std::move(connect)), action_(action) {}
  ProofCommands(const ProofCommands&) = delete;
  ProofCommands& operator=(const ProofCommands&) = delete;

  void add_to(CLI::App& app);

 private:
  using Work = Result<int> (ProofCommands::*)();
  void on(CLI::App& command, Work work);

  Result<int> export_archive();
  Result<int> verify();
  Result<int> verify_file();
  Result<int> verify_hub();
  int report(const nlohmann::json& found);

  cli::Console& console_;
  const Connect connect_;
  std::function<int()>* const action_;
  std::string file_;
  std::string record_;
  std::string type_;
  std::string hub_key_;
  bool all_ = false;
};

}  // namespace duhui::hub

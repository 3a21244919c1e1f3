#pragma once

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "shared/base/result.h"
#include "shared/cli/caller.h"
#include "shared/cli/console.h"
#include "shared/cli/record_commands.h"

namespace CLI {
class App;
}  // namespace CLI

namespace duhui::agent {

/// `attach RECORD FILE...`: hands in files and names them in a record. Cut off and typed again, it
/// goes on where it was.
class AttachCommand {
 public:
  /// All outlive this.
  AttachCommand(cli::Console& console, cli::Connect connect, std::function<int()>* action)
      : console_(console), connect_(std::move(connect)), action_(action) {}
  AttachCommand(const AttachCommand&) = delete;
  AttachCommand& operator=(const AttachCommand&) = delete;

  void add_to(CLI::App& app);

 private:
  Result<int> run();
  Result<int> attach(cli::Caller& caller);
  /// What the API says of the file once it is there.
  Result<nlohmann::json> hand_in(cli::Caller& caller, const std::string& path);
  nlohmann::json attachment(const nlohmann::json& file) const;

  cli::Console& console_;
  const cli::Connect connect_;
  std::function<int()>* const action_;

  std::string record_;
  std::vector<std::string> files_;
  std::string type_;
  std::string field_ = "attachments";
  std::string caption_;
  std::string person_;
  std::string password_file_;
  bool keep_location_ = false;
};

}  // namespace duhui::agent

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "shared/base/result.h"
#include "shared/cli/caller.h"
#include "shared/cli/console.h"
#include "shared/crypto/signing.h"

namespace CLI {
class App;
}  // namespace CLI

namespace duhui::hub {

/// `duhui-hub audit list|export|verify`.
class AuditCommands {
 public:
  using Connect = std::function<Result<cli::Caller*>()>;

  /// All outlive this. `action` is set by the command that was typed.
  AuditCommands(cli::Console& console, Connect connect, std::function<int()>* action)
      : console_(console), connect_(std::move(connect)), action_(action) {}
  AuditCommands(const AuditCommands&) = delete;
  AuditCommands& operator=(const AuditCommands&) = delete;

  void add_to(CLI::App& app);

 private:
  using Work = Result<int> (AuditCommands::*)();
  void on(CLI::App& command, Work work);

  Result<int> list();
  Result<int> export_all();
  Result<int> verify();
  Result<int> verify_file();
  /// Whether the hub's own log is sound, and still begins as `earlier` ({"seq","chain"}) says.
  Result<int> verify_hub(const nlohmann::json& earlier);

  cli::Console& console_;
  const Connect connect_;
  std::function<int()>* const action_;
  std::string file_;
  std::string hub_key_;
  bool against_hub_ = false;
  std::uint64_t after_ = 0;
  std::uint32_t limit_ = 100;
};

/// `--hub-key`: 64 hexadecimal digits; empty: none given.
Result<std::optional<PublicKey>> parse_hub_key(const std::string& text);
}  // namespace duhui::hub

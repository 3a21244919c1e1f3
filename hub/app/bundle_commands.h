#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "shared/base/result.h"
#include "shared/cli/caller.h"
#include "shared/cli/console.h"
#include "shared/sync/bundle_limits.h"

namespace CLI {
class App;
}  // namespace CLI

namespace duhui::hub {

/// `duhui-hub bundle import|export`.
class BundleCommands {
 public:
  using Connect = std::function<Result<cli::Caller*>()>;

  /// All outlive this. `action` is set by the command that was typed.
  BundleCommands(cli::Console& console, Connect connect, std::function<int()>* action)
      : console_(console), connect_(std::move(connect)), action_(action) {}
  BundleCommands(const BundleCommands&) = delete;
  BundleCommands& operator=(const BundleCommands&) = delete;

  void add_to(CLI::App& app);

 private:
  using Work = Result<int> (BundleCommands::*)();
  void on(CLI::App& command, Work work);

  Result<int> import_files();
  Result<int> export_files();
  Result<std::vector<std::string>> devices(cli::Caller& caller);

  cli::Console& console_;
  const Connect connect_;
  std::function<int()>* const action_;
  std::vector<std::string> paths_;
  std::string device_;
  bool all_ = false;
  std::string target_;
  std::uint64_t part_bytes_ = bundle_limits::kPartBytesDefault;
};

}  // namespace duhui::hub

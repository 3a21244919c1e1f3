#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <sys/types.h>

#include "shared/crypto/ticket.h"
#include "shared/net/websocket_client.h"

namespace duhui::bench {

/// A duhui-hub of its own in a folder of its own, watched from outside. Whatever goes wrong ends
/// the program: there is nothing to measure then.
class HubProcess {
 public:
  /// Starts `program serve` on `folder`, making the hub first where there is none.
  HubProcess(std::string program, std::string folder);
  /// Stops it as an operator does (SIGTERM).
  ~HubProcess();
  HubProcess(const HubProcess&) = delete;
  HubProcess& operator=(const HubProcess&) = delete;

  net::HubAddress address() const { return address_; }
  /// What a device presents for a ticket to `scope` that may be used `uses` times.
  std::string ticket(const std::string& scope, std::uint32_t uses);
  /// Imports the registry files of a folder.
  void import(const std::string& registries);

  double cpu_seconds() const;
  double resident_kb() const;
  double peak_kb() const;
  /// Counts the peak anew from here.
  void forget_peak() const;
  std::uint64_t disk_bytes() const;

 private:
  double status_kb(const std::string& name) const;

  const std::string program_;
  const std::string folder_;
  pid_t pid_ = 0;
  int output_ = -1;
  net::HubAddress address_;
};

[[noreturn]] void fail(const std::string& what);

}  // namespace duhui::bench

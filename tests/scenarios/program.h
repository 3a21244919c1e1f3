#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <sys/types.h>

#include "shared/api/answer.h"
#include "shared/base/time.h"
#include "shared/net/http_client.h"

namespace duhui::scenarios {

/// Of everybody in the scenarios.
inline constexpr const char* kPassword = "dingxiang-258";

/// One of the two programs on one data folder, as a process of its own on a clock of its own.
///
/// The process ends with this object, and also when this process ends in any way. Its output goes
/// to
/// `<folder>.log`, its clock's offsets come from `<folder>.clock`. What no scenario may meet (it
/// does not start, it crashes, it does not stop) is thrown as std::runtime_error with the end of
/// the log.
class Program {
 public:
  Program(std::string executable, std::string folder);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  const std::string& folder() const { return folder_; }
  bool serving() const { return process_ > 0; }

  /// Runs one command on the folder to its end.
  void run(const std::vector<std::string>& words);
  /// Starts the service; on return it answers.
  void serve(const std::vector<std::string>& words);
  /// Asks it to end (SIGTERM) and waits until it has.
  void stop();
  /// Ends it at once (SIGKILL).
  void kill();
  /// It holds still until thaw(): who connects waits.
  void freeze();
  void thaw();

  /// What its clocks show differs from this machine's by so much.
  void set_clock(Duration wall, Duration monotonic);

  /// One request as the machine's operator, over the control socket; `path` below /api/v1. Null
  /// body: none.
  api::ApiResponse call(const std::string& method,
                        const std::string& path,
                        const nlohmann::json& body);
  /// The same on loopback, as somebody who signs in if they have not.
  api::ApiResponse call_as(const std::string& person,
                           const std::string& method,
                           const std::string& path,
                           const nlohmann::json& body);

 private:
  std::vector<std::string> command(const std::vector<std::string>& words) const;
  pid_t spawn(const std::vector<std::string>& words) const;
  bool answers();
  net::HttpResponse send(const net::HttpClient& client,
                         const std::string& method,
                         const std::string& path,
                         const nlohmann::json& body,
                         const net::HttpHeaders& headers);
  void sign_in(const std::string& person);
  void signal(int number) const;
  [[noreturn]] void fail(const std::string& what) const;

  const std::string executable_;
  const std::string folder_;
  pid_t process_ = 0;  // 0: none
  std::uint16_t port_ = 0;
  std::map<std::string, net::HttpHeaders> sessions_;  // by person
};

}  // namespace duhui::scenarios

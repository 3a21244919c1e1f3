#include "tests/scenarios/program.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/api/router.h"
#include "shared/net/http_client.h"
#include "shared/net/system_clock.h"

namespace duhui::scenarios {
namespace {

// Generous: builds that watch memory or threads are many times slower.
constexpr Duration kStartMax = seconds(60);
constexpr Duration kStopMax = seconds(30);
constexpr int kLookAgainMs = 2;
constexpr std::size_t kLogShown = 3000;
constexpr std::string_view kClockVariable = "DUHUI_CLOCK_OFFSET_FILE";

/// Opens what a child gets as its standard files, and lets go of it again.
class ChildFiles {
 public:
  explicit ChildFiles(const std::string& log) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, log.c_str(),
                                       O_WRONLY | O_CREAT | O_APPEND, 0644);
    ::posix_spawn_file_actions_adddup2(&actions_, STDOUT_FILENO, STDERR_FILENO);
  }
  ~ChildFiles() { ::posix_spawn_file_actions_destroy(&actions_); }
  ChildFiles(const ChildFiles&) = delete;
  ChildFiles& operator=(const ChildFiles&) = delete;

  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_with(const std::string& clock_file) {
  std::vector<std::string> all;
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with(kClockVariable)) all.emplace_back(*entry);
  }
  all.push_back(std::string(kClockVariable) + "=" + clock_file);
  return all;
}

/// "exit 1", "signal 11"; empty: it is running.
std::string ended_how(pid_t process, int options) {
  int status = 0;
  pid_t got = 0;
  do {
    got = ::waitpid(process, &status, options);
  } while (got < 0 && errno == EINTR);
  if (got == 0) return {};
  if (got < 0) return std::string("lost: ") + std::strerror(errno);
  return WIFEXITED(status) ? "exit " + std::to_string(WEXITSTATUS(status))
                           : "signal " + std::to_string(WTERMSIG(status));
}

/// Calls `done` again and again until it returns true; false: not before `limit`.
template <typename Condition>
bool wait_until(Duration limit, const Condition& done) {
  const net::SystemClock clock;
  const MonotonicTime until = clock.monotonic() + limit;
  while (!done()) {
    if (clock.monotonic() >= until) return false;
    ::poll(nullptr, 0, kLookAgainMs);
  }
  return true;
}

std::string text_of(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

Program::Program(std::string executable, std::string folder)
    : executable_(std::move(executable)), folder_(std::move(folder)) {}

Program::~Program() {
  if (!serving()) return;
  ::kill(process_, SIGKILL);
  ended_how(process_, 0);
}

void Program::fail(const std::string& what) const {
  const std::string log = text_of(folder_ + ".log");
  throw std::runtime_error(folder_ + ": " + what + "\n" +
                           log.substr(log.size() - std::min(log.size(), kLogShown)));
}

std::vector<std::string> Program::command(const std::vector<std::string>& words) const {
  // Whatever happens to this process, no program is left running.
  std::vector<std::string> all = {"/usr/bin/setpriv", "--pdeathsig", "KILL",
                                  executable_,        "--data",      folder_};
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

pid_t Program::spawn(const std::vector<std::string>& words) const {
  std::vector<std::string> arguments = command(words);
  std::vector<std::string> environment = environment_with(folder_ + ".clock");
  const ChildFiles files(folder_ + ".log");
  pid_t process = 0;
  const int failed = ::posix_spawn(&process, arguments.front().c_str(), files.get(), nullptr,
                                   pointers_to(arguments).data(), pointers_to(environment).data());
  if (failed != 0) fail(std::string("cannot start: ") + std::strerror(failed));
  return process;
}

void Program::run(const std::vector<std::string>& words) {
  const std::string how = ended_how(spawn(words), 0);
  if (how != "exit 0") fail(words.front() + ": " + how);
}

bool Program::answers() {
  const auto listen = nlohmann::json::parse(text_of(folder_ + "/listen.json"), nullptr, false);
  if (!listen.is_object()) return false;
  port_ = listen.value("port", listen.value("http_port", std::uint16_t{0}));
  const auto client = net::HttpClient::over_tcp("127.0.0.1", port_, seconds(10));
  const auto answer =
      client.send({.method = "GET", .target = std::string(api::kBasePath) + "/health"});
  return answer && answer->status == 200;
}

void Program::serve(const std::vector<std::string>& words) {
  std::filesystem::remove(folder_ + "/listen.json");
  sessions_.clear();
  std::vector<std::string> all = {"serve"};
  all.insert(all.end(), words.begin(), words.end());
  process_ = spawn(all);
  std::string how;
  const bool ready = wait_until(kStartMax, [&] {
    how = ended_how(process_, WNOHANG);
    return !how.empty() || answers();
  });
  if (!how.empty()) process_ = 0;
  if (!how.empty() || !ready) fail("does not start: " + (how.empty() ? "no answer" : how));
}

void Program::signal(int number) const {
  if (!serving()) throw std::logic_error(folder_ + ": is not running");
  ::kill(process_, number);
}

void Program::stop() {
  signal(SIGTERM);
  std::string how;
  const bool ended = wait_until(kStopMax, [&] {
    how = ended_how(process_, WNOHANG);
    return !how.empty();
  });
  if (!ended) fail("does not stop");
  process_ = 0;
  if (how != "exit 0") fail("stopped with " + how);
}

void Program::kill() {
  signal(SIGKILL);
  const std::string how = ended_how(process_, 0);
  process_ = 0;
  if (how != "signal 9") fail("had ended before: " + how);
}

void Program::freeze() { signal(SIGSTOP); }

void Program::thaw() { signal(SIGCONT); }

void Program::set_clock(Duration wall, Duration monotonic) {
  const std::string path = folder_ + ".clock";
  const std::string fresh = path + ".new";
  std::ofstream(fresh) << wall.ms << ' ' << monotonic.ms << '\n';
  std::filesystem::rename(fresh, path);  // a program never reads half a number
}

net::HttpResponse Program::send(const net::HttpClient& client,
                                const std::string& method,
                                const std::string& path,
                                const nlohmann::json& body,
                                const net::HttpHeaders& headers) {
  net::HttpRequest request{.method = method,
                           .target = std::string(api::kBasePath) + path,
                           .headers = headers,
                           .body = body.is_null() ? std::string() : body.dump()};
  request.headers.emplace_back("Content-Type", "application/json");
  auto answer = client.send(request);
  if (!answer) {
    const std::string how = serving() ? ended_how(process_, WNOHANG) : "not running";
    if (!how.empty()) process_ = 0;
    fail(method + " " + path + ": " + to_string(answer.error()) + " " + how);
  }
  return std::move(*answer);
}

api::ApiResponse Program::call(const std::string& method,
                               const std::string& path,
                               const nlohmann::json& body) {
  const auto client = net::HttpClient::over_unix(folder_ + "/control.sock");
  const net::HttpResponse answer = send(client, method, path, body, {});
  return {answer.status, nlohmann::json::parse(answer.body)};
}

void Program::sign_in(const std::string& person) {
  const auto client = net::HttpClient::over_tcp("127.0.0.1", port_);
  const net::HttpResponse answer =
      send(client, "POST", "/session", {{"user", person}, {"password", kPassword}}, {});
  if (answer.status != 200) fail("sign in " + person + ": " + answer.body);
  const std::string cookie(
      std::ranges::find(answer.headers, "set-cookie", &net::HttpHeaders::value_type::first)
          ->second);
  sessions_[person] = {
      {"Cookie", cookie.substr(0, cookie.find(';'))},
      {"X-Duhui-CSRF", nlohmann::json::parse(answer.body).at("csrf").get<std::string>()}};
}

api::ApiResponse Program::call_as(const std::string& person,
                                  const std::string& method,
                                  const std::string& path,
                                  const nlohmann::json& body) {
  const auto client = net::HttpClient::over_tcp("127.0.0.1", port_);
  constexpr int kUnauthenticated = 401;
  for (const bool again : {false, true}) {
    // Scenario time passes in days: sessions have ended.
    if (again || !sessions_.contains(person)) sign_in(person);
    const net::HttpResponse answer = send(client, method, path, body, sessions_[person]);
    if (again || answer.status != kUnauthenticated) {
      return {answer.status, nlohmann::json::parse(answer.body)};
    }
  }
  fail("sign in " + person);
}

}  // namespace duhui::scenarios

#include "tests/bench/hub_process.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <utility>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/core/tickets.h"
#include "shared/base/bytes.h"

namespace duhui::bench {
namespace {

std::string output_of(const std::string& command) {
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) fail("cannot run " + command);
  std::string out;
  std::array<char, 4096> part{};
  while (const std::size_t size = std::fread(part.data(), 1, part.size(), pipe))
    out.append(part.data(), size);
  if (::pclose(pipe) != 0) fail(command + ": " + out);
  return out;
}

std::string read_line(int file) {
  std::string line;
  for (char c = 0; ::read(file, &c, 1) == 1 && c != '\n';) line += c;
  return line;
}

}  // namespace

void fail(const std::string& what) {
  std::fprintf(stderr, "sync_bench: %s\n", what.c_str());
  std::fflush(nullptr);
  std::_Exit(1);
}

HubProcess::HubProcess(std::string program, std::string folder)
    : program_(std::move(program)), folder_(std::move(folder)) {
  if (!std::filesystem::exists(folder_ + "/hub.db")) {
    output_of("'" + program_ + "' init --data '" + folder_ + "' --name bench --json");
    // All of our devices come from one address.
    std::ofstream(folder_ + "/hub.toml") << "[devices]\nconnections_per_address_max = 100000\n";
  }
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe");
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    const std::string log = folder_ + "/serve.log";
    const int errors = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ::dup2(errors, STDERR_FILENO);
    ::execl(program_.c_str(), program_.c_str(), "serve", "--data", folder_.c_str(), "--listen",
            "127.0.0.1:0", "--http", "127.0.0.1:0", "--json", nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  output_ = ends[0];
  const std::string line = read_line(output_);
  const auto ready = nlohmann::json::parse(line, nullptr, false);
  if (!ready.is_object()) fail("the hub did not start: " + line);
  const auto pin = from_hex(ready.at("pin").get<std::string>());
  if (!pin) fail("the hub names no pin");
  address_ = {
      .host = "127.0.0.1", .port = ready.at("devices_port").get<std::uint16_t>(), .pin = *pin};
}

HubProcess::~HubProcess() {
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
  ::close(output_);
}

std::string HubProcess::ticket(const std::string& scope, std::uint32_t uses) {
  const auto made = nlohmann::json::parse(
      output_of("'" + program_ + "' ticket create --data '" + folder_ + "' --scope '" + scope +
                "' --uses " + std::to_string(uses) + " --json"),
      nullptr, false);
  if (!made.is_object()) fail("no ticket");
  const auto ticket = parse_ticket(made.at("file").get<std::string>());
  if (!ticket) fail(to_string(ticket.error()));
  return hub::ticket_presentation(ticket->id, ticket->secret_view());
}

void HubProcess::import(const std::string& registries) {
  output_of("'" + program_ + "' import --data '" + folder_ + "' --from '" + registries +
            "' --json");
}

double HubProcess::cpu_seconds() const {
  clockid_t clock{};
  timespec spent{};
  if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &spent) != 0)
    fail("the hub is gone");
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
}

double HubProcess::status_kb(const std::string& name) const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name + ":")) return std::atof(line.c_str() + name.size() + 1);
  }
  fail("the hub is gone");
}

double HubProcess::resident_kb() const { return status_kb("VmRSS"); }
double HubProcess::peak_kb() const { return status_kb("VmHWM"); }

void HubProcess::forget_peak() const {
  std::ofstream("/proc/" + std::to_string(pid_) + "/clear_refs") << "5";
}

std::uint64_t HubProcess::disk_bytes() const {
  std::uint64_t total = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
    if (entry.is_regular_file()) total += entry.file_size();
  }
  return total;
}

}  // namespace duhui::bench

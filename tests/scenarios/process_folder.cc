#include "tests/scenarios/process_folder.h"

#include <cstdint>
#include <filesystem>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace duhui::scenarios {
namespace {

namespace fs = std::filesystem;

constexpr int kPortFirst = 20'000;
constexpr int kPorts = 12'000;

bool is_free(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound =
      ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return bound;
}

/// What a running program leaves behind, and what an agent makes anew when it is missing.
bool is_passing(const fs::path& file) {
  return file.filename() == "listen.json" || file.filename() == "reserve" ||
         file.extension() == ".sock";
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  // Short: the path of a local socket below it may have 107 characters.
  path_ = (fs::temp_directory_path() / "duhui-scenario-XXXXXX").string();
  if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make " + path_);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;  // somebody cleaned up before us
  fs::remove_all(path_, ignored);
}

void copy_data(const std::string& from, const std::string& to) {
  fs::create_directories(to);
  fs::permissions(to, fs::status(from).permissions());
  for (const fs::directory_entry& entry : fs::directory_iterator(from)) {
    if (is_passing(entry.path())) continue;
    const std::string target = to + "/" + entry.path().filename().string();
    if (entry.is_directory()) {
      copy_data(entry.path().string(), target);
    } else {
      fs::copy_file(entry.path(), target);
    }
  }
}

int free_port() {
  // Two programs of this kind at the same time start searching at different places.
  const int start = static_cast<int>(::getpid()) * 37 % kPorts;
  for (int n = 0; n < kPorts; ++n) {
    const int port = kPortFirst + (start + n) % kPorts;
    if (is_free(port)) return port;
  }
  throw std::runtime_error("no free port");
}

}  // namespace duhui::scenarios

#include "shared/net/acceptors.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace duhui::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using UnixProtocol = asio::local::stream_protocol;

namespace {

Error cannot_listen(const std::string& where, error_code why) {
  return {ErrorCode::unavailable, "listen on " + where + ": " + why.message()};
}

/// Whether a process still answers at `path`.
bool is_served(const asio::any_io_executor& executor, const std::string& path) {
  UnixProtocol::socket probe(executor);
  error_code failed;
  probe.connect(UnixProtocol::endpoint(path), failed);
  return !failed;
}

}  // namespace

Result<tcp::acceptor> open_port(asio::any_io_executor executor,
                                const std::string& address,
                                std::uint16_t port) {
  const std::string where = address + ":" + std::to_string(port);
  error_code failed;
  const auto ip = asio::ip::make_address(address, failed);
  if (failed) return cannot_listen(where, failed);
  const tcp::endpoint endpoint(ip, port);
  tcp::acceptor acceptor(executor);
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(tcp::acceptor::max_listen_connections, failed);
  if (failed) return cannot_listen(where, failed);
  return acceptor;
}

Result<UnixProtocol::acceptor> open_owner_socket(asio::any_io_executor executor,
                                                 const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Error{ErrorCode::invalid_input, "listen on " + path + ": the path is too long"};
  }
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode) || is_served(executor, path)) {
      return Error{ErrorCode::conflict, "listen on " + path + ": it is in use"};
    }
    ::unlink(path.c_str());
  }
  error_code failed;
  UnixProtocol::acceptor acceptor(executor);
  acceptor.open(UnixProtocol(), failed);
  const mode_t before = ::umask(0177);  // nobody else, not even for an instant
  if (!failed) acceptor.bind(UnixProtocol::endpoint(path), failed);
  ::umask(before);
  if (!failed) acceptor.listen(UnixProtocol::acceptor::max_listen_connections, failed);
  if (failed) return cannot_listen(path, failed);
  return acceptor;
}

bool may_command(uid_t peer, uid_t self) { return peer == self || peer == 0; }

bool is_owner(UnixProtocol::socket& peer) {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(peer.native_handle(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return false;
  return may_command(who.uid, ::geteuid());
}

}  // namespace duhui::net

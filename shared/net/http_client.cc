#include "shared/net/http_client.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace duhui::net {
namespace {

constexpr std::size_t kAnswerBytesMax = 256u << 20;

class Handle {
 public:
  explicit Handle(int number) : number_(number) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }

 private:
  const int number_;
};

Error failed(std::string_view what) {
  return {ErrorCode::unavailable, std::string(what) + ": " + std::strerror(errno)};
}

bool connect_unix(int socket, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return errno = ENAMETOOLONG, false;
  std::memcpy(address.sun_path, path.data(), path.size());
  return ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

bool connect_tcp(int socket, const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return errno = EINVAL, false;
  return ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

std::string to_wire(const HttpRequest& request) {
  std::string text = request.method + " " + request.target + " HTTP/1.1\r\n";
  text += "Host: localhost\r\nConnection: close\r\n";
  for (const auto& [name, value] : request.headers) text += name + ": " + value + "\r\n";
  text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n\r\n";
  return text + request.body;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

}  // namespace

Result<HttpResponse> parse_http_answer(std::string_view text) {
  const Error bad{ErrorCode::corrupt_data, "read answer: not a whole HTTP answer"};
  const std::size_t head_end = text.find("\r\n\r\n");
  if (!text.starts_with("HTTP/1.1 ") || head_end == std::string_view::npos) return bad;
  std::string_view head = text.substr(0, head_end);
  HttpResponse answer{
      .status = 0, .content_type = {}, .body = std::string(text.substr(head_end + 4))};
  if (head.size() < 12) return bad;
  std::from_chars(head.data() + 9, head.data() + 12, answer.status);
  if (answer.status < 100) return bad;

  std::size_t length = 0;
  while (!head.empty()) {
    const std::size_t line_end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, line_end);
    head.remove_prefix(std::min(line_end + 2, head.size()));
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    std::string name = lower(line.substr(0, colon));
    const std::string_view value = line.substr(colon + 2);
    if (name == "content-type") answer.content_type = value;
    if (name == "content-length") {
      std::from_chars(value.data(), value.data() + value.size(), length);
    }
    answer.headers.emplace_back(std::move(name), value);
  }
  if (answer.body.size() != length) return bad;
  return answer;
}

namespace {

Result<HttpResponse> exchange(int socket, const HttpRequest& request) {
  const std::string wire = to_wire(request);
  for (std::size_t sent = 0; sent < wire.size();) {
    const ssize_t count = ::send(socket, wire.data() + sent, wire.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    // A server that refuses early closes while we are still sending; its answer tells why.
    if (count <= 0) break;
    sent += static_cast<std::size_t>(count);
  }
  std::string text;
  std::array<char, 65536> part;
  for (;;) {
    const ssize_t count = ::recv(socket, part.data(), part.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && text.empty()) return failed("read answer");
    if (count <= 0) return parse_http_answer(text);
    text.append(part.data(), static_cast<std::size_t>(count));
    if (text.size() > kAnswerBytesMax) {
      return Error{ErrorCode::limit_exceeded, "read answer: too long"};
    }
  }
}

}  // namespace

HttpClient HttpClient::over_unix(std::string path, Duration timeout) {
  return {std::move(path), 0, timeout};
}

HttpClient HttpClient::over_tcp(std::string address, std::uint16_t port, Duration timeout) {
  return {std::move(address), port, timeout};
}

Result<HttpResponse> HttpClient::send(const HttpRequest& request) const {
  const Handle socket(::socket(port_ == 0 ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return failed("open socket");
  timeval limit{};
  limit.tv_sec = timeout_.ms / 1000;
  limit.tv_usec = timeout_.ms % 1000 * 1000;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const bool connected =
      port_ == 0 ? connect_unix(socket.get(), where_) : connect_tcp(socket.get(), where_, port_);
  if (!connected) return failed("connect to " + where_);
  return exchange(socket.get(), request);
}

}  // namespace duhui::net

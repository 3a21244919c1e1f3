#include "shared/web/page_port.h"

#include <array>
#include <cstring>
#include <utility>

#include <arpa/inet.h>

#include "shared/api/web_guard.h"
#include "shared/base/bytes.h"
#include "shared/record/json_text.h"

namespace duhui::web {
namespace {

constexpr std::size_t kPageBodyBytesMax = 1 << 20;

net::HttpGuard guard_for(std::vector<std::string> hosts) {
  return [hosts = std::move(hosts)](
             const net::HttpRequest& request) -> std::optional<net::HttpResponse> {
    const auto refusal = api::refuse_foreign({.method = request.method,
                                              .target = request.target,
                                              .headers = request.headers,
                                              .port = request.port,
                                              .secure = request.secure},
                                             hosts);
    if (!refusal) return std::nullopt;
    return http_response(*refusal);
  };
}

net::ListenerOptions options_for(std::vector<std::string> hosts, Report report) {
  net::ListenerOptions options;
  options.guard = guard_for(std::move(hosts));
  options.answer_headers = api::web_answer_headers();
  options.report = std::move(report);
  return options;
}

void be_impatient(net::HttpLimits* limits) {
  limits->body_bytes_max = kPageBodyBytesMax;
  limits->head_timeout = seconds(10);
  limits->body_timeout = seconds(30);
  limits->keep_alive = seconds(30);
}

}  // namespace

net::ListenerOptions command_port_options(Report report) {
  net::ListenerOptions options = options_for(api::loopback_hosts(), std::move(report));
  options.connections_max = 200;
  options.connections_per_address_max = 200;
  return options;
}

net::ListenerOptions page_port_options(const std::string& address, Report report) {
  std::vector<std::string> hosts = api::loopback_hosts();
  hosts.push_back(address);
  net::ListenerOptions options = options_for(std::move(hosts), std::move(report));
  options.connections_max = 200;
  options.connections_per_address_max = 200;
  be_impatient(&options.http);
  return options;
}

net::ListenerOptions lan_port_options(std::vector<std::string> hosts, Report report) {
  net::ListenerOptions options = options_for(std::move(hosts), std::move(report));
  options.connections_max = 200;
  options.connections_per_address_max = 16;
  be_impatient(&options.http);
  return options;
}

nlohmann::json lan_json(const std::vector<std::string>& hosts,
                        std::uint16_t port,
                        const net::TlsIdentity& identity) {
  nlohmann::json pages = nlohmann::json::array();
  for (const std::string& host : hosts) {
    const std::size_t inside = host.starts_with('[') ? host.find(']') : 0;
    const bool with_port = host.find(':', inside) != std::string::npos;
    pages.push_back("https://" + host + (with_port ? "" : ":" + std::to_string(port)));
  }
  std::string fingerprint;
  for (const char c : identity.fingerprint.view()) {
    fingerprint += (fingerprint.empty() ? "" : ":") + to_hex({&c, 1});
  }
  return {{"pages", std::move(pages)}, {"port", port}, {"fingerprint", std::move(fingerprint)}};
}

net::HttpResponse http_response(const api::ApiResponse& answer) {
  net::HttpResponse response{.status = answer.status, .body = json_text(answer.body)};
  response.headers = answer.headers;
  return response;
}

std::string peer_name(const std::string& endpoint) {
  std::string address = endpoint.substr(0, endpoint.rfind(':'));
  if (address.starts_with('[')) address = address.substr(1, address.find_first_of("%]") - 1);
  in_addr v4{};
  in6_addr v6{};
  if (::inet_pton(AF_INET6, address.c_str(), &v6) == 1) {
    if (IN6_IS_ADDR_LOOPBACK(&v6)) return {};
    if (!IN6_IS_ADDR_V4MAPPED(&v6)) return to_hex({reinterpret_cast<const char*>(&v6), 8}) + "/64";
    std::memcpy(&v4, &v6.s6_addr[12], sizeof(v4));
  } else if (::inet_pton(AF_INET, address.c_str(), &v4) != 1) {
    return "?";
  }
  if (ntohl(v4.s_addr) >> 24 == 127) return {};
  std::array<char, INET_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET, &v4, text.data(), text.size());
  return text.data();
}

api::EdgeRequest edge_request(const net::HttpRequest& request) {
  return {.method = request.method,
          .target = request.target,
          .body = request.body,
          .session = api::session_token(request.headers),
          .csrf = api::csrf_token(request.headers),
          .background = !request.header("x-duhui-background").empty(),
          .control_socket = request.from_owner,
          .tls = request.secure,
          .peer = request.from_owner ? std::string() : peer_name(request.peer),
          .upload_offset = std::string(request.header("upload-offset"))};
}

}  // namespace duhui::web

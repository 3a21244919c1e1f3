#include "shared/web/page_port.h"

#include <utility>

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

api::EdgeRequest edge_request(const net::HttpRequest& request) {
  return {.method = request.method,
          .target = request.target,
          .body = request.body,
          .session = api::session_token(request.headers),
          .csrf = api::csrf_token(request.headers),
          .background = !request.header("x-duhui-background").empty(),
          .control_socket = request.from_owner,
          .tls = request.secure};
}

}  // namespace duhui::web

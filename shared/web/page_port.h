#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "shared/api/answer.h"
#include "shared/api/edge.h"
#include "shared/net/http_server.h"

namespace duhui::web {

using Report = std::function<void(std::string_view)>;

/// For the socket of the command line: its owner may send whole imports, and take their time.
net::ListenerOptions command_port_options(Report report);

/// For pages on this machine: every request passes api::refuse_foreign, with the names of loopback
/// and `address`, on which the port listens.
net::ListenerOptions page_port_options(const std::string& address, Report report);

/// For pages in the local network, under the names in `hosts` only: strangers share the port, so
/// that nobody gets many connections or much time.
net::ListenerOptions lan_port_options(std::vector<std::string> hosts, Report report);

/// What listen.json says about that port: {"pages":["https://hub.school:7482"],"port","fingerprint"
/// (of the certificate, as browsers show it)}.
nlohmann::json lan_json(const std::vector<std::string>& hosts,
                        std::uint16_t port,
                        const net::TlsIdentity& identity);

net::HttpResponse http_response(const api::ApiResponse& answer);
/// Who shares a budget of tries, of "192.0.2.7:5123" or "[2001:db8::7]:5123": an address, of IPv6
/// its network of 64 bits, since whoever has one has them all. Empty: this machine; "?":
/// unreadable.
std::string peer_name(const std::string& endpoint);

/// Refers to the request.
api::EdgeRequest edge_request(const net::HttpRequest& request);

}  // namespace duhui::web

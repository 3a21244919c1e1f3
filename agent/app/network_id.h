#pragma once

#include <string>
#include <string_view>

namespace duhui::agent {

/// What tells one network from another, as the system's files have it.
struct NetworkFacts {
  std::string routes{};    // /proc/net/route
  std::string routes_6{};  // /proc/net/ipv6_route
  std::string resolver{};  // /etc/resolv.conf
  std::string proxy{};     // "host:port"; empty: none
};

/// A short name for "this network": from the ways out of it, its name servers and the proxy; the
/// same whenever the machine is there again. Two networks that look alike share what was learned.
std::string network_id(const NetworkFacts& facts);

/// Where this machine is now.
std::string present_network(std::string_view proxy);

}  // namespace duhui::agent

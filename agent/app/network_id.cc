#include "agent/app/network_id.h"

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/crypto/digest.h"

namespace duhui::agent {
namespace {

constexpr std::size_t kIdBytes = 8;  // tells networks of one device apart

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  return {std::istream_iterator<std::string>(in), {}};
}

template <typename Take>
void each_line(const std::string& text, const Take& take) {
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) take(words_of(line));
}

std::string contents(const char* path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

std::string network_id(const NetworkFacts& facts) {
  std::set<std::string> known;  // in one order, whatever the order of the lines
  each_line(facts.routes, [&](const std::vector<std::string>& words) {
    // Interface, destination, gateway, ...
    if (words.size() > 2 && words[1] == "00000000") known.insert("4 " + words[0] + words[2]);
  });
  each_line(facts.routes_6, [&](const std::vector<std::string>& words) {
    // Destination, its length, source, its length, gateway, ..., interface. Without a gateway it is
    // the entry that says there is none.
    const bool default_route = words.size() > 9 && words[0] == std::string(32, '0') &&
                               words[1] == "00" && words[4] != std::string(32, '0');
    if (default_route) known.insert("6 " + words[9] + words[4]);
  });
  each_line(facts.resolver, [&](const std::vector<std::string>& words) {
    if (words.size() > 1 && words[0] == "nameserver") known.insert("n " + words[1]);
  });
  std::string all = "proxy " + facts.proxy;
  for (const std::string& one : known) all += "\n" + one;
  return to_hex(sha256(all).view().substr(0, kIdBytes));
}

std::string present_network(std::string_view proxy) {
  return network_id({.routes = contents("/proc/net/route"),
                     .routes_6 = contents("/proc/net/ipv6_route"),
                     .resolver = contents("/etc/resolv.conf"),
                     .proxy = std::string(proxy)});
}

}  // namespace duhui::agent

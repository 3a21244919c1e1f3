#include "agent/app/network_id.h"

#include <gtest/gtest.h>

namespace duhui::agent {
namespace {

NetworkFacts school() {
  return {.routes = "Iface\tDestination\tGateway \tFlags\n"
                    "eth0\t00000000\t0100A8C0\t0003\n"
                    "eth0\t0000A8C0\t00000000\t0001\n",
          .resolver = "# by hand\nnameserver 192.168.0.1\nnameserver 223.5.5.5\n"};
}

TEST(NetworkId, IsTheSameWhateverTheOrderOfTheLines) {
  NetworkFacts other = school();
  other.resolver = "nameserver 223.5.5.5\nsearch lan\nnameserver 192.168.0.1\n";
  EXPECT_EQ(network_id(school()), network_id(other));
  other.routes += "wlan0\t0000FEA9\t00000000\t0001\n";  // no way out
  EXPECT_EQ(network_id(school()), network_id(other));
}

TEST(NetworkId, TellsNetworksApart) {
  NetworkFacts gateway = school();
  gateway.routes = "eth0\t00000000\t0101A8C0\t0003\n";
  NetworkFacts names = school();
  names.resolver = "nameserver 10.0.0.1\n";
  NetworkFacts proxy = school();
  proxy.proxy = "proxy.example:3128";
  NetworkFacts six = school();
  six.routes_6 = std::string(32, '0') + " 00 " + std::string(32, '0') +
                 " 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003 eth0\n";
  const std::string here = network_id(school());
  for (const NetworkFacts& there : {gateway, names, proxy, six, NetworkFacts{}}) {
    EXPECT_NE(network_id(there), here);
  }
}

TEST(NetworkId, OfThisMachineDoesNotChangeByItself) {
  EXPECT_EQ(present_network("proxy:1"), present_network("proxy:1"));
  EXPECT_NE(present_network("proxy:1"), present_network("proxy:2"));
}

}  // namespace
}  // namespace duhui::agent

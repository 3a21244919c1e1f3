#include "agent/app/proxy_settings.h"

#include <map>

#include <gtest/gtest.h>

namespace duhui::agent {
namespace {

Environment environment_of(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const char* name) {
    const auto at = values.find(name);
    return at == values.end() ? std::string() : at->second;
  };
}

TEST(ProxySettings, ReadsTheUsualForms) {
  EXPECT_EQ(parse_proxy("http://proxy.example:3128")->text(), "proxy.example:3128");
  EXPECT_EQ(parse_proxy("HTTP://proxy.example:3128/")->text(), "proxy.example:3128");
  EXPECT_EQ(parse_proxy("proxy.example")->text(), "proxy.example:80");
  EXPECT_EQ(parse_proxy("http://[2001:db8::1]:8080")->host, "2001:db8::1");
  const auto named = parse_proxy("http://school%40a:p%3Aa@ss@10.0.0.1:3128");
  ASSERT_TRUE(named);
  EXPECT_EQ(named->user, "school@a");
  EXPECT_EQ(named->password, "p:a@ss");
  EXPECT_EQ(named->host, "10.0.0.1");
}

TEST(ProxySettings, RefusesWhatItDoesNotUnderstandWithoutRepeatingIt) {
  for (const char* wrong :
       {"https://secret@proxy:1", "socks5://secret@proxy:1", "http://secret@", "secret@proxy:0",
        "secret@proxy:65536", "secret@proxy:12x", "secret@a b:1", "secret@a\r\nb:1", "secret@::1",
        "http://secret@[::1", "http://secret%zz@proxy:1", "secret@proxy/path:1"}) {
    const auto read = parse_proxy(wrong);
    ASSERT_FALSE(read) << wrong;
    EXPECT_EQ(read.error().detail.find("secret"), std::string::npos) << read.error().detail;
  }
}

TEST(ProxySettings, TheSettingsWinOverTheEnvironment) {
  const Environment environment = environment_of(
      {{"https_proxy", "http://from-environment:1"}, {"no_proxy", "hub.example"}});
  ProxySettings settings;
  settings.proxy = *parse_proxy("http://from-settings:2");
  EXPECT_EQ(choose_proxy(settings, environment, "hub.example").host, "from-settings");
  settings.none = true;
  EXPECT_EQ(choose_proxy(settings, environment, "elsewhere.example").host, "");
}

TEST(ProxySettings, TheEnvironmentIsReadInItsUsualOrder) {
  const auto chosen = [](std::map<std::string, std::string> values) {
    return choose_proxy({}, environment_of(std::move(values)), "hub.example").host;
  };
  EXPECT_EQ(chosen({}), "");
  EXPECT_EQ(chosen({{"HTTPS_PROXY", "http://a:1"}}), "a");
  EXPECT_EQ(chosen({{"HTTPS_PROXY", "http://a:1"}, {"https_proxy", "http://b:1"}}), "b");
  EXPECT_EQ(chosen({{"all_proxy", "http://c:1"}}), "c");
  EXPECT_EQ(chosen({{"ALL_PROXY", "http://c:1"}, {"HTTPS_PROXY", "http://a:1"}}), "a");
  EXPECT_EQ(chosen({{"ALL_PROXY", "socks5://c:1"}}), "") << "not for us";
  EXPECT_EQ(chosen({{"http_proxy", "http://d:1"}}), "") << "for other connections";
  EXPECT_EQ(chosen({{"https_proxy", "http://a:1"}, {"NO_PROXY", "other, .example"}}), "");
}

TEST(ProxySettings, TheEnvironmentMeansNobodyOnThisMachine) {
  const Environment environment = environment_of({{"https_proxy", "http://a:1"}});
  for (const char* here : {"127.0.0.1", "localhost", "::1", "127.3.4.5"}) {
    EXPECT_EQ(choose_proxy({}, environment, here).host, "") << here;
  }
}

TEST(ProxySettings, ExemptionsNameHostsDomainsAddressesAndNetworks) {
  const auto exempt = [](const char* pattern, const char* host) {
    return is_exempt({pattern}, host);
  };
  EXPECT_TRUE(exempt("*", "hub.example"));
  EXPECT_TRUE(exempt("hub.example", "hub.example"));
  EXPECT_TRUE(exempt("Example", "HUB.example"));
  EXPECT_TRUE(exempt(".example", "hub.example"));
  EXPECT_TRUE(exempt("*.example", "hub.example"));
  EXPECT_FALSE(exempt("ample", "hub.example"));
  EXPECT_TRUE(exempt("10.1.2.3", "10.1.2.3"));
  EXPECT_FALSE(exempt("10.1.2.3", "10.1.2.30"));
  EXPECT_TRUE(exempt("10.0.0.0/8", "10.1.2.3"));
  EXPECT_FALSE(exempt("10.0.0.0/8", "11.1.2.3"));
  EXPECT_FALSE(exempt("10.0.0.0/8", "hub.example"));
  EXPECT_FALSE(exempt("2.3", "10.1.2.3"));
}

TEST(ProxySettings, ShowsNobodyThePassword) {
  ProxySettings settings;
  cli::SettingsFile file;
  add_proxy_settings(&file, &settings);
  const auto problems = file.read(
      "[proxy]\nurl = \"http://teacher:geheim@proxy:3128\"\nno_proxy = [\"10.0.0.0/8\"]\n", "f");
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(settings.proxy.password, "geheim");
  EXPECT_EQ(file.toml().find("geheim"), std::string::npos) << file.toml();
  EXPECT_EQ(settings.proxy.text(), "proxy:3128");
}

TEST(ProxySettings, UserAndPasswordMayStandByThemselves) {
  for (const char* text :
       {"[proxy]\nurl = \"http://proxy:3128\"\nuser = \"teacher\"\npassword = \"geheim\"\n",
        "[proxy]\npassword = \"geheim\"\nuser = \"teacher\"\nurl = \"http://proxy:3128\"\n"}) {
    ProxySettings settings;
    cli::SettingsFile file;
    add_proxy_settings(&file, &settings);
    EXPECT_TRUE(file.read(text, "f").empty());
    EXPECT_EQ(settings.proxy.host, "proxy");
    EXPECT_EQ(settings.proxy.user, "teacher");
    EXPECT_EQ(settings.proxy.password, "geheim");
  }
}

}  // namespace
}  // namespace duhui::agent

#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"
#include "shared/cli/settings_file.h"
#include "shared/net/hub_dial.h"

namespace duhui::agent {

/// [proxy] of agent.toml. The password is never shown and never logged.
struct ProxySettings {
  net::HttpProxy proxy{};               // host empty: none set here
  bool none = false;                    // url = "none": no proxy, whatever the environment says
  std::vector<std::string> no_proxy{};  // "example.com", ".example.com", "10.0.0.0/8", "*"
};

void add_proxy_settings(cli::SettingsFile* file, ProxySettings* settings);

/// "http://user:password@host:port"; "http://" may be missing, the port is 80 then, as usual.
/// invalid_input: something else; the error does not repeat it.
Result<net::HttpProxy> parse_proxy(std::string_view url);

/// Whether the hub at `host` is asked for without a proxy.
bool is_exempt(const std::vector<std::string>& no_proxy, std::string_view host);

/// What the environment says under a name; empty: nothing.
using Environment = std::function<std::string(const char* name)>;
Environment process_environment();

/// The proxy for the hub at `host`: of the settings, or else of https_proxy or all_proxy in the
/// environment (in either case of letters) unless no_proxy names the host or it is this machine.
/// An empty host: none.
net::HttpProxy choose_proxy(const ProxySettings& settings,
                            const Environment& environment,
                            std::string_view host);

}  // namespace duhui::agent

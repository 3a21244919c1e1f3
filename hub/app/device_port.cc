#include "hub/app/device_port.h"

#include <utility>

#include "shared/api/web_guard.h"
#include "shared/sync/limits.h"

namespace duhui::hub {

net::PostDeskOptions post_desk_options(const HubSettings& settings,
                                       const Digest& pin,
                                       net::TaskScope::Report report) {
  net::PostDeskOptions options;
  options.message_bytes_max = sync_limits::kFrameBytesMax;
  options.sessions_max = settings.connections_max;
  options.sessions_per_address_max = settings.connections_per_address_max;
  if (settings.behind_tls_proxy) options.proxied_pin = pin;
  options.report = std::move(report);
  return options;
}

net::ListenerOptions device_port_options(const HubSettings& settings,
                                         const Digest& pin,
                                         const net::PostDesk& posts,
                                         net::TaskScope::Report report) {
  net::ListenerOptions options;
  options.connections_max = settings.connections_max;
  options.connections_per_address_max = settings.connections_per_address_max;
  options.http.body_bytes_max = 4 * 1024;
  options.http.requests_max = 20;
  options.http.body_timeout = seconds(10);
  options.http.keep_alive = seconds(15);
  options.stream.message_bytes_max = sync_limits::kFrameBytesMax;
  // The session's own pings come first; this finds what has gone without a word.
  options.stream.idle_timeout = sync_limits::kPingInterval * 3;
  if (settings.behind_tls_proxy) options.proxied_pin = pin;
  options.allow = [&posts](const net::HttpRequest& head) { return posts.allowance(head); };
  options.answer_headers = api::web_answer_headers();
  options.report = std::move(report);
  return options;
}

}  // namespace duhui::hub

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/api/answer.h"

namespace duhui::api {

/// The media type of a piece of a file on its way here.
inline constexpr std::string_view kPieceType = "application/offset+octet-stream";

/// Names in lower case.
using WebHeaders = std::vector<std::pair<std::string, std::string>>;

/// The head of a request, and through which port it came.
struct WebHead {
  std::string_view method{};
  std::string_view target{};
  const WebHeaders& headers;
  std::uint16_t port = 0;  // of the listener
  bool secure = false;     // over TLS
};

/// The names of this machine as seen from itself.
std::vector<std::string> loopback_hosts();

/// A name under which pages are served: "hub.school", "192.0.2.7:7482", "[::1]"; without a port:
/// that of the listener. `invalid_input`: not the spelling that a browser would send.
Status check_host_name(std::string_view text);

/// The answer to what no page of ours and no command of a person would send; nothing: let it pass.
///
/// A page of another site can make its visitor's browser send requests here, with our cookies, from
/// inside the network. The browser tells the name it called us by (a foreign name that was led to
/// this machine is not in `hosts`), where the page came from (Origin, Sec-Fetch-Site) and cannot be
/// made to send JSON without asking us first, which we never allow. What a browser leaves out
/// (commands do) is not required, except the host and the media type of changes.
std::optional<ApiResponse> refuse_foreign(const WebHead& head,
                                          const std::vector<std::string>& hosts);

/// What goes with every answer: our pages load nothing from elsewhere, no other page frames, opens,
/// reads or guesses them, and nothing is left in a cache. A page may say otherwise about its cache.
///
/// No Strict-Transport-Security: browsers heed it only under a certificate they trust, and then for
/// all ports of the name and for a year, so that a renewed key or another program on that machine
/// could not be reached any more. There is no plain HTTP beyond this machine that it would prevent.
const WebHeaders& web_answer_headers();

/// The value of the one session cookie. Empty: there is none; there are several, of which nobody
/// knows whose is whose; it is not what we give out.
std::string session_token(const WebHeaders& headers);
/// Likewise that of the header that proves that a page of ours has read our answers.
std::string csrf_token(const WebHeaders& headers);

}  // namespace duhui::api

#pragma once

#include <string_view>

#include "shared/base/result.h"

namespace duhui::api {

/// What the head of a request tells about who sent it. Empty: that header is absent.
struct RequestHead {
  std::string_view method{};
  std::string_view content_type{};
  std::string_view origin{};
};

/// Refuses what a page of another site can make its visitor's browser send to this machine.
///
/// Without asking first, such a page can send a form or plain text, not JSON: everything but GET
/// and HEAD must be `application/json` (`invalid_input`). A browser tells where the page came from;
/// only pages of this machine are served (`refused`). The name this machine was called by (a name
/// of theirs that leads here) is the listener's to check: net::ListenerOptions::hosts.
Status check_local_request(const RequestHead& head);

}  // namespace duhui::api

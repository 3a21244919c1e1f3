#pragma once

#include <string>
#include <string_view>

#include "shared/api/router.h"
#include "shared/api/sign_in_desk.h"

namespace duhui::api {

/// A request as a listener hands it on.
struct EdgeRequest {
  std::string_view method{};
  std::string_view target{};
  std::string_view body{};
  std::string session{};        // the one session cookie
  std::string csrf{};           // header `X-Duhui-CSRF`
  bool background = false;      // header `X-Duhui-Background`: the page asks by itself
  bool control_socket = false;  // which only the owner of the machine can open
  bool tls = false;             // through the port for other machines
  /// Who shares a budget of wrong passwords: an address, or a network of IPv6. Empty: this machine.
  std::string peer{};
  std::string upload_offset{};  // header `Upload-Offset`

  bool local() const { return peer.empty() && !tls; }
};

/// Who stands behind a request: the one place where a cookie becomes a Subject.
struct Sender {
  Subject subject{};
  std::string session{};  // the token; empty: none
};

/// Who sends it. `unauthenticated` "locked", `forbidden` "csrf", "must_change": nobody who may go
/// on to anything but the session itself.
Result<Sender> sender_of(SignInDesk& desk, const EdgeRequest& request);

/// Finds the sender, asks the router, finishes the headers. On the thread of the desk and router;
/// the answer may be deferred, and then goes through finished() in the end.
ApiResponse answer_at_edge(const Router& router, SignInDesk& desk, const EdgeRequest& request);

/// What the listener's transport adds to an answer.
ApiResponse finished(ApiResponse answer, bool tls);

}  // namespace duhui::api

#include "shared/api/edge.h"

#include <utility>

#include "shared/crypto/digest.h"

namespace duhui::api {
namespace {

/// "/session/lock"; empty: not an address of ours.
std::string_view path_of(std::string_view target) {
  if (!target.starts_with(kBasePath)) return {};
  target.remove_prefix(kBasePath.size());
  return target.substr(0, target.find('?'));
}

/// What a session that is locked, or has to change its password, may still ask for.
bool is_about_session(std::string_view target) {
  const std::string_view path = path_of(target);
  return path == "/health" || path == "/session" || path.starts_with("/session/");
}

bool only_asks(std::string_view method) { return method == "GET" || method == "HEAD"; }

}  // namespace

Result<Sender> sender_of(SignInDesk& desk, const EdgeRequest& request) {
  Sender sender{.subject = {.kind = Subject::Kind::nobody, .place = desk.place()},
                .session = request.session};
  if (sender.session.empty()) {
    if (request.control_socket) sender.subject.kind = Subject::Kind::operator_;
    return sender;
  }
  DUHUI_TRY(visit, desk.visit(sender.session,
                              !request.background && path_of(request.target) != "/session"));
  // Who came by name only is nobody beyond the machine at which they sit.
  const bool beyond = visit.session != nullptr && !request.local() &&
                      visit.session->sign_in == sync::v1::SIGN_IN_PROVISIONAL;
  if (visit.session == nullptr || beyond) {
    // A cookie of yesterday is no session; not even the owner of the machine gets more by it.
    sender.session.clear();
    return sender;
  }
  if (!request.control_socket && !only_asks(request.method) &&
      !constant_time_equal(request.csrf, visit.session->csrf)) {
    return Error{ErrorCode::forbidden, "csrf: the header X-Duhui-CSRF is missing or wrong"};
  }
  if (!is_about_session(request.target)) {
    if (visit.session->locked) return Error{ErrorCode::unauthenticated, "locked"};
    if (visit.must_change) return Error{ErrorCode::forbidden, "must_change"};
  }
  sender.subject = std::move(visit.subject);
  return sender;
}

ApiResponse answer_at_edge(const Router& router, SignInDesk& desk, const EdgeRequest& request) {
  auto sender = sender_of(desk, request);
  if (!sender) return error_answer(sender.error());
  return router.dispatch({.method = request.method,
                          .target = request.target,
                          .body = request.body,
                          .subject = std::move(sender->subject),
                          .session = std::move(sender->session),
                          .peer = request.peer,
                          .local = request.local(),
                          .upload_offset = request.upload_offset});
}

ApiResponse finished(ApiResponse answer, bool tls) {
  for (auto& [name, value] : answer.headers) {
    if (tls && name == "Set-Cookie") value += "; Secure";
  }
  return answer;
}

}  // namespace duhui::api

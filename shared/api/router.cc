#include "shared/api/router.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "shared/base/bytes.h"
#include "shared/record/json_text.h"

namespace duhui::api {
namespace {

std::string percent_decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%' && at + 2 < text.size()) {
      if (const auto byte = from_hex(text.substr(at + 1, 2))) {
        out += *byte;
        at += 2;
        continue;
      }
    }
    out += plus_is_space && text[at] == '+' ? ' ' : text[at];
  }
  return out;
}

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    if (path.front() == '/') path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0) parts.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return parts;
}

std::map<std::string, std::string> parse_query(std::string_view text) {
  std::map<std::string, std::string> query;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (equals > 0) {
      const std::string_view value = equals < pair.size() ? pair.substr(equals + 1) : "";
      query[percent_decoded(pair.substr(0, equals), true)] = percent_decoded(value, true);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return query;
}

bool matches(const Router::Route& route,
             const std::vector<std::string>& parts,
             std::map<std::string, std::string>* names) {
  if (route.parts.size() != parts.size()) return false;
  names->clear();
  for (std::size_t at = 0; at < parts.size(); ++at) {
    const std::string& wanted = route.parts[at];
    if (wanted.starts_with('{')) {
      (*names)[wanted.substr(1, wanted.size() - 2)] = percent_decoded(parts[at], false);
    } else if (wanted != parts[at]) {
      return false;
    }
  }
  return true;
}

/// Asks the authority, then the handler.
ApiResponse answer_of(const Router::Route& route, const ApiCall& call, ApiRequest& request) {
  if (auto may = granted(authorize(call.subject, route.need.verb, route.need.thing)); !may) {
    return error_answer(may.error());
  }
  if (route.body == Body::bytes) {
    request.bytes = call.body;
  } else if (!call.body.empty()) {
    auto parsed = parse_json(call.body);
    if (!parsed) return error_answer(parsed.error());
    request.body = std::move(*parsed);
  }
  auto answered = route.handler(request);
  return answered ? std::move(*answered) : error_answer(answered.error());
}

}  // namespace

std::string ApiRequest::query_text(const std::string& name) const {
  const auto found = query.find(name);
  return found == query.end() ? std::string() : found->second;
}

Result<std::uint32_t> ApiRequest::query_number(const std::string& name,
                                               std::uint32_t otherwise,
                                               std::uint32_t max) const {
  const std::string text = query_text(name);
  if (text.empty()) return otherwise;
  std::uint32_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size() || number == 0 || number > max) {
    return Error{ErrorCode::invalid_input, name + ": 1 to " + std::to_string(max)};
  }
  return number;
}

Result<std::string> ApiRequest::body_text(const std::string& name) const {
  if (!body.is_object() || !body.contains(name) || !body[name].is_string()) {
    return Error{ErrorCode::invalid_input, "missing: " + name};
  }
  return body[name].get<std::string>();
}

Status granted(const Ruling& ruling) {
  if (ruling.allowed) return Done{};
  const bool nobody = ruling.reason == "sign_in";
  return Error{nobody ? ErrorCode::unauthenticated : ErrorCode::forbidden,
               std::string(ruling.reason)};
}

void Router::add(
    std::string method, std::string_view pattern, Need need, ApiHandler handler, Body body) {
  routes_.push_back({std::move(method), split_path(pattern), need, std::move(handler), body});
}

ApiResponse Router::dispatch(const ApiCall& call) const {
  std::string_view target = call.target;
  if (!target.starts_with(kBasePath)) {
    return error_answer({ErrorCode::not_found, "no such address: " + std::string(target)});
  }
  target.remove_prefix(kBasePath.size());
  const std::size_t mark = std::min(target.find('?'), target.size());
  ApiRequest request;
  request.method = call.method;
  request.subject = call.subject;
  request.session = call.session;
  request.peer = call.peer;
  request.local = call.local;
  request.upload_offset = call.upload_offset;
  request.path = target.substr(0, mark);
  if (mark < target.size()) request.query = parse_query(target.substr(mark + 1));
  const std::vector<std::string> parts = split_path(request.path);

  bool other_method = false;
  for (const Route& route : routes_) {
    if (!matches(route, parts, &request.names)) continue;
    if (route.method != request.method) {
      other_method = true;
      continue;
    }
    ApiResponse answer = answer_of(route, call, request);
    if (answer.status == 403 && refused_) refused_(request, route, answer);
    return answer;
  }
  ApiResponse answer = error_answer({ErrorCode::not_found, "no such address: " + request.path});
  if (other_method) {
    answer =
        error_answer({ErrorCode::invalid_input, "method: " + request.method + " " + request.path});
    answer.status = 405;
  }
  return answer;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string out;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += "%" + to_hex({&c, 1});
    }
  }
  return out;
}

}  // namespace duhui::api

#include "shared/net/http_answer.h"

#include <algorithm>
#include <charconv>

namespace duhui::net {
namespace {

constexpr std::size_t kHeadBytesMax = 16 * 1024;
constexpr std::size_t kLineBytesMax = 1024;
constexpr std::int64_t kRetryAfterMax = 24 * 3600;

Error bad(std::string_view what) {
  return {ErrorCode::corrupt_data, "read answer: " + std::string(what)};
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

template <typename Number>
std::optional<Number> number_of(std::string_view text, int base) {
  Number value{};
  const auto [rest, failed] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (failed != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Status HttpAnswerReader::feed(std::string_view bytes) {
  pending_.append(bytes);
  for (;;) {
    const State before = state_;
    const std::size_t size = pending_.size();
    DUHUI_CHECK_OK(advance());
    if (done() || (state_ == before && pending_.size() == size)) return Done{};
  }
}

Status HttpAnswerReader::end() {
  keep_alive_ = false;
  if (state_ == State::to_the_end) state_ = State::done;
  if (!done()) return bad("it ends before its end");
  return Done{};
}

Status HttpAnswerReader::advance() {
  switch (state_) {
    case State::head:
      return take_head();
    case State::body:
    case State::chunk:
      DUHUI_CHECK_OK(add(std::min(left_, pending_.size())));
      if (left_ == 0) state_ = state_ == State::body ? State::done : State::chunk_end;
      return Done{};
    case State::to_the_end:
      left_ = pending_.size();
      return add(left_);
    case State::chunk_size:
      if (const auto line = take_line()) return take_chunk_size(*line);
      break;
    case State::chunk_end:
      if (const auto line = take_line()) {
        if (!line->empty()) return bad("a chunk without end");
        state_ = State::chunk_size;
      }
      break;
    case State::trailer:
      if (const auto line = take_line()) {
        if (line->empty()) state_ = State::done;
      }
      break;
    case State::done:
      return Done{};
  }
  if (state_ != State::done && pending_.size() > kLineBytesMax && state_ != State::chunk) {
    return bad("a line is too long");
  }
  return Done{};
}

Status HttpAnswerReader::take_head() {
  constexpr std::string_view kStart = "HTTP/1.";
  const std::string_view begun = std::string_view(pending_).substr(0, kStart.size());
  if (begun != kStart.substr(0, begun.size())) return bad("not HTTP");
  const std::size_t end = pending_.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (pending_.size() > kHeadBytesMax) return bad("the head is too long");
    return Done{};
  }
  const std::string head = pending_.substr(0, end);
  pending_.erase(0, end + 4);
  answer_ = {.status = 0, .content_type = {}};
  keep_alive_ = head.starts_with("HTTP/1.1 ");
  chunked_ = false;
  length_.reset();
  DUHUI_CHECK_OK(read_fields(head));
  const bool success = answer_.status >= 200 && answer_.status < 300;
  if (answer_.status < 200) return Done{};  // 100 Continue: the answer is still to come
  if (answer_.status == 204 || answer_.status == 304 || (without_body_ && success)) {
    state_ = State::done;
  } else if (chunked_) {
    state_ = State::chunk_size;
  } else if (length_) {
    if (*length_ > body_bytes_max_) {
      return Error{ErrorCode::limit_exceeded, "read answer: too long"};
    }
    left_ = *length_;
    state_ = left_ == 0 ? State::done : State::body;
  } else {
    keep_alive_ = false;
    state_ = State::to_the_end;
  }
  return Done{};
}

Status HttpAnswerReader::read_fields(std::string_view head) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const auto status = line.size() < 12 ? std::nullopt : number_of<int>(line.substr(9, 3), 10);
  if (!status || *status < 100 || line[8] != ' ') return bad("no status");
  answer_.status = *status;
  head.remove_prefix(std::min(line.size() + 2, head.size()));
  while (!head.empty()) {
    const std::string_view field = head.substr(0, head.find("\r\n"));
    head.remove_prefix(std::min(field.size() + 2, head.size()));
    const std::size_t colon = field.find(':');
    if (colon == std::string_view::npos) return bad("a line of the head");
    std::string name = lower(trimmed(field.substr(0, colon)));
    const std::string_view value = trimmed(field.substr(colon + 1));
    if (name == "content-type") answer_.content_type = value;
    if (name == "content-length") {
      length_ = number_of<std::size_t>(value, 10);
      if (!length_) return bad("its length is no number");
    }
    if (name == "transfer-encoding") {
      chunked_ = lower(value) == "chunked";
      if (!chunked_) return bad("its encoding");
    }
    if (name == "connection" || name == "proxy-connection") {
      const std::string manner = lower(value);
      if (manner.find("close") != std::string::npos) keep_alive_ = false;
    }
    answer_.headers.emplace_back(std::move(name), value);
  }
  return Done{};
}

Status HttpAnswerReader::add(std::size_t size) {
  if (answer_.body.size() + size > body_bytes_max_) {
    return Error{ErrorCode::limit_exceeded, "read answer: too long"};
  }
  answer_.body.append(pending_, 0, size);
  pending_.erase(0, size);
  left_ -= size;
  return Done{};
}

std::optional<std::string> HttpAnswerReader::take_line() {
  const std::size_t end = pending_.find("\r\n");
  if (end == std::string::npos) return std::nullopt;
  std::string line = pending_.substr(0, end);
  pending_.erase(0, end + 2);
  return line;
}

Status HttpAnswerReader::take_chunk_size(const std::string& line) {
  const auto size =
      number_of<std::size_t>(trimmed(std::string_view(line).substr(0, line.find(';'))), 16);
  if (!size) return bad("the length of a chunk is no number");
  if (*size > body_bytes_max_ || answer_.body.size() + *size > body_bytes_max_) {
    return Error{ErrorCode::limit_exceeded, "read answer: too long"};
  }
  left_ = *size;
  state_ = left_ == 0 ? State::trailer : State::chunk;
  return Done{};
}

std::string_view header_of(const HttpResponse& answer, std::string_view name) {
  for (const auto& [key, value] : answer.headers) {
    if (key == name) return value;
  }
  return {};
}

Duration retry_after_of(const HttpResponse& answer) {
  const auto asked = number_of<std::int64_t>(header_of(answer, "retry-after"), 10);
  return seconds(std::clamp<std::int64_t>(asked.value_or(0), 0, kRetryAfterMax));
}

}  // namespace duhui::net

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/result.h"
#include "shared/net/http.h"

namespace duhui::net {

/// Reads one answer of a server, or of whatever stands before it, piece by piece as it comes: by
/// its length, in chunks, or to the end of the connection.
///
///   head --> body --> done
class HttpAnswerReader {
 public:
  /// `without_body`: of CONNECT, where a 2xx answer ends with its head.
  explicit HttpAnswerReader(std::size_t body_bytes_max, bool without_body = false)
      : body_bytes_max_(body_bytes_max), without_body_(without_body) {}

  /// Takes what has come. corrupt_data: this is no HTTP answer. limit_exceeded: too long.
  Status feed(std::string_view bytes);
  /// The peer sends nothing more. corrupt_data: something is missing.
  Status end();

  bool done() const { return state_ == State::done; }
  /// Precondition: done(). Names of headers are in lower case.
  const HttpResponse& answer() const { return answer_; }
  HttpResponse take() { return std::move(answer_); }
  /// Whether the connection may carry another request.
  bool keeps_alive() const { return keep_alive_ && pending_.empty(); }

 private:
  enum class State : std::uint8_t {
    head,
    body,
    to_the_end,
    chunk_size,
    chunk,
    chunk_end,
    trailer,
    done
  };

  Status take_head();
  Status advance();
  Status read_fields(std::string_view head);
  Status add(std::size_t size);
  /// The next line of `pending_`, taken off; empty optional: it has not come completely.
  std::optional<std::string> take_line();
  Status take_chunk_size(const std::string& line);

  const std::size_t body_bytes_max_;
  const bool without_body_;
  State state_ = State::head;
  std::string pending_;  // come, and not read yet
  HttpResponse answer_{.status = 0, .content_type = {}};
  bool keep_alive_ = true;
  bool chunked_ = false;
  std::optional<std::size_t> length_;
  std::size_t left_ = 0;  // of the body, or of the chunk
};

/// The header of that name, in lower case; empty: there is none.
std::string_view header_of(const HttpResponse& answer, std::string_view name);
/// What Retry-After asks for in seconds; zero: nothing, or a date.
Duration retry_after_of(const HttpResponse& answer);

}  // namespace duhui::net

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"
#include "shared/base/time.h"

namespace duhui::net {

/// What one POST, or the answer to one, carries. The form: docs/protocol.md, "By POST".
struct PostParcel {
  std::uint64_t number = 0;        // of the request; from 1, growing
  std::uint64_t acknowledged = 0;  // messages of the other side that have been taken
  Duration wait{};                 // a poll: answer once there is something, at the latest then
  std::uint64_t first = 1;         // the number of the first message
  std::vector<std::string> messages{};
  std::optional<std::string> farewell{};  // nothing follows what has been sent so far
};

std::string encode_parcel(const PostParcel& parcel);
/// corrupt_data: not a parcel, or something in it is over a limit.
Result<PostParcel> decode_parcel(std::string_view bytes, std::size_t message_bytes_max);
/// What a parcel may be longer than the messages in it.
constexpr std::size_t kParcelOverheadMax = 4096;

/// What the hub answers to the request that opens a session.
struct PostTerms {
  std::string session{};  // 32 bytes nobody can guess: who has them is this session's device
  bool proxied = false;   // which channel binding holds: proxied_binding() or post_binding()
  Duration wait_max{};    // longer polls are answered after this
  Duration idle{};        // without a request for this long the session is over
};
std::string encode_terms(const PostTerms& terms);
Result<PostTerms> decode_terms(std::string_view bytes);

/// Messages on their way out, numbered from 1, each kept until the other side has it.
class PostOutbox {
 public:
  void add(std::string message);
  /// False: so many were never sent.
  bool acknowledge(std::uint64_t through);
  /// Puts the oldest ones into `parcel`: one at least, more while they stay within `bytes_aim`.
  void fill(PostParcel& parcel, std::size_t bytes_aim) const;

  bool empty() const { return messages_.empty(); }
  std::size_t bytes() const { return bytes_; }
  std::uint64_t added() const { return acknowledged_ + messages_.size(); }
  std::uint64_t acknowledged() const { return acknowledged_; }

 private:
  std::deque<std::string> messages_;
  std::size_t bytes_ = 0;
  std::uint64_t acknowledged_ = 0;
};

/// Messages that have come: each once and in order, however often and in whatever order the
/// requests came.
class PostInbox {
 public:
  /// Takes what continues; what is known already, and what begins behind a gap, is passed over.
  void take(PostParcel& parcel);
  std::optional<std::string> next();

  bool empty() const { return messages_.empty(); }
  std::size_t bytes() const { return bytes_; }
  std::uint64_t taken() const { return taken_; }

 private:
  std::deque<std::string> messages_;
  std::size_t bytes_ = 0;
  std::uint64_t taken_ = 0;
};

/// The device's end of a session over POST, without sockets.
///
/// Two requests may be under way: a poll, which brings messages, and one that sends. Each is
/// repeated until it is answered; repeating harms nothing.
class PostDeviceSide {
 public:
  void send(std::string message) { outbox_.add(std::move(message)); }
  PostParcel poll(Duration wait);
  /// With the oldest messages that are not acknowledged.
  PostParcel sending(std::size_t bytes_aim);
  PostParcel farewell(std::string reason);
  /// corrupt_data: not an answer to request `number` of this session.
  Status take(PostParcel answer, std::uint64_t number);

  std::optional<std::string> next() { return inbox_.next(); }
  /// Everything was delivered: the hub has it in its memory.
  bool all_sent() const { return outbox_.empty(); }
  /// Set once everything before it has been taken.
  const std::optional<std::string>& ended() const { return ended_; }

 private:
  PostParcel request();

  PostOutbox outbox_;
  PostInbox inbox_;
  std::uint64_t last_request_ = 0;
  std::optional<std::string> ended_;
};

/// The hub's end of the same.
class PostHubSide {
 public:
  /// What has not been read counts against `inbox_bytes_max`; beyond it nothing is taken, and
  /// comes again.
  explicit PostHubSide(std::size_t inbox_bytes_max) : inbox_bytes_max_(inbox_bytes_max) {}

  void send(std::string message) { outbox_.add(std::move(message)); }
  void say_farewell(std::string reason) { farewell_ = std::move(reason); }
  /// invalid_input: it acknowledges what was never sent.
  Status take(PostParcel& request);
  /// Whether this poll, already taken, is to wait: it is the newest, and there is nothing to say.
  bool waits(std::uint64_t number) const;
  /// To a request that was taken. Only the newest poll brings messages, so that none travels twice
  /// at the same time.
  PostParcel answer(std::uint64_t number, bool poll, std::size_t bytes_aim);

  std::optional<std::string> next() { return inbox_.next(); }
  std::size_t unsent_bytes() const { return outbox_.bytes(); }
  /// The device's own farewell, once everything before it has been taken.
  const std::optional<std::string>& ended() const { return ended_; }
  /// Nothing of this session goes on: its device breaks the rules.
  void break_off(std::string reason) { ended_ = std::move(reason); }
  /// An answer has carried the farewell, and everything before it was acknowledged or in it.
  bool farewell_said() const { return farewell_said_; }

 private:
  const std::size_t inbox_bytes_max_;
  PostOutbox outbox_;
  PostInbox inbox_;
  std::uint64_t newest_poll_ = 0;
  std::optional<std::string> farewell_;
  bool farewell_said_ = false;
  std::optional<std::string> ended_;
};

}  // namespace duhui::net

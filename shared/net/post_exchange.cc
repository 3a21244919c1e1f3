#include "shared/net/post_exchange.h"

#include <algorithm>

#include "shared/base/bytes.h"

namespace duhui::net {
namespace {

constexpr std::uint64_t kVersion = 1;
constexpr std::uint64_t kMessagesMax = 256;   // of one parcel
constexpr std::size_t kReasonBytesMax = 123;  // as a WebSocket's
constexpr std::size_t kSessionBytes = 32;
constexpr std::uint64_t kWaitMax = 24ull * 3600 * 1000;

Error bad(std::string_view what) { return {ErrorCode::corrupt_data, "post: " + std::string(what)}; }

/// Takes numbers and texts off the front; once one is wrong, all that follow are.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t number(std::uint64_t most = UINT64_MAX) {
    const auto value = ok_ ? take_varint(rest_) : std::nullopt;
    if (!value || *value > most) return ok_ = false, 0;
    return *value;
  }
  std::string text(std::size_t bytes_max) {
    const std::uint64_t size = number(bytes_max);
    if (!ok_ || size > rest_.size()) return ok_ = false, std::string();
    std::string taken(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return taken;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

void append_text(std::string& out, std::string_view text) {
  append_varint(out, text.size());
  out.append(text);
}

}  // namespace

std::string encode_parcel(const PostParcel& parcel) {
  std::string out;
  append_varint(out, kVersion);
  append_varint(out, parcel.number);
  append_varint(out, parcel.acknowledged);
  append_varint(out, static_cast<std::uint64_t>(std::max<std::int64_t>(parcel.wait.ms, 0)));
  append_varint(out, parcel.first);
  append_varint(out, parcel.messages.size());
  for (const std::string& message : parcel.messages) append_text(out, message);
  append_varint(out, parcel.farewell ? 1 : 0);
  if (parcel.farewell) {
    append_text(out, std::string_view(*parcel.farewell).substr(0, kReasonBytesMax));
  }
  return out;
}

Result<PostParcel> decode_parcel(std::string_view bytes, std::size_t message_bytes_max) {
  Reader in(bytes);
  if (in.number() != kVersion) return bad("another version");
  PostParcel parcel;
  parcel.number = in.number();
  parcel.acknowledged = in.number();
  parcel.wait = milliseconds(static_cast<std::int64_t>(in.number(kWaitMax)));
  parcel.first = in.number();
  const std::uint64_t count = in.number(kMessagesMax);
  if (!in.ok() || parcel.number == 0 || parcel.first == 0) return bad("its head is not understood");
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    parcel.messages.push_back(in.text(message_bytes_max));
  }
  if (in.number(1) == 1) parcel.farewell = in.text(kReasonBytesMax);
  if (!in.at_end()) return bad("its messages are not understood");
  // Numbers that cannot be counted on from.
  if (parcel.first > UINT64_MAX - kMessagesMax) return bad("its head is not understood");
  return parcel;
}

std::string encode_terms(const PostTerms& terms) {
  std::string out;
  append_varint(out, kVersion);
  append_text(out, terms.session);
  append_varint(out, terms.proxied ? 1 : 0);
  append_varint(out, static_cast<std::uint64_t>(terms.wait_max.ms));
  append_varint(out, static_cast<std::uint64_t>(terms.idle.ms));
  return out;
}

Result<PostTerms> decode_terms(std::string_view bytes) {
  Reader in(bytes);
  if (in.number() != kVersion) return bad("another version");
  PostTerms terms;
  terms.session = in.text(kSessionBytes);
  terms.proxied = in.number(1) == 1;
  terms.wait_max = milliseconds(static_cast<std::int64_t>(in.number(kWaitMax)));
  terms.idle = milliseconds(static_cast<std::int64_t>(in.number(kWaitMax)));
  if (!in.at_end() || terms.session.size() != kSessionBytes) return bad("its terms");
  return terms;
}

void PostOutbox::add(std::string message) {
  bytes_ += message.size();
  messages_.push_back(std::move(message));
}

bool PostOutbox::acknowledge(std::uint64_t through) {
  if (through > added()) return false;
  for (; acknowledged_ < through; ++acknowledged_) {
    bytes_ -= messages_.front().size();
    messages_.pop_front();
  }
  return true;
}

void PostOutbox::fill(PostParcel& parcel, std::size_t bytes_aim) const {
  parcel.first = acknowledged_ + 1;
  std::size_t bytes = 0;
  for (const std::string& message : messages_) {
    const bool full = parcel.messages.size() == kMessagesMax || bytes + message.size() > bytes_aim;
    if (!parcel.messages.empty() && full) break;
    bytes += message.size();
    parcel.messages.push_back(message);
  }
}

void PostInbox::take(PostParcel& parcel) {
  if (parcel.first > taken_ + 1) return;
  const std::uint64_t known = taken_ + 1 - parcel.first;
  for (std::uint64_t at = known; at < parcel.messages.size(); ++at) {
    bytes_ += parcel.messages[at].size();
    messages_.push_back(std::move(parcel.messages[at]));
    ++taken_;
  }
}

std::optional<std::string> PostInbox::next() {
  if (messages_.empty()) return std::nullopt;
  std::string message = std::move(messages_.front());
  messages_.pop_front();
  bytes_ -= message.size();
  return message;
}

PostParcel PostDeviceSide::request() {
  return {.number = ++last_request_, .acknowledged = inbox_.taken()};
}

PostParcel PostDeviceSide::poll(Duration wait) {
  PostParcel parcel = request();
  parcel.wait = wait;
  parcel.first = outbox_.acknowledged() + 1;
  return parcel;
}

PostParcel PostDeviceSide::sending(std::size_t bytes_aim) {
  PostParcel parcel = request();
  outbox_.fill(parcel, bytes_aim);
  return parcel;
}

PostParcel PostDeviceSide::farewell(std::string reason) {
  PostParcel parcel = request();
  parcel.first = outbox_.acknowledged() + 1;
  parcel.farewell = std::move(reason);
  return parcel;
}

Status PostDeviceSide::take(PostParcel answer, std::uint64_t number) {
  if (answer.number != number) return bad("the answer to another request");
  if (!outbox_.acknowledge(std::max(answer.acknowledged, outbox_.acknowledged()))) {
    return bad("it acknowledges what was never sent");
  }
  const std::uint64_t last = answer.first + answer.messages.size() - 1;
  inbox_.take(answer);
  if (answer.farewell && last <= inbox_.taken()) ended_ = std::move(answer.farewell);
  return Done{};
}

Status PostHubSide::take(PostParcel& request) {
  // An older request that comes late acknowledges less than is known: that is no harm.
  if (!outbox_.acknowledge(std::max(request.acknowledged, outbox_.acknowledged()))) {
    return Error{ErrorCode::invalid_input, "post: it acknowledges what was never sent"};
  }
  const std::uint64_t last = request.first + request.messages.size() - 1;
  if (inbox_.bytes() <= inbox_bytes_max_) inbox_.take(request);
  if (request.wait.ms > 0) newest_poll_ = std::max(newest_poll_, request.number);
  if (request.farewell && last <= inbox_.taken() && !ended_) {
    ended_ = std::move(request.farewell);
  }
  return Done{};
}

bool PostHubSide::waits(std::uint64_t number) const {
  return number == newest_poll_ && outbox_.empty() && !farewell_ && !ended_;
}

PostParcel PostHubSide::answer(std::uint64_t number, bool poll, std::size_t bytes_aim) {
  PostParcel parcel{.number = number, .acknowledged = inbox_.taken()};
  parcel.first = outbox_.acknowledged() + 1;
  if (!poll || number != newest_poll_) return parcel;
  outbox_.fill(parcel, bytes_aim);
  const bool all = parcel.first + parcel.messages.size() - 1 == outbox_.added();
  if (farewell_ && all) {
    parcel.farewell = farewell_;
    farewell_said_ = true;
  }
  return parcel;
}

}  // namespace duhui::net

// Enrolled devices that attack their hub: hostile_devices SECONDS SCOPE TICKET-FILE...
//
// One device per ticket, each on its own. Prints one JSON object: per attack how often it was
// tried and how the hub answered. Exit code 1: an answer that should not have been given.

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <nlohmann/json.hpp>

#include "shared/base/bytes.h"
#include "shared/crypto/text.h"
#include "shared/crypto/ticket.h"
#include "shared/net/deadline.h"
#include "shared/net/task_scope.h"
#include "shared/net/websocket_client.h"
#include "shared/sync/frame_codec.h"
#include "tests/e2e/hostile_frames.h"

namespace duhui::hostile {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using asio::experimental::awaitable_operators::operator||;
using Clock = std::chrono::steady_clock;

/// The hub shares two cores with fifty other attackers and two honest agents.
constexpr Duration kPatience = seconds(30);
/// Where nothing need come back.
constexpr Duration kGlance = milliseconds(500);

struct Count {
  std::uint64_t tried = 0;
  std::uint64_t refused = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t silent = 0;
  std::uint64_t wrong = 0;
};

struct Tally {
  std::map<std::string, Count> attacks;
  std::uint64_t unreachable = 0;
  std::uint64_t not_welcomed = 0;
  std::string first_refusal_of_hello;
};

/// What one session came to.
struct Answers {
  bool welcomed = false;
  bool acknowledged = false;
  bool refused = false;
  std::string words{};
};

/// Reads until the hub ends the session or acknowledges, or has welcomed if that is enough.
awaitable<void> listen(net::MessageStream& stream, Answers& answers, bool until_welcome) {
  while (!answers.refused && !answers.acknowledged && !(until_welcome && answers.welcomed)) {
    auto bytes = co_await stream.read();
    if (!bytes) {
      // Our patience may have ended, not the hub's.
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none) co_return;
      answers.refused = true;
      answers.words = bytes.error().detail;
      co_return;
    }
    auto frame = decode_frame(*bytes);
    if (!frame) continue;
    answers.welcomed = answers.welcomed || frame->has_welcome();
    answers.acknowledged = answers.acknowledged || (frame->has_ack() && frame->ack().through() > 0);
    if (frame->has_goodbye()) {
      answers.refused = true;
      answers.words = frame->goodbye().detail();
    }
  }
}

/// The hub may close while we still send; what it said is read by somebody else.
awaitable<void> send_all(net::MessageStream& stream, std::vector<std::string> frames) {
  for (std::string& frame : frames) {
    const auto written = co_await stream.write(std::move(frame));
    if (!written) co_return;
  }
}

awaitable<void> send_then_wait(net::MessageStream& stream, std::vector<std::string> frames) {
  co_await send_all(stream, std::move(frames));
  co_await net::expire_after(kPatience);
}

awaitable<void> one_session(HostileDevice& device, net::HubAddress hub, Tally& tally) {
  auto stream = co_await net::connect_to_hub(std::move(hub), {});
  if (!stream) {
    ++tally.unreachable;
    co_await net::expire_after(milliseconds(50));
    co_return;
  }
  Answers answers;
  const auto greeted = co_await (*stream)->write(device.hello((*stream)->channel_binding()));
  if (!greeted) co_return;
  Attack attack = device.next();
  if (!attack.before_welcome) {
    co_await (listen(**stream, answers, true) || net::expire_after(kPatience));
    if (!answers.welcomed) {
      ++tally.not_welcomed;
      if (tally.first_refusal_of_hello.empty()) tally.first_refusal_of_hello = answers.words;
      co_return;
    }
    device.welcomed();
  }
  const bool answer_is_due = attack.due == Due::refusal || attack.due == Due::acknowledgement;
  const Duration patience = answer_is_due ? kPatience : kGlance;
  if (attack.deaf) {
    co_await (send_all(**stream, std::move(attack.frames)) || net::expire_after(seconds(3)));
  } else {
    co_await (send_then_wait(**stream, std::move(attack.frames)) ||
              listen(**stream, answers, false) || net::expire_after(patience));
  }
  if (answers.welcomed) device.welcomed();
  Count& count = tally.attacks[attack.name];
  ++count.tried;
  count.refused += answers.refused;
  count.acknowledged += answers.acknowledged;
  count.silent += !answers.refused && !answers.acknowledged;
  const bool wrong = (attack.due == Due::refusal && !answers.refused) ||
                     (attack.due == Due::acknowledgement && !answers.acknowledged) ||
                     (attack.due == Due::silence && answers.acknowledged);
  count.wrong += wrong;
  if (wrong) std::cerr << attack.name << ": " << answers.words << "\n";
}

awaitable<void> attack_until(HostileDevice& device,
                             net::HubAddress hub,
                             Clock::time_point end,
                             std::uint64_t sessions_min,
                             Tally& tally) {
  for (std::uint64_t n = 0; n < sessions_min || Clock::now() < end; ++n) {
    co_await one_session(device, hub, tally);
  }
}

int run(int seconds_long, const std::string& scope, const std::vector<std::string>& files) {
  asio::io_context loop{1};
  net::TaskScope scope_of_all(loop.get_executor(),
                              [](std::string_view what) { std::cerr << what << "\n"; });
  Tally tally;
  std::vector<std::unique_ptr<HostileDevice>> devices;
  // Together they try every kind of attack, however slow the machine is.
  const std::uint64_t sessions_min = HostileDevice::kKinds / files.size() + 1;
  const auto end = Clock::now() + std::chrono::seconds(seconds_long);
  for (const std::string& name : files) {
    std::ifstream file(name, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto ticket = parse_ticket(text);
    if (!ticket) {
      std::cerr << name << ": " << to_string(ticket.error()) << "\n";
      return 2;
    }
    devices.push_back(std::make_unique<HostileDevice>(
        devices.size() + 1, devices.size() * sessions_min,
        ticket->id + ":" + to_base64url(ticket->secret_view()), scope));
    const net::HubAddress hub{.host = ticket->host, .port = ticket->port, .pin = ticket->hub_pin};
    scope_of_all.spawn(attack_until(*devices.back(), hub, end, sessions_min, tally));
  }
  loop.run();
  nlohmann::json attacks = nlohmann::json::object();
  std::uint64_t wrong = 0;
  for (const auto& [name, count] : tally.attacks) {
    wrong += count.wrong;
    attacks[name] = {{"tried", count.tried},
                     {"refused", count.refused},
                     {"acknowledged", count.acknowledged},
                     {"silent", count.silent},
                     {"wrong", count.wrong}};
  }
  const nlohmann::json out = {{"attacks", attacks},
                              {"unreachable", tally.unreachable},
                              {"not_welcomed", tally.not_welcomed},
                              {"hello_refused", tally.first_refusal_of_hello}};
  std::cout << out.dump() << "\n";
  return wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace duhui::hostile

int main(int count, char** words) {
  if (count < 4) return 2;
  return duhui::hostile::run(std::atoi(words[1]), words[2], {words + 3, words + count});
}

// Hellos that should not get in, each over connections of its own: impostors WHAT TICKET-FILE [HOST
// PORT PIN]
//
//   hello   one honest hello of a new device
//   other   the same of another one
//   replay  the same hello, byte for byte, on two connections
//   twice   two devices, one ticket
//   guess   a ticket of which only the public id is right
//
// HOST, PORT, PIN (hex): who is asked instead of the hub of the ticket, as a device would that does
// not look whom it talks to. Prints a JSON list of the answers: "welcome", or the hub's reason.

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
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

constexpr Duration kPatience = seconds(30);

awaitable<void> listen(net::MessageStream& stream, std::string& answer) {
  while (answer.empty()) {
    auto bytes = co_await stream.read();
    if (!bytes) {
      answer = bytes.error().detail;
      co_return;
    }
    auto frame = decode_frame(*bytes);
    if (!frame) continue;
    if (frame->has_welcome()) answer = frame->welcome().revoked() ? "welcome, revoked" : "welcome";
    if (frame->has_goodbye()) answer = frame->goodbye().detail();
  }
}

/// `frame` empty: makes a hello for this connection and keeps it there.
awaitable<std::string> greet(net::HubAddress hub, HostileDevice& device, std::string& frame) {
  auto stream = co_await net::connect_to_hub(std::move(hub), {});
  if (!stream) co_return to_string(stream.error());
  if (frame.empty()) frame = device.hello((*stream)->channel_binding());
  const auto written = co_await (*stream)->write(frame);
  if (!written) co_return to_string(written.error());
  std::string answer;
  co_await (listen(**stream, answer) || net::expire_after(kPatience));
  co_await (*stream)->close("enough");
  co_return answer;
}

awaitable<void> play(std::string what, Ticket ticket, net::HubAddress hub, nlohmann::json& out) {
  if (what == "guess") ticket.secret.fill('x');
  const std::string shown = ticket.id + ":" + to_base64url(ticket.secret_view());
  HostileDevice device(1, 0, shown, "");
  HostileDevice other(2, 0, shown, "");
  std::string frame;
  out.push_back(co_await greet(hub, what == "other" ? other : device, frame));
  if (what == "replay") out.push_back(co_await greet(hub, device, frame));
  if (what == "twice") {
    std::string second;
    out.push_back(co_await greet(hub, other, second));
  }
}

int run(const std::string& what, const std::string& file, const std::vector<std::string>& instead) {
  std::ifstream in(file, std::ios::binary);
  const auto ticket = parse_ticket(std::string{std::istreambuf_iterator<char>(in), {}});
  if (!ticket) {
    std::cerr << file << ": " << to_string(ticket.error()) << "\n";
    return 2;
  }
  net::HubAddress hub{.host = ticket->host, .port = ticket->port, .pin = ticket->hub_pin};
  if (instead.size() == 3) {
    hub.host = instead[0];
    hub.port = static_cast<std::uint16_t>(std::atoi(instead[1].c_str()));
    hub.pin = from_hex(instead[2]).value_or("");
  }
  asio::io_context loop{1};
  net::TaskScope scope(loop.get_executor(),
                       [](std::string_view problem) { std::cerr << problem << "\n"; });
  nlohmann::json out = nlohmann::json::array();
  scope.spawn(play(what, *ticket, hub, out));
  loop.run();
  std::cout << out.dump() << "\n";
  return 0;
}

}  // namespace
}  // namespace duhui::hostile

int main(int count, char** words) {
  if (count < 3) return 2;
  return duhui::hostile::run(words[1], words[2], {words + 3, words + count});
}

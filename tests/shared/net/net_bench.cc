// What a connection costs: resident memory when idle, and echoed messages per second. Prints a
// line each; the client is a process of its own so that both sides can be told apart.
//   shared_net_bench [connections] [echo messages per connection]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/shared/net/loop.h"

namespace duhui::net {
namespace {

using Clock = std::chrono::steady_clock;
using Streams = std::vector<std::unique_ptr<MessageStream>>;

struct Plan {
  std::size_t connections = 1000;
  int messages = 2000;
};

double resident_kb() {
  ::malloc_trim(0);  // what the handshakes used and gave back is not the price of a connection
  long size = 0;
  long resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr || std::fscanf(file, "%ld %ld", &size, &resident) != 2) std::abort();
  std::fclose(file);
  return static_cast<double>(resident * ::sysconf(_SC_PAGESIZE)) / 1024;
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

awaitable<void> pause(int ms) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor,
                                  std::chrono::milliseconds(ms));
  co_await timer.async_wait(boost::asio::use_awaitable);
}

awaitable<void> wait_for_message(MessageStream& stream) {
  auto message = co_await stream.read();
  (void)message;
}

awaitable<void> ping_pong(MessageStream& stream, int messages) {
  const std::string message(700, 'm');
  for (int i = 0; i < messages; ++i) {
    auto written = co_await stream.write(message);
    auto answer = co_await stream.read();
    if (!written || !answer) std::abort();
  }
}

awaitable<void> open_all(HubAddress hub, std::size_t count, Streams& streams) {
  for (std::size_t i = 0; i < count; ++i) {
    auto stream = co_await connect_to_hub(hub, {});
    if (!stream) std::abort();
    streams.push_back(std::move(stream).value());
  }
}

awaitable<void> be_client(HubAddress hub, Plan plan, int done) {
  Streams streams;
  const auto executor = co_await boost::asio::this_coro::executor;
  co_await open_all(hub, 1, streams);  // what the first one loads is not per connection
  const double before = resident_kb();
  auto begin = Clock::now();
  co_await open_all(hub, plan.connections, streams);
  std::printf("handshakes: %.0f /s (both ends)\n",
              static_cast<double>(plan.connections) / seconds_since(begin));
  TaskScope readers(executor);
  for (auto& stream : streams) readers.spawn(wait_for_message(*stream));
  co_await pause(1000);
  std::printf("client: %.1f KB per idle connection\n",
              (resident_kb() - before) / static_cast<double>(plan.connections));
  std::fflush(stdout);
  if (::write(done, "i", 1) != 1) std::abort();
  co_await pause(2000);  // the server measures itself now
  readers.cancel();
  co_await readers.wait();
  streams.clear();

  constexpr std::size_t kTalkers = 50;
  co_await open_all(hub, kTalkers, streams);
  TaskScope talkers(executor);
  begin = Clock::now();
  for (auto& stream : streams) talkers.spawn(ping_pong(*stream, plan.messages));
  co_await talkers.wait();
  std::printf("echo: %.0f messages of 700 B a second there and back over 50 connections\n",
              static_cast<double>(kTalkers) * plan.messages / seconds_since(begin));
  std::fflush(stdout);
}

awaitable<void> be_server(Listener& hub, Plan plan, int idle) {
  TaskScope scope(co_await boost::asio::this_coro::executor);
  scope.spawn(hub.run(not_found, echo));
  while (hub.connections() < 1) co_await pause(1);
  const double before = resident_kb();
  while (hub.connections() <= plan.connections) co_await pause(10);
  char byte = 0;
  co_await pause(500);
  if (::read(idle, &byte, 1) != 1) std::abort();
  std::printf("server: %.1f KB per idle connection\n",
              (resident_kb() - before) / static_cast<double>(plan.connections));
  std::fflush(stdout);
  while (hub.connections() > 0) co_await pause(10);  // the idle ones leave
  while (hub.connections() == 0) co_await pause(1);
  while (hub.connections() > 0) co_await pause(10);
  scope.cancel();
  co_await scope.wait();
}

void rethrow(std::exception_ptr why) {
  if (why) std::rethrow_exception(why);
}

int main_of_bench(Plan plan) {
  int pipe_ends[2];
  if (::pipe(pipe_ends) != 0) return 1;
  boost::asio::io_context context{1};
  ListenerOptions options;
  auto hub = Listener::on_tls(context.get_executor(), "127.0.0.1", 0, test_identity(), options);
  const HubAddress address = address_of(**hub);
  context.notify_fork(boost::asio::io_context::fork_prepare);
  const pid_t child = ::fork();
  if (child == 0) {
    hub->reset();
    boost::asio::io_context client{1};
    boost::asio::co_spawn(client, be_client(address, plan, pipe_ends[1]), rethrow);
    client.run();
    std::_Exit(0);
  }
  context.notify_fork(boost::asio::io_context::fork_parent);
  boost::asio::co_spawn(context, be_server(**hub, plan, pipe_ends[0]), rethrow);
  context.run();
  int status = 0;
  ::waitpid(child, &status, 0);
  return status == 0 ? 0 : 1;
}

}  // namespace
}  // namespace duhui::net

int main(int argc, char** argv) {
  duhui::net::Plan plan;
  if (argc > 1) plan.connections = static_cast<std::size_t>(std::atoi(argv[1]));
  if (argc > 2) plan.messages = std::atoi(argv[2]);
  return duhui::net::main_of_bench(plan);
}

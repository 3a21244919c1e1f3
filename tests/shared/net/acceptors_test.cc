#include "shared/net/acceptors.h"

#include <atomic>
#include <string>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/net/blocking_pool.h"
#include "shared/net/http_client.h"
#include "tests/shared/net/loop.h"

namespace duhui::net {
namespace {

std::string socket_path(const std::string& name) {
  return "/tmp/duhui_acceptors_" + name + "_" + std::to_string(::getpid()) + ".sock";
}

TEST(Acceptors, TheOwnersSocketIsNeverOpenToOthersNotEvenForAnInstant) {
  const std::string path = socket_path("mode");
  std::atomic<bool> stop = false;
  std::atomic<int> seen = 0;
  std::atomic<unsigned> widest = 0;
  std::thread watcher([&] {
    while (!stop) {
      struct stat found {};
      if (::stat(path.c_str(), &found) != 0) continue;
      ++seen;
      widest |= found.st_mode & 0177;
    }
  });
  const mode_t before = ::umask(0);  // as careless as it gets
  boost::asio::io_context loop;
  while (seen < 300) {
    EXPECT_TRUE(open_owner_socket(loop.get_executor(), path));
    ::unlink(path.c_str());
  }
  ::umask(before);
  stop = true;
  watcher.join();
  EXPECT_EQ(widest, 0u);
}

TEST(Acceptors, TheUmaskOfTheProcessIsAsBefore) {
  const std::string path = socket_path("umask");
  const mode_t before = ::umask(0027);
  boost::asio::io_context loop;
  EXPECT_TRUE(open_owner_socket(loop.get_executor(), path));
  EXPECT_EQ(::umask(before), 0027u);
  ::unlink(path.c_str());
}

TEST(Acceptors, OnlyTheAccountOfTheServiceAndRootMayCommand) {
  EXPECT_TRUE(may_command(1000, 1000));
  EXPECT_TRUE(may_command(0, 1000));
  EXPECT_TRUE(may_command(0, 0));
  EXPECT_FALSE(may_command(1001, 1000));
  EXPECT_FALSE(may_command(1000, 0));
}

/// In a process of its own: 0: an answer came; 1: the connection was closed without one.
int ask_as(uid_t account, const std::string& path) {
  if (::setuid(account) != 0) return 3;
  const int handle = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::connect(handle, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return 4;
  const std::string request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  (void)::send(handle, request.data(), request.size(), MSG_NOSIGNAL);
  char first = 0;
  return ::recv(handle, &first, 1, 0) == 1 ? 0 : 1;
}

awaitable<void> await_child(BlockingPool& pool, pid_t child, int* exit_code) {
  std::function<void()> wait = [&] {
    int status = 0;
    ::waitpid(child, &status, 0);
    *exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  co_await pool.perform(std::move(wait));
}

TEST(Acceptors, AnotherAccountGetsNoAnswerEvenThroughASocketThatStandsOpen) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  for (const uid_t account : {uid_t{65534}, uid_t{0}}) {
    const std::string path = socket_path("peer");
    Loop loop;
    auto& listener = loop.serve(Listener::on_unix(loop.executor(), path, {}), not_found, {});
    EXPECT_EQ(listener.connections(), 0u);
    ASSERT_EQ(::chmod(path.c_str(), 0666), 0);
    const pid_t child = ::fork();
    if (child == 0) ::_exit(ask_as(account, path));
    BlockingPool pool(1);
    int exit_code = -1;
    loop.run(await_child(pool, child, &exit_code));
    EXPECT_EQ(exit_code, account == 0 ? 0 : 1) << account;
    ::unlink(path.c_str());
  }
}

}  // namespace
}  // namespace duhui::net

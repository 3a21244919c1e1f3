#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "agent/app/link_runner.h"
#include "agent/store/agent_store.h"
#include "agent/store/posix_file_system.h"
#include "shared/crypto/system_random.h"
#include "shared/net/websocket_client.h"
#include "tests/bench/workload.h"
#include "tests/support/memory_store.h"

namespace duhui::bench {

using SteadyTime = std::chrono::steady_clock::time_point;

/// Bytes on the wire (TLS included) of all connections, both ways.
extern std::atomic<std::uint64_t> wire_bytes;

/// A device: the shipped agent core, store and link, without the rest of the program. Everything
/// happens on its loop, except what is said to happen before a connection.
class BenchAgent final : private agent::LinkEvents {
 public:
  /// `folder` empty: keeps everything in memory, for thousands of idle ones.
  BenchAgent(boost::asio::any_io_executor loop, std::string folder, std::string ticket);

  /// Before a connection, any thread.
  void save(const std::vector<Intent>& intents);

  enum class Goal : std::uint8_t { live, acknowledged, caught_up };
  /// Connects until `stop`; calls `reached` once, at the goal. On the loop.
  boost::asio::awaitable<void> stay_connected(net::HubAddress hub,
                                              Goal goal,
                                              std::function<void()> reached);
  void stop();
  /// Tells the link what was saved. On the loop.
  void tell();
  void on_change(std::function<void(const std::vector<RecordId>&)> heard) {
    heard_ = std::move(heard);
  }

  const agent::Replica& replica() const { return *replica_; }
  agent::Replica& replica() { return *replica_; }
  std::uint32_t reconnects() const { return reconnects_; }
  const boost::asio::any_io_executor& loop() const { return loop_; }

 private:
  void welcomed(const Digest& pin, const std::string& device_name) override;
  void records_changed(const std::vector<RecordId>& ids) override;
  void acknowledged(std::uint64_t through) override;
  void progressed() override { look(); }
  void look();

  const boost::asio::any_io_executor loop_;
  agent::PosixFileSystem files_;
  net::SystemClock clock_;
  SystemRandom random_;
  agent::DeviceIdentity identity_;
  agent::OpenedStore opened_;
  agent::MemoryDisk memory_;
  std::unique_ptr<agent::KvStore> memory_store_;
  std::unique_ptr<agent::Journal> memory_journal_;
  std::unique_ptr<agent::Replica> replica_;

  agent::LinkRunner* runner_ = nullptr;
  bool stopping_ = false;
  Goal goal_ = Goal::live;
  std::function<void()> reached_;
  std::function<void(const std::vector<RecordId>&)> heard_;
  std::uint32_t reconnects_ = 0;
};

}  // namespace duhui::bench

#pragma once

#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "hub/core/hub_peer.h"
#include "shared/net/blocking_pool.h"
#include "shared/net/message_stream.h"

namespace duhui::hub {

/// What outlives the stream of a conversation.
struct PeerTalk {
  explicit PeerTalk(HubPeer& of) : peer(of) {}
  HubPeer& peer;
  std::optional<Error> failed{};
};

/// A HubPeer as a connection. The peer is asked on a thread of its own, one question at a time.
class PeerStream final : public net::MessageStream {
 public:
  /// `talk` outlives this.
  PeerStream(PeerTalk& talk, boost::asio::any_io_executor loop);

  boost::asio::awaitable<Result<std::string>> read() override;
  boost::asio::awaitable<Status> write(std::string message) override;
  boost::asio::awaitable<void> close(std::string reason) override;
  std::string channel_binding() const override { return talk_.peer.binding(); }
  const Digest& server_pin() const override { return pin_; }
  const std::string& peer() const override { return name_; }
  std::uint64_t bytes_read() const override { return 0; }
  std::uint64_t bytes_written() const override { return 0; }

 private:
  PeerTalk& talk_;
  boost::asio::steady_timer heard_;  // cancelled by every frame of the hub
  net::BlockingPool pool_{1};
  bool news_ = false;
  const Digest pin_{};
  const std::string name_ = "bundle";
};

}  // namespace duhui::hub

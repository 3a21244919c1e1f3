#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>

#include "shared/base/result.h"
#include "shared/net/tls_context.h"

namespace duhui::net {

/// TLS over a non-blocking TCP socket, as an AsyncReadStream and AsyncWriteStream.
///
/// OpenSSL reads and writes the socket itself; we only wait until it is ready. Between messages
/// neither side holds a record buffer, so an idle connection costs its TLS state and nothing else.
/// (asio::ssl::stream keeps two of 17 KB for life.) One read and one write at a time; one thread.
class TlsStream {
 public:
  using executor_type = boost::asio::any_io_executor;

  /// Takes the socket; makes it non-blocking and undelayed.
  TlsStream(boost::asio::ip::tcp::socket socket, const TlsContext& context);
  ~TlsStream();
  TlsStream(TlsStream&&) noexcept;
  TlsStream& operator=(TlsStream&&) = delete;

  executor_type get_executor() { return socket_.get_executor(); }

  boost::asio::awaitable<Status> accept();
  /// refused: the server's key is not the pinned one (`check.seen` tells which it is).
  /// corrupt_data: what answers does not speak TLS.
  boost::asio::awaitable<Status> connect(PinCheck& check);

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_compose<Token, void(boost::system::error_code, std::size_t)>(
        Transfer<Buffers, &TlsStream::try_read<Buffers>>{*this, buffers}, token, socket_);
  }
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_compose<Token, void(boost::system::error_code, std::size_t)>(
        Transfer<Buffers, &TlsStream::try_write<Buffers>>{*this, buffers}, token, socket_);
  }

  /// Sends `last_words` (may be empty) and a close_notify if that needs no waiting, then FIN.
  /// Precondition: no write is under way.
  void say_goodbye(std::string_view last_words);
  void close();
  boost::asio::ip::tcp::socket& socket() { return socket_; }

  std::string channel_binding() const;
  std::uint64_t bytes_read() const;
  std::uint64_t bytes_written() const;

 private:
  enum class Want : std::uint8_t { nothing, read, write };
  struct Attempt {
    std::size_t bytes = 0;
    Want want = Want::nothing;
    boost::system::error_code error{};
  };
  struct Wire;  // the socket as OpenSSL sees it
  struct FreeSsl {
    void operator()(ssl_st* ssl) const;
  };

  /// Tries; waits until the socket is ready as long as OpenSSL asks for that; completes. What
  /// succeeds at once is posted, because a handler must not run inside the call that starts it.
  template <typename Buffers, auto kTry>
  struct Transfer {
    TlsStream& stream;
    Buffers buffers;
    bool waited = false;
    bool done = false;
    Attempt attempt{};

    template <typename Self>
    void operator()(Self& self, boost::system::error_code error = {}) {
      if (!done) {
        attempt = error ? Attempt{.error = error} : (stream.*kTry)(buffers);
        TlsStream& s = stream;
        if (attempt.want == Want::read) {
          waited = true;
          return s.socket_.async_wait(boost::asio::socket_base::wait_read, std::move(self));
        }
        if (attempt.want == Want::write) {
          waited = true;
          return s.socket_.async_wait(boost::asio::socket_base::wait_write, std::move(self));
        }
        done = true;
        if (!waited) return boost::asio::post(s.socket_.get_executor(), std::move(self));
      }
      self.complete(attempt.error, attempt.bytes);
    }
  };

  template <typename Buffers>
  Attempt try_read(const Buffers& buffers) {
    const auto end = boost::asio::buffer_sequence_end(buffers);
    for (auto it = boost::asio::buffer_sequence_begin(buffers); it != end; ++it) {
      const boost::asio::mutable_buffer buffer(*it);
      if (buffer.size() > 0) return read_into(static_cast<char*>(buffer.data()), buffer.size());
    }
    return {};
  }

  /// Small pieces (a frame head and its payload) leave as one record.
  template <typename Buffers>
  Attempt try_write(const Buffers& buffers) {
    char record[kRecordSize];
    std::size_t size = 0;
    const auto end = boost::asio::buffer_sequence_end(buffers);
    for (auto it = boost::asio::buffer_sequence_begin(buffers); it != end; ++it) {
      const boost::asio::const_buffer buffer(*it);
      if (buffer.size() == 0) continue;
      if (size == 0 && buffer.size() >= kRecordSize) {
        return write_from(static_cast<const char*>(buffer.data()), kRecordSize);
      }
      const std::size_t piece = std::min(buffer.size(), kRecordSize - size);
      std::memcpy(record + size, buffer.data(), piece);
      size += piece;
      if (size == kRecordSize) break;
    }
    return size == 0 ? Attempt{} : write_from(record, size);
  }

  Attempt read_into(char* bytes, std::size_t size);
  Attempt write_from(const char* bytes, std::size_t size);
  Attempt judge(int result);
  boost::asio::awaitable<Status> handshake();

  static constexpr std::size_t kRecordSize = 16384;  // the most one TLS record carries

  boost::asio::ip::tcp::socket socket_;
  std::unique_ptr<Wire> wire_;
  std::unique_ptr<ssl_st, FreeSsl> ssl_;
};

}  // namespace duhui::net

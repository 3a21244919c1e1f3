#include "shared/net/tls_stream.h"

#include <array>
#include <cerrno>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sys/socket.h>

#include "shared/base/check.h"
#include "shared/net/openssl_pointers.h"

namespace duhui::net {

namespace asio = boost::asio;
using boost::system::error_code;

struct TlsStream::Wire {
  int socket = -1;
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;

  static Wire& of(BIO* bio) { return *static_cast<Wire*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* bytes, int size) {
    Wire& wire = of(bio);
    BIO_clear_retry_flags(bio);
    const ssize_t count = ::recv(wire.socket, bytes, static_cast<std::size_t>(size), 0);
    if (count > 0) wire.bytes_read += static_cast<std::uint64_t>(count);
    if (count == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
    return static_cast<int>(count);
  }

  static int write(BIO* bio, const char* bytes, int size) {
    Wire& wire = of(bio);
    BIO_clear_retry_flags(bio);
    // OpenSSL's own socket BIO would raise SIGPIPE.
    const ssize_t count = ::send(wire.socket, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (count > 0) wire.bytes_written += static_cast<std::uint64_t>(count);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
    return static_cast<int>(count);
  }

  static long control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }

  static const BIO_METHOD* method() {
    static const BIO_METHOD* const shared = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
      DUHUI_CHECK(made != nullptr);
      BIO_meth_set_read(made, read);
      BIO_meth_set_write(made, write);
      BIO_meth_set_ctrl(made, control);
      return made;
    }();
    return shared;
  }
};

void TlsStream::FreeSsl::operator()(ssl_st* ssl) const { SSL_free(ssl); }

TlsStream::TlsStream(asio::ip::tcp::socket socket, const TlsContext& context)
    : socket_(std::move(socket)), wire_(std::make_unique<Wire>()), ssl_(SSL_new(context.get())) {
  error_code ignored;  // a dead socket fails at the first read
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  wire_->socket = socket_.native_handle();
  BIO* const bio = BIO_new(Wire::method());
  DUHUI_CHECK(ssl_ != nullptr && bio != nullptr);  // out of memory
  BIO_set_data(bio, wire_.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
}

TlsStream::~TlsStream() = default;
TlsStream::TlsStream(TlsStream&&) noexcept = default;

asio::awaitable<Status> TlsStream::accept() {
  SSL_set_accept_state(ssl_.get());
  return handshake();
}

asio::awaitable<Status> TlsStream::connect(PinCheck& check) {
  SSL_set_connect_state(ssl_.get());
  check_pin(ssl_.get(), check);
  auto status = co_await handshake();
  SSL_set_app_data(ssl_.get(), nullptr);
  if (!status && SSL_get_verify_result(ssl_.get()) == X509_V_ERR_CERT_UNTRUSTED) {
    co_return Error{ErrorCode::refused, "pin: the server shows another key than the expected one"};
  }
  co_return status;
}

asio::awaitable<Status> TlsStream::handshake() {
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) co_return Done{};
    const int why = SSL_get_error(ssl_.get(), result);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
      const auto direction =
          why == SSL_ERROR_WANT_READ ? asio::socket_base::wait_read : asio::socket_base::wait_write;
      const auto [failed] =
          co_await socket_.async_wait(direction, asio::as_tuple(asio::use_awaitable));
      if (!failed) continue;
      co_return Error{ErrorCode::unavailable, "TLS handshake: " + failed.message()};
    }
    if (why == SSL_ERROR_ZERO_RETURN || why == SSL_ERROR_SYSCALL) {
      co_return Error{ErrorCode::unavailable, "TLS handshake: connection lost"};
    }
    const bool other_words = ERR_GET_REASON(ERR_peek_error()) == SSL_R_WRONG_VERSION_NUMBER;
    const ErrorCode code = other_words ? ErrorCode::corrupt_data : ErrorCode::unavailable;
    co_return Error{code, "TLS handshake: " + take_openssl_error()};
  }
}

TlsStream::Attempt TlsStream::read_into(char* bytes, std::size_t size) {
  ERR_clear_error();
  return judge(SSL_read(ssl_.get(), bytes, static_cast<int>(std::min(size, kRecordSize))));
}

TlsStream::Attempt TlsStream::write_from(const char* bytes, std::size_t size) {
  ERR_clear_error();
  return judge(SSL_write(ssl_.get(), bytes, static_cast<int>(size)));
}

TlsStream::Attempt TlsStream::judge(int result) {
  if (result > 0) return {.bytes = static_cast<std::size_t>(result)};
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {.want = Want::read};
    case SSL_ERROR_WANT_WRITE:
      return {.want = Want::write};
    case SSL_ERROR_ZERO_RETURN:
      return {.error = asio::error::eof};
    case SSL_ERROR_SYSCALL:
      return {.error = asio::error::connection_reset};
    default:
      return {.error = asio::error::connection_aborted};  // the peer breaks the protocol
  }
}

void TlsStream::say_goodbye(std::string_view last_words) {
  if (!socket_.is_open()) return;
  ERR_clear_error();
  if (SSL_is_init_finished(ssl_.get()) == 1) {
    if (!last_words.empty()) {
      (void)SSL_write(ssl_.get(), last_words.data(), static_cast<int>(last_words.size()));
    }
    ERR_clear_error();
    (void)SSL_shutdown(ssl_.get());
  }
  error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

void TlsStream::close() {
  error_code ignored;
  socket_.close(ignored);
}

std::string TlsStream::channel_binding() const {
  constexpr std::string_view kLabel = "EXPORTER-duhui-device-proof";
  std::array<unsigned char, 32> binding{};
  const int ok = SSL_export_keying_material(ssl_.get(), binding.data(), binding.size(),
                                            kLabel.data(), kLabel.size(), nullptr, 0, 0);
  DUHUI_CHECK(ok == 1);
  return {reinterpret_cast<const char*>(binding.data()), binding.size()};
}

std::uint64_t TlsStream::bytes_read() const { return wire_->bytes_read; }
std::uint64_t TlsStream::bytes_written() const { return wire_->bytes_written; }

}  // namespace duhui::net

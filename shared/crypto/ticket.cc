#include "shared/crypto/ticket.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "shared/base/bytes.h"
#include "shared/base/check.h"
#include "shared/crypto/text.h"

namespace duhui {
namespace {

constexpr std::size_t kIdSize = 5;
constexpr std::size_t kSecretSize = 16;
constexpr std::size_t kChecksumSize = 4;
constexpr std::size_t kCodeSize = kIdSize + kSecretSize + kShortPinSize + kChecksumSize;
static_assert(kCodeSize % 5 == 0, "no loose bits in base 32");
constexpr std::size_t kGroup = 4;
constexpr std::size_t kWordMax = 8;  // of a line that is not understood, as it is shown
constexpr std::string_view kFileHead = "duhui-ticket 1";

Error mistyped(std::string detail) {
  return {ErrorCode::invalid_input, "ticket: " + std::move(detail)};
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == ':' ||
           c == '_' || c == '%';
  });
}

std::string to_address(const Ticket& ticket) {
  const std::string host = lower(ticket.host);
  const std::string shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return shown + ":" + std::to_string(ticket.port);
}

bool take_address(std::string_view text, Ticket& ticket) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::string host = lower(trimmed(text.substr(0, colon)));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return false;
  }
  const std::string_view port = trimmed(text.substr(colon + 1));
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), ticket.port);
  if (failed != std::errc{} || end != port.data() + port.size() || ticket.port == 0) return false;
  ticket.host = std::move(host);
  return is_host(ticket.host);
}

std::string checksum(std::string_view what, std::string_view address) {
  std::string text = "duhui ticket checksum:";
  text += what;
  return sha256(text, address).str().substr(0, kChecksumSize);
}

Result<Ticket> parse_code(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) return mistyped("the part from '@' on is missing");
  const auto bytes = from_base32(trimmed(text.substr(0, at)));
  if (!bytes) return mistyped("a character or the length is wrong");
  if (bytes->size() != kCodeSize) return mistyped("characters are missing or too many");
  Ticket ticket;
  if (!take_address(text.substr(at + 1), ticket)) return mistyped("the address is not host:port");

  const std::string_view body = std::string_view(*bytes).substr(0, kCodeSize - kChecksumSize);
  if (bytes->substr(body.size()) != checksum(body, to_address(ticket))) {
    return mistyped("mistyped somewhere: the checksum does not match");
  }
  ticket.id = to_base32(body.substr(0, kIdSize));
  std::memcpy(ticket.secret.data(), body.data() + kIdSize, kSecretSize);
  ticket.hub_pin = body.substr(kIdSize + kSecretSize);
  return ticket;
}

/// One "word value" line of the file form. False: unknown word or bad value.
bool take_line(std::string_view line, Ticket& ticket) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return false;
  const std::string_view word = line.substr(0, space);
  const std::string_view value = trimmed(line.substr(space + 1));
  if (word == "id") {
    const auto bytes = from_base32(value);
    if (!bytes || bytes->size() != kIdSize) return false;
    ticket.id = to_base32(*bytes);
    return true;
  }
  if (word == "secret") {
    const auto bytes = from_base32(value);
    if (!bytes || bytes->size() != kSecretSize) return false;
    std::memcpy(ticket.secret.data(), bytes->data(), kSecretSize);
    return true;
  }
  if (word == "hub") {
    auto bytes = from_hex(value);
    if (!bytes || bytes->size() != 32) return false;
    ticket.hub_pin = std::move(*bytes);
    return true;
  }
  if (word == "key") {
    auto bytes = from_hex(value);
    if (!bytes || bytes->size() != 32) return false;
    ticket.hub_key = std::move(*bytes);
    return true;
  }
  if (word == "address") return take_address(value, ticket);
  if (word == "scope") {
    ticket.scopes.emplace_back(value);
    return !value.empty();
  }
  if (word == "expires") {
    const auto [end, failed] =
        std::from_chars(value.data(), value.data() + value.size(), ticket.expires.ms);
    return failed == std::errc{} && end == value.data() + value.size();
  }
  return false;
}

/// `text` is trimmed and begins with kFileHead; its last line is "check <hex>" over all before it.
/// Line ends are compared as "\n", since mail programs change them.
Result<Ticket> parse_file(std::string_view text) {
  Ticket ticket;
  std::string checked;
  std::optional<std::string_view> check;
  bool first = true;
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, newline));
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    if (check) return mistyped("text after the checksum");
    if (line.starts_with("check ")) {
      check = line.substr(6);
      continue;
    }
    if (first ? line != kFileHead : !take_line(line, ticket)) {
      // Its first word only: behind it may stand the secret.
      const std::string_view word = line.substr(0, std::min(line.find(' '), kWordMax));
      return mistyped("the line '" + std::string(word) + "' is not understood");
    }
    first = false;
    checked.append(line).append("\n");
  }
  if (!check) return mistyped("the end is missing");
  if (lower(*check) != to_hex(checksum(checked, {}))) {
    return mistyped("changed somewhere: the checksum does not match");
  }
  if (ticket.id.empty() || ticket.hub_pin.empty() || ticket.port == 0) {
    return mistyped("a line is missing");
  }
  return ticket;
}

}  // namespace

Ticket mint_ticket(Random& random) {
  std::array<char, kIdSize> id{};
  random.fill(id.data(), id.size());
  Ticket ticket;
  ticket.id = to_base32({id.data(), id.size()});
  random.fill(ticket.secret.data(), ticket.secret.size());
  return ticket;
}

Digest ticket_secret_hash(std::string_view ticket_id, std::string_view secret) {
  // The secret has 128 random bits, so a fast hash is enough; the id makes each hash its own.
  std::string text = "duhui ticket secret:";
  text += ticket_id;
  text += ':';
  return sha256(text, secret);
}

std::string to_ticket_code(const Ticket& ticket) {
  const auto id = from_base32(ticket.id);
  DUHUI_CHECK(id && id->size() == kIdSize && ticket.hub_pin.size() >= kShortPinSize);
  std::string body = *id;
  body += ticket.secret_view();
  body.append(ticket.hub_pin, 0, kShortPinSize);
  const std::string address = to_address(ticket);
  body += checksum(body, address);

  const std::string digits = to_base32(body);
  std::string code;
  for (std::size_t i = 0; i < digits.size(); i += kGroup) {
    if (i > 0) code += '-';
    code.append(digits, i, kGroup);
  }
  return code + "@" + address;
}

std::string to_ticket_file(const Ticket& ticket) {
  DUHUI_CHECK(ticket.hub_pin.size() == 32);
  std::string text(kFileHead);
  text += "\nid " + ticket.id;
  text += "\nsecret " + to_base32(ticket.secret_view());
  text += "\nhub " + to_hex(ticket.hub_pin);
  if (!ticket.hub_key.empty()) text += "\nkey " + to_hex(ticket.hub_key);
  text += "\naddress " + to_address(ticket);
  for (const std::string& scope : ticket.scopes) text += "\nscope " + scope;
  text += "\nexpires " + std::to_string(ticket.expires.ms);
  text += "\n";
  return text + "check " + to_hex(checksum(text, {})) + "\n";
}

Result<Ticket> parse_ticket(std::string_view text) {
  if (text.size() > kTicketTextMax) return mistyped("too long");
  text = trimmed(text);
  if (text.empty()) return mistyped("empty");
  return text.starts_with(kFileHead) ? parse_file(text) : parse_code(text);
}

bool pin_matches(std::string_view pin, const Digest& seen) {
  if (pin.size() != 32 && pin.size() != kShortPinSize) return false;
  return constant_time_equal(pin, seen.view().substr(0, pin.size()));
}

}  // namespace duhui

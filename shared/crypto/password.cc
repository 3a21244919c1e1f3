#include "shared/crypto/password.h"

#include <algorithm>

#include <sodium.h>

#include "shared/base/check.h"

namespace duhui {
namespace {

static_assert(crypto_secretbox_xchacha20poly1305_KEYBYTES == 32);

constexpr std::size_t kNonceSize = crypto_secretbox_xchacha20poly1305_NONCEBYTES;
constexpr std::size_t kTagSize = crypto_secretbox_xchacha20poly1305_MACBYTES;
constexpr std::size_t kSaltSize = crypto_pwhash_SALTBYTES;
constexpr std::size_t kSealedSize = kNonceSize + kTagSize + sizeof(Seed);

/// What people try first; everything shorter, of one letter or in sequence is refused by rule.
constexpr std::array<std::string_view, 16> kKnownToAll = {
    "password",   "passw0rd",   "password1", "qwertyuiop", "1qaz2wsx", "1q2w3e4r",
    "admin123",   "admin888",   "abc12345",  "abcd1234",   "iloveyou", "woaini520",
    "woaini1314", "5201314520", "a1234567",  "asdfghjkl"};

const unsigned char* bytes_of(std::string_view view) {
  return reinterpret_cast<const unsigned char*>(view.data());
}

bool sodium_ready() {
  static const bool ready = sodium_init() >= 0;
  return ready;
}

/// A key that is wiped when it goes.
struct DerivedKey {
  std::array<unsigned char, crypto_secretbox_xchacha20poly1305_KEYBYTES> bytes{};

  DerivedKey() = default;
  DerivedKey(const DerivedKey&) = delete;
  DerivedKey& operator=(const DerivedKey&) = delete;
  ~DerivedKey() { sodium_memzero(bytes.data(), bytes.size()); }
};

Status check_cost(const PasswordCost& cost) {
  const bool fits = cost.passes >= crypto_pwhash_OPSLIMIT_MIN &&
                    cost.passes <= kPasswordCostMax.passes &&
                    cost.memory_kib >= crypto_pwhash_MEMLIMIT_MIN / 1024 &&
                    cost.memory_kib <= kPasswordCostMax.memory_kib;
  if (!fits) return Error{ErrorCode::limit_exceeded, "password: its cost is out of bounds"};
  return Done{};
}

Status derive(const PasswordCost& cost,
              std::string_view salt,
              std::string_view password,
              DerivedKey& key) {
  DUHUI_CHECK(sodium_ready());
  DUHUI_CHECK_OK(check_cost(cost));
  if (salt.size() != kSaltSize) return Error{ErrorCode::refused, "password: damaged"};
  if (password.size() > kPasswordBytesMax) return Error{ErrorCode::refused, "password: too long"};
  const std::size_t memory = std::size_t{cost.memory_kib} * 1024;
  if (crypto_pwhash(key.bytes.data(), key.bytes.size(), password.data(), password.size(),
                    bytes_of(salt), cost.passes, memory, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return Error{ErrorCode::unavailable, "password: not enough memory"};
  }
  return Done{};
}

/// Of well-formed UTF-8.
std::size_t characters_in(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool is_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// "11111111", "12345678", "hgfedcba".
bool is_sequence(std::string_view text) {
  const auto step_at = [text](std::size_t at) {
    const int step = text[at] - text[at - 1];
    return step == '0' - '9' ? 1 : step == '9' - '0' ? -1 : step;  // the row of keys goes round
  };
  const int step = step_at(1);
  if (step < -1 || step > 1) return false;
  for (std::size_t at = 2; at < text.size(); ++at) {
    if (step_at(at) != step) return false;
  }
  return true;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

/// Well-formed UTF-8 without control characters: what a keyboard can type again elsewhere.
bool is_typable(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x20 || lead == 0x7f) return false;
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xc2 ? 0
                               : lead < 0xe0 ? 2
                               : lead < 0xf0 ? 3
                               : lead < 0xf5 ? 4
                                             : 0;
    if (length == 0 || at + length > text.size()) return false;
    for (std::size_t next = 1; next < length; ++next) {
      if ((static_cast<unsigned char>(text[at + next]) & 0xc0) != 0x80) return false;
    }
    at += length;
  }
  return true;
}

}  // namespace

Result<LockedSeed> lock_seed(const Seed& seed,
                             std::string_view password,
                             const PasswordCost& cost,
                             Random& random) {
  LockedSeed locked{
      .cost = cost, .salt = std::string(kSaltSize, '\0'), .sealed = std::string(kSealedSize, '\0')};
  random.fill(locked.salt.data(), locked.salt.size());
  random.fill(locked.sealed.data(), kNonceSize);
  DerivedKey key;
  DUHUI_CHECK_OK(derive(cost, locked.salt, password, key));
  auto* out = reinterpret_cast<unsigned char*>(locked.sealed.data());
  DUHUI_CHECK(crypto_secretbox_xchacha20poly1305_easy(out + kNonceSize,
                                                      bytes_of({seed.data(), seed.size()}),
                                                      seed.size(), out, key.bytes.data()) == 0);
  return locked;
}

Result<Seed> open_seed(const LockedSeed& locked, std::string_view password) {
  DerivedKey key;
  DUHUI_CHECK_OK(derive(locked.cost, locked.salt, password, key));
  if (locked.sealed.size() != kSealedSize) return Error{ErrorCode::refused, "password: damaged"};
  Seed seed{};
  const unsigned char* in = bytes_of(locked.sealed);
  if (crypto_secretbox_xchacha20poly1305_open_easy(reinterpret_cast<unsigned char*>(seed.data()),
                                                   in + kNonceSize, kSealedSize - kNonceSize, in,
                                                   key.bytes.data()) != 0) {
    return Error{ErrorCode::refused, "password: not this one"};
  }
  return seed;
}

LockedSeed locked_for_nobody(Random& random) {
  LockedSeed locked{.cost = kPasswordCost,
                    .salt = std::string(kSaltSize, '\0'),
                    .sealed = std::string(kSealedSize, '\0')};
  random.fill(locked.salt.data(), locked.salt.size());
  random.fill(locked.sealed.data(), locked.sealed.size());
  return locked;
}

Status check_new_password(std::string_view password, std::string_view login) {
  if (password.size() > kPasswordBytesMax) {
    return Error{ErrorCode::invalid_input, "password_long: at most 128 bytes"};
  }
  if (!is_typable(password)) {
    return Error{ErrorCode::invalid_input, "password_text: characters one can type"};
  }
  const std::size_t length = characters_in(password);
  if (length < kPasswordLengthMin || (is_digits(password) && length < kPasswordDigitsMin)) {
    return Error{ErrorCode::invalid_input,
                 "password_short: at least 8 characters, of digits alone 10"};
  }
  const std::string plain = lower(password);
  const bool known = std::ranges::find(kKnownToAll, plain) != kKnownToAll.end();
  // Two letters stand in many a word.
  const bool named = login.size() > 2 && plain.find(lower(login)) != std::string::npos;
  if (known || named || is_sequence(plain)) {
    return Error{ErrorCode::invalid_input, "password_simple: too easy to guess"};
  }
  return Done{};
}

void wipe(std::string& secret) {
  sodium_memzero(secret.data(), secret.size());
  secret.clear();
}

void wipe(Seed& seed) { sodium_memzero(seed.data(), seed.size()); }

}  // namespace duhui

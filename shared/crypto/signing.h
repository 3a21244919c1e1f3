#pragma once

#include <array>
#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/random.h"
#include "shared/base/result.h"

namespace duhui {

/// An Ed25519 public key: 32 bytes.
struct PublicKey {
  std::array<char, 32> bytes{};

  std::string_view view() const { return {bytes.data(), bytes.size()}; }
  std::string str() const { return std::string(view()); }
  friend auto operator<=>(const PublicKey&, const PublicKey&) = default;
  friend bool operator==(const PublicKey&, const PublicKey&) = default;

  /// Empty optional: not 32 bytes. Whether it is a point of the curve shows when it verifies.
  static std::optional<PublicKey> from_bytes(std::string_view view);
};

/// An Ed25519 key pair. The secret half is wiped when the object dies.
class SigningKey {
 public:
  static SigningKey generate(Random& random);
  /// Precondition of the array: 32 secret, random bytes.
  static SigningKey from_seed(const std::array<char, 32>& seed);
  /// The inverse of file_text(). corrupt_data: not a key file, or damaged.
  static Result<SigningKey> from_file_text(std::string_view text);

  SigningKey(const SigningKey&) = default;
  SigningKey& operator=(const SigningKey&) = default;
  ~SigningKey();

  const PublicKey& public_key() const { return public_key_; }
  const std::array<char, 32>& seed() const { return seed_; }
  /// One line with a checksum, for a file only its owner may read.
  std::string file_text() const;
  /// The signature (64 bytes) of `bytes`.
  std::string sign(std::string_view bytes) const;

 private:
  SigningKey() = default;

  std::array<char, 32> seed_{};
  std::array<char, 64> secret_{};  // libsodium's form: seed and public key
  PublicKey public_key_;
};

/// The signature (64 bytes) of `bytes`. Put a purpose in front of what you sign, so that a
/// signature for one purpose is never valid for another.
std::string sign(const SigningKey& key, std::string_view bytes);
/// False for a signature of a wrong length, too.
bool verify(const PublicKey& key, std::string_view bytes, std::string_view signature);

}  // namespace duhui

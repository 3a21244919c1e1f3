#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/ids.h"
#include "shared/base/random.h"
#include "shared/base/result.h"
#include "shared/crypto/signing.h"

namespace duhui {

/// What a device locks away with what the inspected school may not read: 32 bytes, wiped when they
/// go. The hub makes them out of its own key, so that it can open what any device has locked; a
/// device has them only while somebody is signed in who may.
class VaultKey {
 public:
  static VaultKey of_device(const SigningKey& hub, const DeviceId& device);
  /// Empty optional: not 32 bytes.
  static std::optional<VaultKey> from_bytes(std::string_view view);

  VaultKey(const VaultKey&) = default;
  VaultKey& operator=(const VaultKey&) = default;
  ~VaultKey();

  std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

  /// A fresh nonce, then XChaCha20-Poly1305 of `bytes`; `beside` is authenticated with them.
  std::string lock(std::string_view bytes, std::string_view beside, Random& random) const;
  /// How much longer what is locked is.
  static constexpr std::size_t kLockBytes = 24 + 16;
  /// `corrupt_data`: locked with another key, or beside something else, or damaged.
  Result<std::string> open(std::string_view locked, std::string_view beside) const;

  /// The same for the chunks of a file, which is named by the SHA-256 of its bytes: with a key of
  /// its own and the chunk's number as nonce, so that whoever locks it makes the same bytes.
  std::string lock_chunk(std::string_view sha256,
                         std::uint32_t chunk,
                         std::string_view bytes) const;
  Result<std::string> open_chunk(std::string_view sha256,
                                 std::uint32_t chunk,
                                 std::string_view locked) const;
  /// How much longer a locked chunk is.
  static constexpr std::size_t kChunkLockBytes = 16;

 private:
  VaultKey() = default;
  VaultKey of_file(std::string_view sha256) const;

  std::array<char, 32> bytes_{};
};

}  // namespace duhui

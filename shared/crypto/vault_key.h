#pragma once

#include <array>
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
  /// `corrupt_data`: locked with another key, or beside something else, or damaged.
  Result<std::string> open(std::string_view locked, std::string_view beside) const;

 private:
  VaultKey() = default;

  std::array<char, 32> bytes_{};
};

}  // namespace duhui

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "duhui/sync/v1/frame.pb.h"
#include "shared/base/ids.h"
#include "shared/base/random.h"
#include "shared/crypto/signing.h"
#include "shared/sync/payload_codec.h"

namespace duhui::hostile {

/// What the hub owes to an attack: the end of the session without an acknowledgement, an
/// acknowledgement (honest ops, to prove that the device is heard at all), that it does not
/// acknowledge (ops sent too early, which an honest device sends again), or only its health.
enum class Due : std::uint8_t { refusal, acknowledgement, silence, health };

struct Attack {
  std::string name;
  Due due = Due::refusal;
  /// In this order, without waiting for answers.
  std::vector<std::string> frames{};
  /// Right behind the hello, as the protocol lets an honest device do with its first ops.
  bool before_welcome = false;
  /// Reads nothing until all is sent.
  bool deaf = false;
};

/// An enrolled device with its own key and ticket that says a proper hello and then anything but
/// proper frames. Every batch is signed by it, so that what is wrong with it is found out as late
/// as possible. Each session has a stream of its own. Decides only; whoever drives it has the
/// connection.
class HostileDevice {
 public:
  /// Kinds of attacks.
  static constexpr std::uint64_t kKinds = 20;

  /// `ticket`: what a hello presents. `first`: the kind of attack it begins with.
  HostileDevice(std::uint64_t seed, std::uint64_t first, std::string ticket, std::string scope);

  /// For a new connection.
  std::string hello(std::string_view channel_binding);
  void welcomed() { ticket_.clear(); }
  /// Every kind in turn, with different content each time.
  Attack next();

 private:
  using Batch = sync::v1::Batch;

  Attack bomb(int kind);
  Attack columns(int kind);
  Attack counts();
  Attack far_ahead();
  Attack cut(int kind);
  Attack forged();
  Attack flood(int kind);
  Attack questions();
  Attack strange_ops();
  Attack honest();

  std::vector<std::string> some_ops(std::size_t count, std::size_t text_bytes);
  /// Packs ops of which `chain` is the right one.
  Batch packed(const std::vector<std::string>& ops);
  /// The frame of a batch with this payload, signed.
  std::string sealed(Batch batch);
  std::string garbage(std::size_t bytes);
  bool coin() { return random_.below(2) == 0; }

  SeededRandom random_;
  PayloadCodec codec_;
  const DeviceId id_;
  const SigningKey key_;
  std::string ticket_;
  const std::string scope_;
  Origin origin_;
  std::uint64_t turn_;
  std::uint64_t counts_turn_;
};

}  // namespace duhui::hostile

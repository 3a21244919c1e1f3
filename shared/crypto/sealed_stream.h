#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "shared/base/random.h"
#include "shared/base/result.h"
#include "shared/crypto/digest.h"

namespace duhui {

/// SHA-256 of what comes piece by piece.
class RunningDigest {
 public:
  RunningDigest();
  ~RunningDigest();
  RunningDigest(const RunningDigest&) = delete;
  RunningDigest& operator=(const RunningDigest&) = delete;

  void add(std::string_view bytes);
  /// Of all that was added so far; more may follow.
  Digest now() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// 32 secret bytes for one stream of pieces, wiped when they go.
class StreamKey {
 public:
  static StreamKey random(Random& random);
  /// invalid_input: not 32 bytes.
  static Result<StreamKey> from_bytes(std::string_view bytes);
  StreamKey(const StreamKey&) = default;
  StreamKey& operator=(const StreamKey&) = default;
  ~StreamKey();

  std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

 private:
  StreamKey() = default;
  std::array<char, 32> bytes_{};
};

/// What a piece grows by when it is sealed, and how long a stream's header is.
constexpr std::size_t kPieceOverhead = 17;
constexpr std::size_t kStreamHeaderSize = 24;

/// Seals a stream piece by piece (libsodium secretstream, XChaCha20-Poly1305): pieces cannot be
/// changed, dropped, swapped, or cut off at the end without the reader seeing it.
class PieceSealer {
 public:
  explicit PieceSealer(const StreamKey& key);
  ~PieceSealer();
  PieceSealer(const PieceSealer&) = delete;
  PieceSealer& operator=(const PieceSealer&) = delete;

  const std::string& header() const { return header_; }
  /// `beside` is authenticated with the piece and not in it.
  std::string seal(std::string_view piece, bool last, std::string_view beside = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::string header_;
};

class PieceOpener {
 public:
  /// invalid_input: `header` has a wrong length.
  static Result<std::unique_ptr<PieceOpener>> begin(const StreamKey& key, std::string_view header);
  ~PieceOpener();
  PieceOpener(const PieceOpener&) = delete;
  PieceOpener& operator=(const PieceOpener&) = delete;

  struct Piece {
    std::string bytes{};
    bool last = false;
  };
  /// corrupt_data: not the next piece of this stream. Nothing more can be opened then.
  Result<Piece> open(std::string_view sealed, std::string_view beside = {});

 private:
  PieceOpener();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace duhui

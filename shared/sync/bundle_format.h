#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "duhui/sync/v1/bundle.pb.h"
#include "shared/base/random.h"
#include "shared/base/result.h"
#include "shared/crypto/sealed_stream.h"
#include "shared/crypto/signing.h"

namespace duhui {

/// What a bundle's header says of its receiver.
std::string bundle_address(const PublicKey& receiver);
/// The binding that a device signs in the Hello of a bundle; no TLS channel has one of this length.
std::string bundle_binding(std::string_view bundle_id);
/// How long a part's file becomes that holds so many bytes before they are sealed; a little more at
/// most.
std::uint64_t bundle_file_bytes(std::uint64_t content_bytes);
/// What a frame takes in the content.
std::uint64_t bundle_item_bytes(std::uint64_t frame_bytes);

/// Makes one part of a bundle, front to back: bytes out, in order, to be appended to a file.
class BundleWriter {
 public:
  /// `head`: everything but `sealed_key` and `stream_header`. invalid_input: no key of a receiver.
  static Result<std::unique_ptr<BundleWriter>> begin(sync::v1::BundleHeader head,
                                                     const sync::v1::BundleOpening& opening,
                                                     const PublicKey& to,
                                                     const SigningKey& from,
                                                     Random& random);
  /// The next bytes of the file.
  std::string take() { return std::exchange(out_, {}); }
  std::size_t waiting() const { return out_.size(); }
  void add(std::string_view frame);
  /// The rest of the content and the trailer.
  void finish();
  /// Bytes of content so far, before they were sealed.
  std::uint64_t content_bytes() const { return content_bytes_; }

 private:
  BundleWriter(const StreamKey& key, const SigningKey& from) : sealer_(key), from_(from) {}
  void add_item(std::string_view bytes);
  void seal_piece(std::string_view piece, bool last);
  void append(std::string_view bytes);

  PieceSealer sealer_;
  const SigningKey from_;
  RunningDigest digest_;
  std::string beside_;  // authenticated with the first piece
  std::string content_;
  std::uint64_t content_bytes_ = 0;
  std::string out_;
};

/// Reads one part, front to back, from bytes as they come: holds one piece and one frame at most,
/// whatever the file claims.
///
///   head --(header is for us)--> body --(last piece)--> trailer --> done
///
/// Nothing of it is proven before done() and signed_by(): take frames to heart on a second reading
/// of the same bytes (the same digest()).
class BundleReader {
 public:
  /// `receiver` outlives the reader. `direction`: what is expected.
  BundleReader(const SigningKey& receiver, sync::v1::BundleDirection direction);

  using OnFrame = std::function<Status(std::string_view frame)>;
  /// The next bytes of the file. Errors: invalid_input (no bundle, or of an unknown version),
  /// refused (sealed for somebody else, the other direction), corrupt_data (torn or changed),
  /// limit_exceeded; or what `on_frame` said. Nothing more is read then.
  Status feed(std::string_view bytes, const OnFrame& on_frame);
  /// The file has ended. corrupt_data: too early.
  Status end() const;

  bool done() const { return state_ == State::done; }
  /// After the header was read; null before.
  const sync::v1::BundleHeader* header() const { return header_ ? &*header_ : nullptr; }
  const sync::v1::BundleOpening& opening() const { return opening_; }
  const Digest& digest() const { return digest_at_end_; }
  /// refused: the trailer was not signed with this key.
  Status signed_by(const PublicKey& sender) const;

 private:
  enum class State : std::uint8_t { magic, head, body, trailer, done };

  Status step(const OnFrame& on_frame, bool* more);
  Status read_header(std::string_view bytes);
  Status read_piece(std::string_view sealed, const OnFrame& on_frame);
  Status read_items(const OnFrame& on_frame);
  Status read_trailer(std::string_view bytes);

  const SigningKey& receiver_;
  const sync::v1::BundleDirection direction_;
  State state_ = State::magic;
  std::optional<Error> broken_;
  std::string in_;  // not read yet
  RunningDigest digest_;
  std::optional<sync::v1::BundleHeader> header_;
  std::string beside_;
  std::unique_ptr<PieceOpener> opener_;
  std::string content_;  // unsealed, not a whole item yet
  std::uint64_t content_bytes_ = 0;
  bool opened_ = false;
  sync::v1::BundleOpening opening_;
  Digest digest_at_end_;
  std::string signature_;
};

/// The header of a file from its first bytes (kHeaderBytesMax + 12 suffice): who, to whom, how
/// much; not proven by anything. invalid_input: no bundle.
Result<sync::v1::BundleHeader> peek_bundle(std::string_view first_bytes);

}  // namespace duhui

#include "shared/sync/bundle_format.h"

#include <algorithm>
#include <utility>

#include "shared/base/bytes.h"
#include "shared/crypto/sealing.h"
#include "shared/sync/bundle_limits.h"
#include "shared/sync/limits.h"

namespace duhui {
namespace {

constexpr std::string_view kMagic = "DUHUIB1\n";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kAddressSize = 16;
constexpr std::size_t kLengthSize = 4;
constexpr std::size_t kLastPieceMin = kPieceOverhead;

Error torn(std::string detail) { return {ErrorCode::corrupt_data, "bundle: " + std::move(detail)}; }

std::string with_length(std::string_view bytes) {
  std::string out;
  append_big_endian_32(out, static_cast<std::uint32_t>(bytes.size()));
  out.append(bytes);
  return out;
}

std::string trailer_statement(const Digest& digest) { return "duhui bundle v1\n" + digest.str(); }

std::size_t varint_size(std::uint64_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

Result<sync::v1::BundleHeader> parse_header(std::string_view bytes) {
  sync::v1::BundleHeader header;
  if (!header.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return torn("the header cannot be read");
  }
  if (header.version() != kVersion) {
    return Error{ErrorCode::invalid_input, "bundle: version " + std::to_string(header.version()) +
                                               "; this program reads version " +
                                               std::to_string(kVersion)};
  }
  const bool whole = header.bundle_id().size() == 16 && header.device_id().size() == 16 &&
                     header.to().size() == kAddressSize && header.part() >= 1 &&
                     header.part() <= header.parts() && header.parts() <= bundle_limits::kPartsMax;
  if (!whole) return torn("the header is not whole");
  return header;
}

}  // namespace

std::string bundle_address(const PublicKey& receiver) {
  return sha256(receiver.view()).str().substr(0, kAddressSize);
}

std::string bundle_binding(std::string_view bundle_id) {
  return "duhui bundle v1\n" + std::string(bundle_id);
}

std::uint64_t bundle_item_bytes(std::uint64_t frame_bytes) {
  return varint_size(frame_bytes) + frame_bytes;
}

std::uint64_t bundle_file_bytes(std::uint64_t content_bytes) {
  const std::uint64_t pieces = content_bytes / bundle_limits::kPieceBytes + 1;
  return content_bytes + pieces * (kLengthSize + kPieceOverhead) + 512;
}

// --- writing ---

Result<std::unique_ptr<BundleWriter>> BundleWriter::begin(sync::v1::BundleHeader head,
                                                          const sync::v1::BundleOpening& opening,
                                                          const PublicKey& to,
                                                          const SigningKey& from,
                                                          Random& random) {
  const StreamKey key = StreamKey::random(random);
  std::unique_ptr<BundleWriter> writer(new BundleWriter(key, from));
  DUHUI_TRY(sealed_key, seal(to, key.view()));
  head.set_version(kVersion);
  head.set_to(bundle_address(to));
  head.set_sealed_key(std::move(sealed_key));
  head.set_stream_header(writer->sealer_.header());
  writer->beside_ = std::string(kMagic) + with_length(head.SerializeAsString());
  writer->append(writer->beside_);
  writer->add_item(opening.SerializeAsString());
  return writer;
}

void BundleWriter::append(std::string_view bytes) {
  digest_.add(bytes);
  out_.append(bytes);
}

void BundleWriter::seal_piece(std::string_view piece, bool last) {
  append(with_length(sealer_.seal(piece, last, beside_)));
  beside_.clear();
}

void BundleWriter::add_item(std::string_view bytes) {
  const std::size_t before = content_.size();
  append_varint(content_, bytes.size());
  content_.append(bytes);
  content_bytes_ += content_.size() - before;
  std::size_t at = 0;
  for (; content_.size() - at >= bundle_limits::kPieceBytes; at += bundle_limits::kPieceBytes) {
    seal_piece(std::string_view(content_).substr(at, bundle_limits::kPieceBytes), false);
  }
  content_.erase(0, at);
}

void BundleWriter::add(std::string_view frame) { add_item(frame); }

void BundleWriter::finish() {
  seal_piece(content_, true);
  content_.clear();
  sync::v1::BundleTrailer trailer;
  const Digest digest = digest_.now();
  trailer.set_digest(digest.str());
  trailer.set_signature(from_.sign(trailer_statement(digest)));
  out_.append(with_length(trailer.SerializeAsString()));
}

// --- reading ---

BundleReader::BundleReader(const SigningKey& receiver, sync::v1::BundleDirection direction)
    : receiver_(receiver), direction_(direction) {}

Status BundleReader::feed(std::string_view bytes, const OnFrame& on_frame) {
  if (broken_) return *broken_;
  // What is kept of the file never grows beyond a piece.
  constexpr std::size_t kSlice = 16 << 10;
  for (bool first = true; first || !bytes.empty(); first = false) {
    in_.append(bytes.substr(0, kSlice));
    bytes.remove_prefix(std::min(bytes.size(), kSlice));
    for (bool more = true; more;) {
      if (auto read = step(on_frame, &more); !read) {
        broken_ = read.error();
        return read;
      }
    }
  }
  return Done{};
}

Status BundleReader::step(const OnFrame& on_frame, bool* more) {
  *more = false;
  if (state_ == State::done) {
    return in_.empty() ? Status(Done{}) : torn("something follows its end");
  }
  if (state_ == State::magic) {
    const std::size_t there = std::min(in_.size(), kMagic.size());
    if (std::string_view(in_).substr(0, there) != kMagic.substr(0, there)) {
      return Error{ErrorCode::invalid_input, "bundle: not a bundle file"};
    }
    if (in_.size() < kMagic.size()) return Done{};
    digest_.add(kMagic);
    in_.erase(0, kMagic.size());
    state_ = State::head;
  }
  if (in_.size() < kLengthSize) return Done{};
  const std::size_t length = read_big_endian_32(in_);
  const std::size_t most = state_ == State::head   ? bundle_limits::kHeaderBytesMax
                           : state_ == State::body ? bundle_limits::kPieceBytes + kPieceOverhead
                                                   : bundle_limits::kTrailerBytesMax;
  if (length > most || (state_ == State::body && length < kLastPieceMin)) {
    return torn("a length that cannot be");
  }
  if (in_.size() < kLengthSize + length) return Done{};
  const std::string part = in_.substr(0, kLengthSize + length);
  in_.erase(0, part.size());
  const std::string_view inside = std::string_view(part).substr(kLengthSize);
  *more = true;
  if (state_ == State::trailer) return read_trailer(inside);
  digest_.add(part);
  return state_ == State::head ? read_header(inside) : read_piece(inside, on_frame);
}

Status BundleReader::read_header(std::string_view bytes) {
  DUHUI_TRY(header, parse_header(bytes));
  header_ = header;
  if (header.direction() != direction_) {
    return Error{ErrorCode::refused, direction_ == sync::v1::BUNDLE_DIRECTION_TO_HUB
                                         ? "bundle: for a device, not for a hub"
                                         : "bundle: for a hub, not for a device"};
  }
  if (header.to() != bundle_address(receiver_.public_key())) {
    return Error{ErrorCode::refused, direction_ == sync::v1::BUNDLE_DIRECTION_TO_HUB
                                         ? "bundle: for another hub"
                                         : "bundle: for another device"};
  }
  auto key_bytes = unseal(receiver_, header.sealed_key());
  if (!key_bytes) return torn("its key cannot be opened");
  auto key = StreamKey::from_bytes(*key_bytes);
  if (!key) return torn("its key cannot be opened");
  auto opener = PieceOpener::begin(*key, header.stream_header());
  if (!opener) return torn("its header cannot be read");
  opener_ = std::move(*opener);
  beside_ = std::string(kMagic) + with_length(bytes);
  state_ = State::body;
  return Done{};
}

Status BundleReader::read_piece(std::string_view sealed, const OnFrame& on_frame) {
  auto piece = opener_->open(sealed, beside_);
  if (!piece) return torn("a piece was changed, or one is missing");
  beside_.clear();
  content_.append(piece->bytes);
  content_bytes_ += piece->bytes.size();
  if (!piece->last && piece->bytes.size() != bundle_limits::kPieceBytes) {
    return torn("a piece that is too short");
  }
  DUHUI_CHECK_OK(read_items(on_frame));
  if (!piece->last) return Done{};
  if (!content_.empty() || !opened_) return torn("its content ends in the middle");
  if (content_bytes_ != header_->bytes()) return torn("its content is not as long as it says");
  digest_at_end_ = digest_.now();
  state_ = State::trailer;
  return Done{};
}

Status BundleReader::read_items(const OnFrame& on_frame) {
  std::string_view rest = content_;
  for (;;) {
    std::string_view item = rest;
    const auto length = take_varint(item);
    // A length takes 10 bytes at most.
    if (!length && rest.size() >= 10) return torn("a length that cannot be");
    if (!length) break;
    const std::size_t most =
        opened_ ? sync_limits::kFrameBytesMax : bundle_limits::kOpeningBytesMax;
    if (*length > most) return Error{ErrorCode::limit_exceeded, "bundle: too long a frame"};
    if (item.size() < *length) break;
    const std::string_view bytes = item.substr(0, *length);
    if (opened_) {
      DUHUI_CHECK_OK(on_frame(bytes));
    } else {
      opened_ = true;
      if (!opening_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return torn("its opening cannot be read");
      }
    }
    rest = item.substr(*length);
  }
  content_.erase(0, content_.size() - rest.size());
  return Done{};
}

Status BundleReader::read_trailer(std::string_view bytes) {
  sync::v1::BundleTrailer trailer;
  if (!trailer.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      trailer.SerializeAsString() != bytes) {
    return torn("its trailer cannot be read");
  }
  if (trailer.digest() != digest_at_end_.view()) return torn("it was changed");
  signature_ = trailer.signature();
  state_ = State::done;
  return Done{};
}

Status BundleReader::end() const {
  if (broken_) return *broken_;
  if (state_ == State::magic && in_.empty()) return torn("an empty file");
  return state_ == State::done ? Status(Done{}) : torn("it ends in the middle");
}

Status BundleReader::signed_by(const PublicKey& sender) const {
  if (!done()) return torn("it ends in the middle");
  if (verify(sender, trailer_statement(digest_at_end_), signature_)) return Done{};
  return Error{ErrorCode::refused, "bundle: not signed by who it says it is from"};
}

Result<sync::v1::BundleHeader> peek_bundle(std::string_view first_bytes) {
  const Error foreign{ErrorCode::invalid_input, "bundle: not a bundle file"};
  if (!first_bytes.starts_with(kMagic)) return foreign;
  first_bytes.remove_prefix(kMagic.size());
  if (first_bytes.size() < kLengthSize) return torn("it ends in the middle");
  const std::size_t length = read_big_endian_32(first_bytes);
  if (length > bundle_limits::kHeaderBytesMax) return torn("a length that cannot be");
  first_bytes.remove_prefix(kLengthSize);
  if (first_bytes.size() < length) return torn("it ends in the middle");
  return parse_header(first_bytes.substr(0, length));
}

}  // namespace duhui

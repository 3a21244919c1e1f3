#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/bundle_delivery.h"
#include "agent/core/bundle_source.h"
#include "duhui/record/v1/visit.pb.h"
#include "hub/core/bundle_making.h"
#include "hub/core/bundle_taking.h"
#include "hub/core/hub_core.h"
#include "shared/base/bytes.h"
#include "shared/merge/schema.h"
#include "shared/sync/bundle_format.h"
#include "shared/sync/frame_codec.h"
#include "shared/sync/limits.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/no_rules.h"
#include "tests/support/memory_blob_store.h"
#include "tests/support/memory_hub_store.h"
#include "tests/support/memory_store.h"

namespace duhui::fuzz {

/// A device with a photo, and its hub, that only meet by stick: what is on the sticks is bent, left
/// out, repeated and shuffled by somebody who can sign.
class FilesByStick {
 public:
  /// `files_only`: nothing but offers, pieces and their answers is bent.
  explicit FilesByStick(bool files_only) : files_only_(files_only) {
    auto opened = agent::Replica::open(store_, journal_, random_, clock(), false);
    require(opened.has_value(), "the device opens");
    replica_ = std::move(*opened);
    replica_->keep_files(files_, locked_);
    content_.resize(2 * sync_limits::kChunkBytes + 10);
    random_.fill(content_.data(), content_.size());
    name_ = {sha256(content_), content_.size(), {}};
    name_.record.bytes.fill('r');
    files_.whole[name_.sha256] = content_;
    save();
    hub::DeviceRow row;
    row.id = identity_.id;
    row.public_key = identity_.key.public_key().str();
    row.scopes = {"city"};
    const auto put = [&](hub::HubTransaction& tx) { return tx.devices().put(row); };
    require(hub_store_.write(put).has_value(), "a device is enrolled");
  }

  /// There and back, any number of times.
  void exchange(Input& input) {
    for (int n = 0; n < 4 && !input.empty(); ++n) {
      import_at_hub(bent(exported(), input));
      import_at_device(bent(answered(), input));
      check();
    }
  }
  /// As it should be: what spoilt the parts of the file is found when they are whole.
  void finish() {
    for (int n = 0; n < 4; ++n) {
      import_at_hub(exported());
      import_at_device(answered());
    }
    check();
    require(hub_files_.whole.contains(name_.sha256), "the file comes through in the end");
    require(has_receipt(), "and is signed for");
  }

 private:
  static ClockReading clock() { return {.wall = {kNow}, .monotonic = {1000}, .boot = 1}; }

  void save() {
    record::v1::VisitRecord visit;
    visit.add_attachments()->set_id("p1");
    visit.mutable_attachments(0)->set_sha256(to_hex(name_.sha256.view()));
    visit.mutable_attachments(0)->set_size(name_.size);
    const RecordSchema& schema = *Schema::instance().find("visit_record");
    Intent intent;
    intent.record = name_.record;
    intent.type = schema.rule.type();
    intent.creates = true;
    intent.scope = "city/school";
    intent.person = "wang";
    const auto fragments = split(schema, visit);
    for (const Fragment& one : *fragments) intent.writes.push_back({one.key, one.value});
    require(replica_->save({intent}, clock()).has_value(), "the device saves");
  }

  std::vector<std::string> exported() {
    auto source =
        agent::BundleSource::begin(*replica_, identity_, "fuzz", kBundle, clock(), "fuzz");
    require(source.has_value(), "a bundle can be begun");
    opening_ = (*source)->opening();
    std::vector<std::string> frames = (*source)->greeting();
    for (;;) {
      auto frame = (*source)->next();
      require(frame.has_value(), "a bundle can be made");
      if (!*frame) return frames;
      frames.push_back(std::move((**frame).bytes));
    }
  }

  std::vector<std::string> answered() {
    std::vector<std::string> frames;
    hub::Told told;
    const auto read = [&](hub::HubTransaction& tx) -> Status {
      DUHUI_TRY(row, tx.devices().get(identity_.id));
      DUHUI_TRY(said, hub::told_by(tx, *row));
      told = std::move(said);
      return Done{};
    };
    require(hub_store_.read(read).has_value(), "what a device told can be read");
    answer_.set_acknowledged(told.hello.acknowledged().seq());
    hub::BundleMaking making(told,
                             [&](std::string_view frame, std::uint64_t, std::uint64_t) -> Status {
                               frames.emplace_back(frame);
                               return Done{};
                             });
    // What it told may have been bent as well: then there is no answer.
    return talk(making) ? frames : std::vector<std::string>{};
  }

  /// Frames of the bundle in some order, some of them changed in one place.
  std::vector<std::string> bent(const std::vector<std::string>& frames, Input& input) const {
    if (frames.empty()) return frames;
    std::vector<std::string> out{frames.front()};
    for (std::size_t left = input.byte() % 12; left > 0; --left) {
      const std::uint8_t how = input.byte();
      std::string frame = frames[input.byte() % frames.size()];
      if (how % 4 == 0) frame = input.part();
      if (how % 4 == 1) {
        // Near its beginning and its end are the fields.
        const std::size_t place = input.byte() % std::min<std::size_t>(frame.size(), 120);
        frame[how % 8 == 1 ? place : frame.size() - 1 - place] ^=
            static_cast<char>(1 << (input.byte() % 8));
      }
      if (how % 4 == 2) bend_piece(frame, input);
      if (how % 4 < 2 && files_only_ && !is_of_file(frame)) continue;
      out.push_back(std::move(frame));
    }
    return out;
  }

  static bool is_of_file(std::string_view bytes) {
    const auto frame = decode_frame(bytes);
    return frame && (frame->has_blob_offer() || frame->has_blob_piece() || frame->has_blob_want() ||
                     frame->has_blob_end());
  }

  /// A piece whose sum is right for what it holds.
  static void bend_piece(std::string& bytes, Input& input) {
    auto frame = decode_frame(bytes);
    if (!frame || !frame->has_blob_piece()) return;
    sync::v1::BlobPiece& piece = *frame->mutable_blob_piece();
    const std::uint8_t what = input.byte();
    if (what % 2 == 0 && !piece.data().empty()) {
      (*piece.mutable_data())[input.byte() % piece.data().size()] ^= 1;
    }
    if (what % 3 == 0) piece.set_chunk(input.byte() % 4);
    if (what % 5 == 0) piece.set_locked(true);
    if (what % 7 == 0) piece.mutable_data()->resize(input.byte());
    piece.set_chunk_crc(crc32c(piece.data()));
    bytes = encode_frame(*frame);
  }

  void import_at_hub(const std::vector<std::string>& frames) {
    sync::v1::BundleHeader header;
    header.set_bundle_id(kBundle);
    header.set_device_id(identity_.id.str());
    std::size_t at = 0;
    hub::BundleTaking taking(header, opening_, [&]() -> Result<std::optional<std::string>> {
      if (at == frames.size()) return std::optional<std::string>{};
      return std::optional<std::string>(frames[at++]);
    });
    if (!talk(taking)) return;
    const auto keep = [&](hub::HubTransaction& tx) {
      return hub::remember_told(tx, taking.told());
    };
    require(hub_store_.write(keep).has_value(), "what a device told can be kept");
  }

  bool talk(hub::HubPeer& peer) {
    hub::HubCore core(hub_identity_, "fuzz");
    hub::StorageContext context{hub_store_, ops_, rules_, random_, hub_identity_.key, &hub_files_};
    hub_now_ += 1000;
    return hub::converse(core, context, peer, {.wall = {hub_now_}, .monotonic = {1}, .boot = 1})
        .has_value();
  }

  void import_at_device(const std::vector<std::string>& frames) {
    agent::BundleDelivery delivery(*replica_, answer_);
    for (const std::string& frame : frames) {
      if (!delivery.take(frame)) return;
    }
  }

  bool has_receipt() {
    const auto known = replica_->blobs().find(name_.sha256, name_.record);
    return known && *known && (*known)->has_receipt();
  }

  void check() {
    for (const auto& [digest, content] : hub_files_.whole) {
      require(sha256(content) == digest, "a file of the hub is what its hash says");
    }
    if (has_receipt()) {
      require(hub_files_.whole.contains(name_.sha256), "no receipt without the file");
    }
    const auto record = replica_->record(name_.record);
    require(record && record->has_value(), "what was saved is there");
    require(files_.whole.contains(name_.sha256), "and the photo");
  }

  static constexpr std::int64_t kNow = 1'760'000'000'000;
  inline static const std::string kBundle = std::string(16, 'b');

  const bool files_only_;
  SeededRandom random_{7};
  agent::DeviceIdentity identity_{DeviceId::random(random_), SigningKey::generate(random_), {}};
  hub::HubIdentity hub_identity_{HubId::random(random_), SigningKey::generate(random_),
                                 Origin::random(random_)};
  agent::MemoryDisk disk_;
  agent::MemoryKvStore store_{disk_};
  agent::MemoryJournal journal_{disk_};
  MemoryBlobStore files_;
  MemoryBlobStore locked_;
  std::unique_ptr<agent::Replica> replica_;
  std::string content_;
  BlobName name_;
  sync::v1::BundleOpening opening_;
  sync::v1::BundleOpening answer_;
  hub::MemoryHubStore hub_store_;
  MemoryBlobStore hub_files_;
  hub::OpReader ops_{1 << 20};
  NoRules rules_;
  std::int64_t hub_now_ = kNow;
};

}  // namespace duhui::fuzz

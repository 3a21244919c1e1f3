// Photos and documents between the cores of agent and hub, by stick, and half by stick and half by
// a link that breaks.

#include <numeric>

#include "shared/crypto/sealing.h"
#include "shared/sync/limits.h"
#include "tests/scenarios/bundle_fixture.h"

namespace duhui {
namespace {

using sync::v1::Frame;
using sync_limits::kChunkBytes;

/// A device and its files.
struct Camera {
  explicit Camera(std::uint64_t seed) : device(seed) {
    locked.locked = true;
    open();
  }
  void open() {
    device.open();
    device.replica->keep_files(files, locked);
  }

  /// A visit record of this device names a photo of `size` bytes.
  BlobName photograph(char record, std::size_t size) {
    std::string content(size, '\0');
    device.random.fill(content.data(), content.size());
    const Digest digest = sha256(content);
    files.whole[digest] = content;
    record::v1::VisitRecord visit;
    auto* attachment = visit.add_attachments();
    attachment->set_id("p" + std::to_string(++photos));
    attachment->set_sha256(to_hex(digest.view()));
    attachment->set_size(size);
    const RecordSchema& schema = *Schema::instance().find("visit_record");
    Intent intent = device.intent(record, "");
    intent.type = schema.rule.type();
    intent.writes.clear();
    const auto fragments = split(schema, visit);
    for (const Fragment& one : *fragments) intent.writes.push_back({one.key, one.value});
    const auto saved = device.replica->save({intent}, device.clock());
    EXPECT_TRUE(saved) << to_string(saved.error());
    contents[digest] = std::move(content);
    return {digest, size, agent::record_id(record)};
  }
  std::uint64_t waiting() { return device.replica->blobs().waiting()->files; }
  bool has_receipt(const BlobName& name) {
    auto known = device.replica->blobs().find(name.sha256, name.record);
    return known && *known && (*known)->has_receipt();
  }

  TestDevice device;
  MemoryBlobStore files;
  MemoryBlobStore locked;
  std::map<Digest, std::string> contents;
  int photos = 0;
};

std::uint64_t piece_bytes(const std::vector<std::string>& frames) {
  std::uint64_t bytes = 0;
  for (const std::string& frame : frames) {
    const auto decoded = decode_frame(frame);
    if (decoded && decoded->has_blob_piece()) bytes += decoded->blob_piece().data().size();
  }
  return bytes;
}

std::size_t count(const std::vector<std::string>& frames, Frame::BodyCase kind) {
  return static_cast<std::size_t>(std::ranges::count_if(frames, [kind](const std::string& frame) {
    const auto decoded = decode_frame(frame);
    return decoded && decoded->body_case() == kind;
  }));
}

class FilesByStick : public Bundles {
 protected:
  FilesByStick() { enrol(hub, camera.device); }

  /// The parts of a bundle as an export cuts them.
  std::vector<Carried> parts_of(Camera& from, std::uint64_t part_bytes) {
    const std::string id(16, static_cast<char>('A' + bundles_++));
    auto source = *BundleSource::begin(*from.device.replica, from.device.identity, "school", id,
                                       from.device.clock(), "test");
    BundlePlan plan(*source, part_bytes);
    for (auto frame = source->next(); frame && *frame; frame = source->next()) plan.add(**frame);
    source->rewind();
    std::vector<Carried> parts;
    for (const PartPlan& part : plan.parts()) {
      Carried carried{.opening = source->opening(), .frames = source->greeting()};
      carried.header.set_bundle_id(id);
      carried.header.set_device_id(from.device.identity.id.str());
      carried.header.set_files(part.files);
      for (std::uint64_t n = 0; n < part.frames; ++n) {
        const auto frame = source->next();
        EXPECT_TRUE(frame && *frame);
        if (n == 0 && !(**frame).behind.empty()) carried.frames.push_back((**frame).behind);
        carried.frames.push_back((**frame).bytes);
      }
      EXPECT_EQ(carried.header.files(), count(carried.frames, Frame::kBlobOffer));
      parts.push_back(std::move(carried));
    }
    return parts;
  }

  /// Over a link on which nothing more gets through to the hub after so many bytes of pieces; how
  /// many did. What the hub has said is heard: on a real one a fifth of a second of pieces is not.
  std::uint64_t link(std::uint64_t breaks_after = ~0ull) {
    TestDevice& device = camera.device;
    agent::SyncSession session(*device.replica, device.identity, "test");
    const hub::SessionId id = hub.open();
    std::vector<agent::Effect> effects = session.link_up("binding", device.clock());
    std::uint64_t sent = 0;
    for (std::size_t heard = 0;;) {
      for (const agent::Effect& effect : effects) {
        const auto* send = std::get_if<agent::Send>(&effect);
        if (send == nullptr) continue;
        const std::uint64_t bytes = piece_bytes({send->frame});
        if (bytes > 0 && sent >= breaks_after) continue;
        sent += bytes;
        hub.say_bytes(id, send->frame);
      }
      effects.clear();
      auto& frames = hub.heard[id];
      if (heard == frames.size()) break;
      effects = session.received(encode_frame(frames[heard++]), device.clock());
    }
    static_cast<void>(session.link_down(device.clock()));
    hub.perform(hub.core.closed(id));
    return sent;
  }

  void take_answer(std::uint64_t receipts) {
    hub_time_.ms += 60'000;
    BundleDelivery::Outcome outcome;
    const Status taken = import_from(camera.device, answer_of(hub, camera.device), &outcome);
    ASSERT_TRUE(taken) << to_string(taken.error());
    EXPECT_EQ(outcome.receipts, receipts);
  }

  bool at_hub(const BlobName& name) {
    const auto at = hub.files.whole.find(name.sha256);
    return at != hub.files.whole.end() && at->second == camera.contents.at(name.sha256);
  }

  hub::TestHub hub;
  Camera camera{1};
};

TEST_F(FilesByStick, TheHubEndsAsAfterTheSameConversationOverALink) {
  const BlobName big = camera.photograph('a', 5 * kChunkBytes + 77);
  const BlobName small = camera.photograph('b', 10);
  hub::TestHub by_stick;
  enrol(by_stick, camera.device);
  const Carried carried = export_from(camera.device);
  const auto outcome = import_at(by_stick, carried);
  EXPECT_EQ(outcome.taken, 2u);
  EXPECT_EQ(outcome.files.kept, 2u);
  EXPECT_EQ(outcome.files.waiting, 0u);
  EXPECT_EQ(outcome.files.bytes, big.size + small.size);
  EXPECT_EQ(camera.waiting(), 2u) << "nothing counts before the receipts are here";
  hub.now = 60'000;
  EXPECT_EQ(link(), big.size + small.size);
  EXPECT_EQ(by_stick.store.state().records, hub.store.state().records);
  EXPECT_EQ(by_stick.store.state().links, hub.store.state().links);
  EXPECT_EQ(by_stick.feed(agent::kScope).checksum, hub.feed(agent::kScope).checksum);
  EXPECT_EQ(by_stick.files.whole, hub.files.whole);
  EXPECT_EQ(by_stick.files.whole, camera.contents);
  // Text goes first.
  const auto kind_of = [](const std::string& frame) { return decode_frame(frame)->body_case(); };
  EXPECT_EQ(kind_of(carried.frames.at(0)), Frame::kHello);
  EXPECT_EQ(kind_of(carried.frames.at(1)), Frame::kBatch);
  EXPECT_EQ(kind_of(carried.frames.at(2)), Frame::kBlobOffer);
}

TEST_F(FilesByStick, CountAsDeliveredWhenTheHubsReceiptIsBroughtBack) {
  const BlobName photo = camera.photograph('a', 2 * kChunkBytes);
  import_at(hub, export_from(camera.device));
  ASSERT_TRUE(at_hub(photo));
  EXPECT_FALSE(camera.has_receipt(photo));
  take_answer(1);
  EXPECT_TRUE(camera.has_receipt(photo));
  EXPECT_EQ(camera.waiting(), 0u);
  EXPECT_EQ(count(export_from(camera.device).frames, Frame::kBlobOffer), 0u);
  // Over a link there is nothing left to do either.
  EXPECT_EQ(link(), 0u);
}

TEST_F(FilesByStick, AReceiptThatTheHubDidNotSignIsRefused) {
  const BlobName photo = camera.photograph('a', 100);
  import_at(hub, export_from(camera.device));
  hub_time_.ms += 1'000;
  Carried answer = answer_of(hub, camera.device);
  Frame last = *decode_frame(answer.frames.back());
  ASSERT_TRUE(last.has_blob_end());
  last.mutable_blob_end()->mutable_receipt()->mutable_signature()->at(3) ^= 1;
  answer.frames.back() = encode_frame(last);
  const Status taken = import_from(camera.device, answer);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::refused);
  EXPECT_FALSE(camera.has_receipt(photo));
}

TEST_F(FilesByStick, PartsComeShuffledTwiceAndTorn) {
  const std::vector<BlobName> photos = {camera.photograph('a', 9 * kChunkBytes + 1),
                                        camera.photograph('a', 300),
                                        camera.photograph('b', 7 * kChunkBytes)};
  const std::vector<Carried> parts = parts_of(camera, 3 * kChunkBytes);
  ASSERT_GT(parts.size(), 5u);
  SeededRandom random(4);
  std::uint64_t bytes = 0;
  for (std::size_t n = 0; n < 20 * parts.size(); ++n) {
    bytes += import_at(hub, parts[random.below(parts.size())]).files.bytes;
  }
  for (const BlobName& photo : photos) EXPECT_TRUE(at_hub(photo));
  EXPECT_EQ(bytes, photos[0].size + photos[1].size + photos[2].size) << "no chunk is taken twice";
  take_answer(3);
  EXPECT_EQ(camera.waiting(), 0u);
}

TEST_F(FilesByStick, PiecesBeforeTheRecordThatNamesThemWaitForIt) {
  const BlobName photo = camera.photograph('a', 4 * kChunkBytes);
  const std::vector<Carried> parts = parts_of(camera, 2 * kChunkBytes);
  ASSERT_GE(parts.size(), 2u);
  const auto early = import_at(hub, parts.back());
  EXPECT_EQ(early.files.waiting, 1u);
  EXPECT_EQ(early.files.bytes, 0u);
  EXPECT_EQ(early.files.why, "no record of yours names it");
  EXPECT_TRUE(hub.files.parts.empty());
  for (const Carried& part : parts) import_at(hub, part);
  EXPECT_TRUE(at_hub(photo));
}

TEST_F(FilesByStick, HalfByALinkAndTheRestByStickIsSentOnce) {
  const BlobName photo = camera.photograph('a', 64 * kChunkBytes + 5);
  const std::uint64_t by_link = link(photo.size / 2);
  EXPECT_FALSE(at_hub(photo));
  camera.open();  // the program starts anew: what the hub has is on the disk
  const Carried carried = export_from(camera.device);
  const std::uint64_t by_stick = piece_bytes(carried.frames);
  EXPECT_LT(by_stick, photo.size * 6 / 10);
  EXPECT_EQ(import_at(hub, carried).files.kept, 1u);
  EXPECT_TRUE(at_hub(photo));
  EXPECT_LE(static_cast<double>(by_link + by_stick), 1.03 * static_cast<double>(photo.size));
  take_answer(1);
}

TEST_F(FilesByStick, HalfByStickAndTheRestByALinkIsSentOnce) {
  const BlobName photo = camera.photograph('a', 64 * kChunkBytes + 5);
  const std::vector<Carried> parts = parts_of(camera, photo.size / 2);
  ASSERT_GE(parts.size(), 2u);
  import_at(hub, parts[0]);  // the others are lost
  EXPECT_FALSE(at_hub(photo));
  const std::uint64_t by_link = link();
  EXPECT_TRUE(at_hub(photo));
  EXPECT_TRUE(camera.has_receipt(photo));
  const std::uint64_t all = piece_bytes(parts[0].frames) + by_link;
  EXPECT_LE(static_cast<double>(all), 1.03 * static_cast<double>(photo.size));
}

TEST_F(FilesByStick, TheLastHalfByStickAndTheFirstByALinkIsSentOnce) {
  const BlobName photo = camera.photograph('a', 64 * kChunkBytes + 5);
  const std::uint64_t begun = link(5 * kChunkBytes + 100);  // the records, and a little
  const std::vector<Carried> parts = parts_of(camera, photo.size / 2);
  ASSERT_GE(parts.size(), 2u);
  import_at(hub, parts.back());
  EXPECT_FALSE(at_hub(photo));
  const std::uint64_t all = begun + piece_bytes(parts.back().frames) + link();
  EXPECT_TRUE(at_hub(photo));
  EXPECT_LE(static_cast<double>(all), 1.03 * static_cast<double>(photo.size));
}

TEST_F(FilesByStick, WhatTheHubTookOfATornBundleIsNotExportedAgain) {
  const BlobName photo = camera.photograph('a', 20 * kChunkBytes);
  const std::vector<Carried> parts = parts_of(camera, 8 * kChunkBytes);
  import_at(hub, parts.at(0));
  take_answer(0);
  const std::uint64_t rest = piece_bytes(export_from(camera.device).frames);
  EXPECT_EQ(rest, photo.size - piece_bytes(parts.at(0).frames));
}

TEST_F(FilesByStick, ChunksThatAHubLostInACrashComeWithTheNextBundle) {
  const BlobName photo = camera.photograph('a', 40 * kChunkBytes);
  link(photo.size / 2);
  hub.files.parts.clear();
  EXPECT_EQ(import_at(hub, export_from(camera.device)).files.kept, 0u);
  take_answer(0);
  EXPECT_EQ(import_at(hub, export_from(camera.device)).files.kept, 1u);
  EXPECT_TRUE(at_hub(photo));
}

TEST_F(FilesByStick, AReceiptThatWasLostIsBroughtByStickWithoutAByte) {
  const BlobName photo = camera.photograph('a', 3 * kChunkBytes);
  import_at(hub, export_from(camera.device));
  const auto outcome = import_at(hub, export_from(camera.device));
  EXPECT_EQ(outcome.files.known, 1u);
  EXPECT_EQ(outcome.files.bytes, 0u);
  take_answer(1);
  EXPECT_TRUE(camera.has_receipt(photo));
}

TEST_F(FilesByStick, AHubThatWasPutBackIsSentTheFilesAgain) {
  camera.device.save_all("x");
  exchange(hub, camera.device);
  const auto before = hub.store.state();
  const BlobName photo = camera.photograph('a', 3 * kChunkBytes);
  exchange(hub, camera.device);
  ASSERT_TRUE(camera.has_receipt(photo));
  hub.store.restore(before);
  hub.files.whole.clear();
  camera.device.save_all("y");
  for (int n = 0; n < 3; ++n) exchange(hub, camera.device);
  EXPECT_TRUE(at_hub(photo));
  EXPECT_TRUE(camera.has_receipt(photo));
}

TEST_F(FilesByStick, LockedFilesGoAsTheyLieAndTheHubOpensThem) {
  SigningKey wang = SigningKey::generate(camera.device.random);
  const VaultKey key = VaultKey::of_device(hub.identity.key, camera.device.identity.id);
  sync::v1::Vault vault;
  sync::v1::Vault::Keeper* keeper = vault.add_keepers();
  keeper->set_user_id("wang");
  keeper->set_public_key(wang.public_key().str());
  keeper->set_sealed_key(*seal(wang.public_key(), key.view()));
  ASSERT_TRUE(camera.device.replica->keep_vault(vault));
  ASSERT_TRUE(camera.device.replica->unlock_vault(wang));
  const BlobName photo = camera.photograph('a', 6 * kChunkBytes + 9);
  ASSERT_TRUE(camera.files.whole.empty()) << "it lies locked";
  camera.device.replica->lock_vault();
  const Carried carried = export_from(camera.device);
  const std::string plain = camera.contents.at(photo.sha256).substr(0, 64);
  for (const std::string& frame : carried.frames) EXPECT_EQ(frame.find(plain), std::string::npos);
  EXPECT_EQ(import_at(hub, carried).files.kept, 1u);
  EXPECT_TRUE(at_hub(photo));
  take_answer(1);
}

TEST_F(FilesByStick, ADamagedFileHoldsUpNothingElse) {
  const BlobName photo = camera.photograph('a', 3 * kChunkBytes);
  const BlobName other = camera.photograph('b', 3 * kChunkBytes);
  const BlobName gone = camera.photograph('c', 50);
  camera.files.whole.erase(gone.sha256);
  auto source = *BundleSource::begin(*camera.device.replica, camera.device.identity, "school",
                                     std::string(16, 'z'), camera.device.clock(), "test");
  EXPECT_EQ(source->files(), 2u);
  camera.files.whole.at(photo.sha256).resize(kChunkBytes + 5);
  Carried carried{.opening = source->opening(), .frames = source->greeting()};
  carried.header.set_bundle_id(std::string(16, 'z'));
  carried.header.set_device_id(camera.device.identity.id.str());
  std::size_t planned = 0;
  for (auto frame = source->next(); frame && *frame; frame = source->next()) ++planned;
  source->rewind();
  for (auto frame = source->next(); frame && *frame; frame = source->next()) {
    carried.frames.push_back((**frame).bytes);
  }
  EXPECT_EQ(carried.frames.size(), planned + source->greeting().size());
  const auto outcome = import_at(hub, carried);
  EXPECT_EQ(outcome.files.kept, 1u);
  EXPECT_EQ(outcome.files.bytes, other.size + kChunkBytes);
  EXPECT_TRUE(at_hub(other));
}

TEST_F(FilesByStick, WhatIsFoundDamagedWhileItIsWrittenEndsTheExport) {
  const BlobName photo = camera.photograph('a', 3 * kChunkBytes);
  auto source = *BundleSource::begin(*camera.device.replica, camera.device.identity, "school",
                                     std::string(16, 'z'), camera.device.clock(), "test");
  for (auto frame = source->next(); frame && *frame; frame = source->next()) {}
  source->rewind();
  camera.files.whole.erase(photo.sha256);
  Result<std::optional<CarriedFrame>> last = std::optional<CarriedFrame>{};
  for (last = source->next(); last && *last;) last = source->next();
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, ErrorCode::unavailable);
}

TEST_F(FilesByStick, NobodyBringsAFileOfARecordThatIsNotTheirs) {
  camera.photograph('a', 2 * kChunkBytes);
  const Carried own = export_from(camera.device);
  import_at(hub, {.header = own.header,
                  .opening = own.opening,
                  .frames = {own.frames.begin(), own.frames.begin() + 2}});
  Camera other(2);
  enrol(hub, other.device);
  hub::DeviceRow row = row_of(hub, other.device);
  row.scopes = {"elsewhere"};
  ASSERT_TRUE(hub.store.write([&](hub::HubTransaction& tx) { return tx.devices().put(row); }));
  Carried foreign = export_from(other.device);
  foreign.frames.insert(foreign.frames.end(), own.frames.begin() + 2, own.frames.end());
  const auto outcome = import_at(hub, foreign);
  EXPECT_EQ(outcome.files.waiting, 1u);
  EXPECT_EQ(outcome.files.bytes, 0u);
  EXPECT_TRUE(hub.files.whole.empty());
  EXPECT_TRUE(hub.files.parts.empty());
}

TEST_F(FilesByStick, FilesOfARevokedDeviceAreNotTaken) {
  camera.photograph('a', 100);
  hub::DeviceRow row = row_of(hub, camera.device);
  row.revoked = true;
  ASSERT_TRUE(hub.store.write([&](hub::HubTransaction& tx) { return tx.devices().put(row); }));
  const auto outcome = import_at(hub, export_from(camera.device));
  EXPECT_EQ(outcome.aside, 1u);
  EXPECT_EQ(outcome.files.kept + outcome.files.waiting, 0u);
  EXPECT_TRUE(hub.files.whole.empty());
  EXPECT_EQ(count(answer_of(hub, camera.device).frames, Frame::kBlobEnd), 0u);
}

TEST_F(FilesByStick, AFullDiskOfTheHubIsSaidAndTheFileComesAgain) {
  const BlobName photo = camera.photograph('a', 2 * kChunkBytes);
  const Carried carried = export_from(camera.device);
  hub.files.full = true;
  const auto outcome = import_at(hub, carried);
  EXPECT_EQ(outcome.taken, 1u);
  EXPECT_EQ(outcome.files.waiting, 1u);
  EXPECT_EQ(outcome.files.why, "the hub's disk is full");
  hub.files.full = false;
  EXPECT_EQ(import_at(hub, carried).files.kept, 1u);
  EXPECT_TRUE(at_hub(photo));
}

TEST_F(FilesByStick, MakingAnAnswerChangesNothingAtTheHub) {
  camera.photograph('a', 20 * kChunkBytes);
  import_at(hub, parts_of(camera, 8 * kChunkBytes).at(0));
  const auto part = hub.files.parts.begin()->second.saved;
  const auto links = hub.store.state().links;
  const Carried answer = answer_of(hub, camera.device);
  EXPECT_EQ(count(answer.frames, Frame::kBlobWant), 1u);
  EXPECT_EQ(count(answer.frames, Frame::kBlobEnd), 0u);
  EXPECT_EQ(hub.files.parts.size(), 1u);
  EXPECT_EQ(hub.files.parts.begin()->second.saved.held.missing(), part.held.missing());
  EXPECT_EQ(hub.store.state().links, links);
}

}  // namespace
}  // namespace duhui

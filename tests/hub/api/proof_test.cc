// Proof archives of a hub with devices: they hold, and nothing about them can change unseen.

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/stubs/logging.h>

#include "hub/api/proof_desk.h"
#include "hub/core/proof_batch.h"
#include "hub/core/proof_writer.h"
#include "shared/base/bytes.h"
#include "shared/crypto/text.h"
#include "tests/hub/api/memory_access.h"
#include "tests/hub/core/test_hub.h"

namespace duhui::hub {
namespace {

using testing::Json;

constexpr int kMutations = 10'000;
constexpr char kSchoolScope[] = "org-430200/org-430202/zone-430202-1/sch-001";

ProofFindings read_archive(const std::string& archive, std::optional<PublicKey> key = {}) {
  const ProofSource source{
      .size = archive.size(),
      .read = [&](std::uint64_t offset, std::size_t count) -> Result<std::string> {
        EXPECT_LE(offset + count, archive.size());
        return archive.substr(static_cast<std::size_t>(offset), count);
      }};
  auto found = ProofReader(source, key).run();
  EXPECT_TRUE(found);
  return found ? *found : ProofFindings{};
}

bool holds(const std::string& archive) { return !read_archive(archive).fault; }

/// Two devices that sent batches, and records of the hub's own.
class Proof : public ::testing::Test {
 protected:
  Proof() : first_(1), second_(2) {
    google::protobuf::SetLogHandler(nullptr);  // damaged messages are the point
    hub_.furnish();
    for (TestWriter* writer : {&first_, &second_}) {
      DeviceRow row;
      row.id = writer->id;
      row.public_key = writer->key.public_key().str();
      row.name = "荷塘区样例小学1";
      row.scopes = {kSchoolScope};
      EXPECT_TRUE(hub_.access.change([&](HubTransaction& tx) { return tx.devices().put(row); }));
      rows_.push_back(row);
    }
    for (const char record : {'a', 'b'}) {
      first_.write(TestWriter::creating(record, kSchoolScope));
      for (int n = 0; n < 3; ++n) first_.write(TestWriter::editing('a', first_.dot(1)));
    }
    second_.write(TestWriter::creating('c', kSchoolScope));
    second_.write(TestWriter::editing('a', first_.dot(1)));
    send(first_, 1, 2);
    send(first_, 3, 3);
    send(second_, 1, 2);
    send(first_, 4, 8);
  }

  void send(const TestWriter& writer, std::uint64_t from, std::uint64_t to) {
    const DeviceRow& row = rows_[&writer == &first_ ? 0 : 1];
    const auto taken = hub_.access.receive(writer.batch(from, to), row);
    EXPECT_TRUE(taken) << (taken ? "" : to_string(taken.error()));
  }

  std::string exported(const Json& what) {
    const Json begun = hub_.posted("/proofs", what);
    std::string archive;
    for (int page = 1;; ++page) {
      const Json part =
          hub_.got("/proofs/" + begun["id"].get<std::string>() + "?page=" + std::to_string(page));
      archive += from_base64url(part["bytes"].get<std::string>()).value_or("");
      if (part["last"].get<bool>()) return archive;
    }
  }
  std::string everything() { return exported(Json::object()); }
  std::string one_record(char record) {
    return exported({{"record", to_uuid_text(record_id(record).view())}});
  }

  testing::TestHub hub_;
  TestWriter first_;
  TestWriter second_;
  std::vector<DeviceRow> rows_;
};

/// The frames of an archive, and what stands behind them.
struct Pieces {
  std::vector<std::string> frames;
  std::string end;
};
Pieces taken_apart(const std::string& archive) {
  Pieces pieces;
  const std::size_t tail = 4 + kProofEnd.size();
  const std::uint32_t end = read_big_endian_32(archive.substr(archive.size() - tail));
  const std::size_t stop = archive.size() - tail - end;
  for (std::size_t at = kProofStart.size(); at < stop;) {
    const std::size_t size = 4 + read_big_endian_32(std::string_view(archive).substr(at));
    pieces.frames.push_back(archive.substr(at, size));
    at += size;
  }
  pieces.end = archive.substr(stop);
  return pieces;
}
std::string joined(const Pieces& pieces) {
  std::string archive(kProofStart);
  for (const std::string& frame : pieces.frames) archive += frame;
  return archive + pieces.end;
}

/// The archive as somebody with the hub's key would forge it: `meddle` changes the parts, and
/// everything the hub signs is signed again.
std::string forged(const std::string& archive,
                   const SigningKey& key,
                   const std::function<void(store::v1::ProofFrame&)>& meddle) {
  PayloadCodec codec;
  std::optional<ProofWriter> writer;
  std::string out;
  for (const std::string& frame : taken_apart(archive).frames) {
    store::v1::ProofFrame part;
    EXPECT_TRUE(part.ParseFromString(frame.substr(4)));
    meddle(part);
    if (part.has_head()) out += writer.emplace(part.head(), key).begin();
    if (part.has_stream()) out += writer->add(part.stream());
    if (!part.has_batch()) continue;
    const auto opened = open_proof_batch(codec, part.batch());
    EXPECT_TRUE(opened);
    out += writer->add(part.batch(), opened->digests, opened->shown);
  }
  return out + writer->finish(1);
}

TEST_F(Proof, HoldsForEverythingTheHubHas) {
  const ProofFindings found = read_archive(everything());
  EXPECT_FALSE(found.fault) << found.fault->problem;
  EXPECT_EQ(found.streams, 3u);
  EXPECT_EQ(found.ops, 18u);  // 8 registry records, 10 of the devices
  EXPECT_EQ(found.records, 11u);
  EXPECT_EQ(found.hub_key, hub_.access.key().public_key());
  EXPECT_TRUE(found.record.is_zero());
}

TEST_F(Proof, OfOneRecordShowsItsOpsAndOfOthersOnlyHashes) {
  const std::string archive = one_record('c');
  const ProofFindings found = read_archive(archive, hub_.access.key().public_key());
  EXPECT_FALSE(found.fault) << found.fault->problem;
  EXPECT_EQ(found.ops, 1u);
  EXPECT_EQ(found.batches, 1u);
  EXPECT_EQ(found.record, record_id('c'));
  EXPECT_NE(archive.find("text c"), std::string::npos);
  EXPECT_EQ(archive.find("text a"), std::string::npos);

  const ProofFindings of_two = read_archive(one_record('a'));
  EXPECT_FALSE(of_two.fault) << of_two.fault->problem;
  EXPECT_EQ(of_two.ops, 8u);
  EXPECT_EQ(of_two.streams, 2u);
}

TEST_F(Proof, OfARegistryRecordHoldsByTheSealsOfTheHub) {
  const std::string archive = exported({{"record", "sch-001"}, {"type", "school"}});
  const ProofFindings found = read_archive(archive);
  EXPECT_FALSE(found.fault) << found.fault->problem;
  EXPECT_EQ(found.ops, 1u);
}

TEST_F(Proof, IsOfAnotherHubThanTheReaderExpects) {
  SeededRandom random(3);
  const auto found = read_archive(everything(), SigningKey::generate(random).public_key());
  ASSERT_TRUE(found.fault);
  EXPECT_NE(found.fault->problem.find("another hub"), std::string::npos) << found.fault->problem;
}

TEST_F(Proof, FindsEveryOneOfTenThousandChangedBytes) {
  for (const std::string& archive : {everything(), one_record('a')}) {
    SeededRandom random(2025);
    for (int n = 0; n < kMutations / 2; ++n) {
      std::string changed = archive;
      const std::size_t at = random.below(changed.size());
      changed[at] = static_cast<char>(changed[at] ^ static_cast<char>(1 + random.below(255)));
      ASSERT_FALSE(holds(changed)) << "byte " << at << " of " << archive.size();
    }
  }
}

TEST_F(Proof, FindsInsertionsDeletionsAndEveryCut) {
  const std::string archive = one_record('a');
  SeededRandom random(7);
  for (std::size_t at = 0; at < archive.size(); ++at) {
    ASSERT_FALSE(holds(archive.substr(0, at))) << "cut at " << at;
    std::string changed = archive;
    changed.insert(at, 1 + random.below(3), static_cast<char>(random.below(256)));
    ASSERT_FALSE(holds(changed)) << "inserted at " << at;
    changed = archive;
    changed.erase(at, 1 + random.below(3));
    ASSERT_FALSE(holds(changed)) << "removed at " << at;
  }
  EXPECT_FALSE(holds(archive + " "));
  EXPECT_FALSE(holds(archive + archive));
}

TEST_F(Proof, FindsFramesThatWereMovedRemovedOrRepeated) {
  const std::string archive = everything();
  const Pieces pieces = taken_apart(archive);
  ASSERT_EQ(joined(pieces), archive);
  for (std::size_t a = 0; a < pieces.frames.size(); ++a) {
    for (std::size_t b = a + 1; b < pieces.frames.size(); ++b) {
      Pieces changed = pieces;
      std::swap(changed.frames[a], changed.frames[b]);
      ASSERT_FALSE(holds(joined(changed))) << a << " and " << b << " swapped";
    }
    Pieces changed = pieces;
    changed.frames.erase(changed.frames.begin() + static_cast<std::ptrdiff_t>(a));
    ASSERT_FALSE(holds(joined(changed))) << a << " removed";
    changed = pieces;
    changed.frames.push_back(pieces.frames[a]);
    ASSERT_FALSE(holds(joined(changed))) << a << " repeated";
  }
  Pieces other_end = pieces;
  other_end.end = taken_apart(one_record('a')).end;
  EXPECT_FALSE(holds(joined(other_end)));
}

TEST_F(Proof, NamesTheFirstOpThatWasChanged) {
  const std::string archive = one_record('c');
  std::string changed = archive;
  changed[archive.find("text c") + 5] = 'X';
  const auto fault = read_archive(changed).fault;
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->problem, "an op was changed");
  EXPECT_EQ(fault->origin, second_.origin);
  EXPECT_EQ(fault->seq, 1u);
  EXPECT_EQ(fault->record, record_id('c'));
}

TEST_F(Proof, NamesTheBatchThatIsMissing) {
  Pieces pieces = taken_apart(everything());
  const auto at = std::find_if(pieces.frames.begin(), pieces.frames.end(), [&](const auto& frame) {
    store::v1::ProofFrame part;
    return part.ParseFromString(frame.substr(4)) && part.has_batch() &&
           part.batch().origin() == first_.origin.view() && part.batch().first_seq() == 3;
  });
  ASSERT_NE(at, pieces.frames.end());
  pieces.frames.erase(at);
  const auto fault = read_archive(joined(pieces)).fault;
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->origin, first_.origin);
  EXPECT_EQ(fault->seq, 3u);
}

TEST_F(Proof, SaysHowFarACutArchiveIsSound) {
  const std::string archive = everything();
  const auto fault = read_archive(archive.substr(0, archive.size() - 1)).fault;
  ASSERT_TRUE(fault);
  EXPECT_NE(fault->problem.find("cut off"), std::string::npos) << fault->problem;
}

// Whoever has the hub's key signs what they like; what a device wrote they cannot.

TEST_F(Proof, AForgedOpOfADeviceDoesNotHoldWhateverTheHubSigns) {
  const SigningKey& key = hub_.access.key();
  const std::string archive = one_record('c');
  ASSERT_TRUE(holds(forged(archive, key, [](store::v1::ProofFrame&) {})));
  const auto fault = read_archive(forged(archive, key, [&](store::v1::ProofFrame& part) {
                       if (!part.has_batch()) return;
                       sync::v1::Op op;
                       ASSERT_TRUE(op.ParseFromString(part.batch().ops(0).op()));
                       op.mutable_writes(0)->set_value("nicer");
                       part.mutable_batch()->mutable_ops(0)->set_op(op.SerializeAsString());
                     })).fault;
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->problem, "the chain is broken");
  EXPECT_EQ(fault->record, record_id('c'));
}

TEST_F(Proof, AForgedChainDoesNotHoldWhateverTheHubSigns) {
  const auto fault =
      read_archive(forged(one_record('c'), hub_.access.key(), [&](store::v1::ProofFrame& part) {
        if (!part.has_batch()) return;
        store::v1::ProofBatch& batch = *part.mutable_batch();
        sync::v1::Op op;
        ASSERT_TRUE(op.ParseFromString(batch.ops(0).op()));
        op.mutable_writes(0)->set_value("nicer");
        batch.mutable_ops(0)->set_op(op.SerializeAsString());
        std::string chain = empty_chain();
        for (const auto& one : batch.ops()) {
          chain = extend_chain(
              chain, one.op().empty() ? *Digest::from_bytes(one.digest()) : sha256(one.op()));
        }
        batch.set_chain(chain);
      })).fault;
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->problem, "the device's signature does not hold");
}

TEST_F(Proof, ABatchLeftOutOfAWholeStreamDoesNotHoldWhateverTheHubSigns) {
  const auto fault =
      read_archive(forged(everything(), hub_.access.key(), [&](store::v1::ProofFrame& part) {
        // The second batch is hidden: the third claims to stand alone.
        if (!part.has_batch() || part.batch().origin() != first_.origin.view()) return;
        if (part.batch().first_seq() == 3) part.mutable_batch()->set_chain_before(first_.chains[1]);
      })).fault;
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->seq, 3u);
}

TEST_F(Proof, AForgedSealDoesNotHold) {
  const auto fault =
      read_archive(forged(exported({{"record", "sch-001"}, {"type", "school"}}), hub_.access.key(),
                          [](store::v1::ProofFrame& part) {
                            if (part.has_batch()) part.mutable_batch()->clear_stamps();
                          }))
          .fault;
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->problem, "the hub's seal does not hold");
}

TEST_F(Proof, IsForTheOperatorAloneAndTold) {
  const Subject admin{.kind = Subject::Kind::person,
                      .place = Subject::Place::hub,
                      .person = "u-it-1",
                      .grants = {{record::v1::ROLE_IT_ADMIN, "org-430200"}}};
  EXPECT_EQ(
      hub_.api.answer({.method = "POST", .target = "/api/v1/proofs", .subject = admin}).status,
      403);
  one_record('a');
  const Json told = hub_.got("/audit?limit=1000");
  EXPECT_EQ(told["entries"].back()["action"], "proof.export");
  EXPECT_EQ(told["entries"].back()["target_id"], to_uuid_text(record_id('a').view()));
  EXPECT_EQ(hub_.get("/proofs/1234").status, 404);
  EXPECT_EQ(hub_.post("/proofs", {{"record", to_uuid_text(record_id('z').view())}}).status, 404);
}

TEST_F(Proof, AVerificationOfOneRecordNamesItsDamagedOp) {
  const std::string id = to_uuid_text(record_id('c').view());
  Json found = hub_.posted("/verify", {{"record", id}});
  EXPECT_TRUE(found["ok"].get<bool>()) << found["problem"];
  EXPECT_EQ(found["ops"], 1);
  MemoryHubState state = hub_.access.store().state();
  state.batches.at({second_.origin, 1}).signature[5] ^= 1;
  hub_.access.store().restore(std::move(state));
  found = hub_.posted("/verify", {{"record", id}});
  EXPECT_FALSE(found["ok"].get<bool>());
  EXPECT_EQ(found["stream"], to_hex(second_.origin.view()));
  EXPECT_EQ(found["seq"], 1);
}

}  // namespace
}  // namespace duhui::hub

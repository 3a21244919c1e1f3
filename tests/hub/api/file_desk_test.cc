#include "hub/api/file_desk.h"

#include <gtest/gtest.h>

#include "hub/core/blob_links.h"
#include "shared/base/bytes.h"
#include "shared/crypto/digest.h"
#include "tests/hub/api/memory_access.h"
#include "tests/support/memory_blob_store.h"

namespace duhui::hub::testing {
namespace {

/// A hub with a visit that names a plan.
struct Files : TestHub {
  Files() {
    furnish();
    access.keep_files(files);
    Json value = {{"school_id", "sch-001"},
                  {"visit_date", "2025-10-09"},
                  {"attachments", Json::array({Json{{"id", "p1"},
                                                    {"file_name", "../计划.pdf"},
                                                    {"mime", "application/pdf"},
                                                    {"kind", "document"},
                                                    {"sha256", to_hex(hash.view())},
                                                    {"size", bytes.size()},
                                                    {"thumbnail", "/9j/"}}})}};
    visit = posted("/records", {{"type", "visit_record"}, {"value", value}, {"as", "u-sup-001"}})
                .value("id", "");
    record = *RecordId::from_bytes(*from_uuid_text(visit));
  }

  /// As a device's file that has come completely.
  void bring(const RecordId& whose) {
    const BlobName name{hash, bytes.size(), whose};
    ASSERT_TRUE(files.write_chunk(name, 0, bytes));
    ASSERT_TRUE(files.finish(name).value());
    const DeviceId device = DeviceId::random(access.random());
    ASSERT_TRUE(access.change([&](HubTransaction& tx) { return note_brought(tx, name, device); }));
  }
  api::ApiResponse read(const std::string& more = {}) {
    return get("/files/" + to_hex(hash.view()) + "?record=" + visit + more);
  }

  const std::string bytes = "%PDF-1.4\nwhat was planned\n%%EOF\n";
  const Digest hash = sha256(bytes);
  MemoryBlobStore files;
  std::string visit;
  RecordId record;
};

TEST(HubFileDesk, ReadsBackWhatWasBrought) {
  Files hub;
  hub.bring(hub.record);
  const auto answer = hub.read();
  ASSERT_TRUE(answer.file) << answer.body.dump();
  EXPECT_EQ(answer.file->read(0, 1000).value(), hub.bytes);
  EXPECT_EQ(answer.file->read(9, 4).value(), "what");
  EXPECT_EQ(answer.file->content_type, "application/pdf");
  EXPECT_EQ(answer.file->disposition.find(".."), std::string::npos);
  EXPECT_TRUE(
      hub.ask("HEAD", "/files/" + to_hex(hub.hash.view()) + "?record=" + hub.visit, "").ok());
  const auto small = hub.read("&thumbnail=1");
  ASSERT_TRUE(small.file);
  EXPECT_EQ(small.file->read(0, 10).value(), "\xff\xd8\xff");
}

TEST(HubFileDesk, ToNameAHashIsNoRightToTheFile) {
  Files hub;
  EXPECT_EQ(hub.read().status, 503) << "nobody has brought it";
  // It is here, but it was brought for somebody else's record.
  SeededRandom random(1);
  hub.bring(RecordId::random(random));
  EXPECT_EQ(hub.read().status, 503);
  EXPECT_EQ(hub.get("/files/" + std::string(64, '0') + "?record=" + hub.visit).status, 404);
  EXPECT_EQ(hub.get("/files/" + to_hex(hub.hash.view())).status, 404);
}

}  // namespace
}  // namespace duhui::hub::testing

#include "hub/app/tls_rotation.h"

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "shared/base/bytes.h"
#include "shared/crypto/system_random.h"
#include "shared/sync/key_history.h"

namespace duhui::hub {
namespace {

constexpr WallTime kAt{1'760'000'000'000};

class TlsRotation : public ::testing::Test {
 protected:
  TlsRotation() {
    std::string name = std::filesystem::temp_directory_path() / "duhui-hub-XXXXXX";
    path_ = ::mkdtemp(name.data());
    path_ += "/hub";
    EXPECT_TRUE(HubFolder::create(path_, "中心", random_));
  }
  ~TlsRotation() override {
    std::filesystem::remove_all(std::filesystem::path(path_).parent_path());
  }
  Digest pin() { return (*HubFolder::open(path_))->tls().pin; }
  Digest rotated() {
    const auto folder = HubFolder::open(path_);
    return rotate_tls_key(**folder, kAt).value();
  }
  Status follows(const Digest& from, const Digest& to) {
    const auto bytes = read_key_history(path_);
    EXPECT_TRUE(bytes);
    return follow_keys(*parse_key_history(*bytes), {}, from.view(), to);
  }
  bool there(const char* name) { return std::filesystem::exists(path_ + "/" + name); }

  SystemRandom random_;
  std::string path_;
};

TEST_F(TlsRotation, MakesAKeyThatDevicesWithAnyOlderOneFind) {
  const Digest first = pin();
  EXPECT_EQ(*read_key_history(path_), "");
  const Digest second = rotated();
  EXPECT_EQ(pin(), second);
  EXPECT_NE(first, second);
  const Digest third = rotated();
  EXPECT_EQ(pin(), third);
  EXPECT_TRUE(follows(first, third));
  EXPECT_TRUE(follows(second, third));
  EXPECT_FALSE(there("tls.next"));
  struct stat found {};
  ASSERT_EQ(::stat((path_ + "/tls.key").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
}

TEST_F(TlsRotation, IsToldToTheAuditLog) {
  const Digest first = pin();
  const Digest second = rotated();
  const auto folder = HubFolder::open(path_);
  std::vector<AuditRow> told;
  ASSERT_TRUE((*folder)->store().read([&](HubTransaction& tx) -> Status {
    DUHUI_TRY(rows, tx.audit().read(0, 10));
    told = std::move(rows);
    return Done{};
  }));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].entry, (AuditEntry{.at = kAt,
                                       .actor = "operator",
                                       .action = "key.rotate",
                                       .target_type = "tls_key",
                                       .target_id = to_hex(second.view()),
                                       .outcome = "begun",
                                       .detail = "old=" + to_hex(first.view())}));
}

TEST_F(TlsRotation, IsCompletedWhenItWasCutOffBehindTheStatement) {
  const Digest first = pin();
  const auto key = read_file(path_ + "/tls.key");
  const auto certificate = read_file(path_ + "/tls.crt");
  const Digest second = rotated();
  // As it was before the last steps, and with one of the two files already new.
  const std::string next = *read_file(path_ + "/tls.key") + *read_file(path_ + "/tls.crt");
  ASSERT_TRUE(write_file(path_ + "/tls.next", next, true));
  ASSERT_TRUE(write_file(path_ + "/tls.key", *key, true));
  EXPECT_EQ(pin(), second);
  EXPECT_FALSE(there("tls.next"));
  ASSERT_TRUE(write_file(path_ + "/tls.next", next, true));
  ASSERT_TRUE(write_file(path_ + "/tls.key", *key, true));
  ASSERT_TRUE(write_file(path_ + "/tls.crt", *certificate, false));
  EXPECT_EQ(pin(), second);
  EXPECT_TRUE(follows(first, second));
}

TEST_F(TlsRotation, IsUndoneWhenItWasCutOffBeforeTheStatement) {
  const Digest first = pin();
  ASSERT_TRUE(write_file(path_ + "/tls.next", net::make_tls_identity("hub")->pem, true));
  EXPECT_EQ(pin(), first);
  EXPECT_FALSE(there("tls.next"));
  ASSERT_TRUE(write_file(path_ + "/tls.next", "half a k", true));
  EXPECT_EQ(pin(), first);
  EXPECT_FALSE(there("tls.next"));
}

}  // namespace
}  // namespace duhui::hub

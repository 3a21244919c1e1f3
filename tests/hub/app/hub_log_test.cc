#include "hub/app/hub_log.h"

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "duhui/sync/v1/frame.pb.h"
#include "hub/app/hub_folder.h"
#include "shared/cli/protobuf_log.h"

namespace duhui::hub {
namespace {

class HubLog : public ::testing::Test {
 protected:
  HubLog() {
    std::string name = std::filesystem::temp_directory_path() / "duhui-log-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~HubLog() override { std::filesystem::remove_all(path_); }

  struct Said {
    std::string on_stderr;
    std::string in_file;
  };

  /// What a message that is not UTF-8 where it must be leads to.
  Said said_at(const std::string& level) {
    EXPECT_TRUE(open_log(path_, level, 100'000));
    cli::quiet_protobuf();
    testing::internal::CaptureStderr();
    sync::v1::Goodbye goodbye;
    EXPECT_FALSE(goodbye.ParseFromString("\x12\x02\xff\xff"));
    flush_log();
    return {testing::internal::GetCapturedStderr(), read_file(path_ + "/log/hub.log").value()};
  }

  std::string path_;
};

TEST_F(HubLog, AHostileMessageLeavesNoLine) {
  const Said said = said_at("info");
  EXPECT_EQ(said.on_stderr, "");
  EXPECT_EQ(said.in_file, "");
}

TEST_F(HubLog, ShowsWhatProtobufSaysToWhoDebugs) {
  const Said said = said_at("debug");
  EXPECT_NE(said.in_file.find("Goodbye.detail"), std::string::npos) << said.in_file;
  EXPECT_EQ(said.on_stderr, said.in_file);
}

}  // namespace
}  // namespace duhui::hub

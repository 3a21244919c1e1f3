#include "agent/app/agent_log.h"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "duhui/sync/v1/frame.pb.h"
#include "tests/agent/store/temporary_folder.h"

namespace duhui::agent {
namespace {

void parse_what_is_not_utf8() {
  sync::v1::Goodbye goodbye;
  EXPECT_FALSE(goodbye.ParseFromString("\x12\x02\xff\xff"));
}

TEST(AgentLog, AHostileMessageLeavesNoLine) {
  ASSERT_TRUE(open_log({}, "info"));
  testing::internal::CaptureStderr();
  parse_what_is_not_utf8();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(AgentLog, ShowsWhatProtobufSaysToWhoDebugs) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/agent.log";
  ASSERT_TRUE(open_log(file, "debug"));
  parse_what_is_not_utf8();
  ASSERT_TRUE(open_log({}, "warn"));  // closes the file
  std::ifstream lines(file);
  const std::string said{std::istreambuf_iterator<char>(lines), {}};
  EXPECT_NE(said.find("Goodbye.detail"), std::string::npos) << said;
}

TEST(AgentLog, TellsAFileThatCannotBeWritten) {
  const auto opened = open_log("/proc/none/agent.log", "info");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::storage_failed);
}

}  // namespace
}  // namespace duhui::agent

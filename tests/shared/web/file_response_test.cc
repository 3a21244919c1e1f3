#include "shared/web/file_response.h"

#include <gtest/gtest.h>

#include "shared/net/blocking_pool.h"

namespace duhui::web {
namespace {

using What = RangeAsked::What;

constexpr std::uint64_t kSize = 1000;

std::string text_of(std::string_view header) {
  const RangeAsked asked = parse_range(header, kSize);
  if (asked.what == What::whole) return "whole";
  if (asked.what == What::none) return "none";
  return std::to_string(asked.range.from) + "+" + std::to_string(asked.range.size);
}

TEST(ParseRange, ReadsOneRangeAndTakesWhatItDoesNotUnderstandForNone) {
  EXPECT_EQ(text_of("bytes=0-0"), "0+1");
  EXPECT_EQ(text_of("bytes=10-19"), "10+10");
  EXPECT_EQ(text_of("bytes=990-"), "990+10");
  EXPECT_EQ(text_of("bytes=990-5000"), "990+10");
  EXPECT_EQ(text_of("bytes=-1"), "999+1");
  EXPECT_EQ(text_of("bytes=-5000"), "0+1000");
  EXPECT_EQ(text_of("bytes=1000-"), "none");
  EXPECT_EQ(text_of("bytes=1000-1001"), "none");
  EXPECT_EQ(text_of("bytes=-0"), "none");
  for (const char* header :
       {"", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-4", "bytes=0-1,5-6", "lines=0-1",
        "bytes= 0-1", "bytes=+1-2", "bytes=0x1-2", "bytes=99999999999999999999-"}) {
    EXPECT_EQ(text_of(header), "whole") << header;
  }
  EXPECT_EQ(text_of("bytes=0-99999999999999999999"), "whole");
  EXPECT_EQ(text_of("bytes=0-18446744073709551615"), "0+1000");
}

class FileResponseTest : public testing::Test {
 protected:
  FileResponseTest() {
    file_.size = kSize;
    file_.content_type = "image/jpeg";
    file_.disposition = "inline";
    file_.tag = "abc";
    file_.read = [](std::uint64_t, std::size_t size) -> Result<std::string> {
      return std::string(size, 'x');
    };
  }
  net::HttpResponse ask(net::HttpHeaders headers) {
    return file_response({.method = "GET", .headers = std::move(headers)}, file_, pool_);
  }
  static std::string header(const net::HttpResponse& response, const std::string& name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return {};
  }

  api::FileAnswer file_;
  net::BlockingPool pool_{1};
};

TEST_F(FileResponseTest, IsWholeAndRunsNowhere) {
  const auto response = ask({});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.outgoing->size, kSize);
  EXPECT_EQ(response.content_type, "image/jpeg");
  EXPECT_EQ(header(response, "ETag"), "\"abc\"");
  EXPECT_EQ(header(response, "Accept-Ranges"), "bytes");
  EXPECT_EQ(header(response, "Content-Disposition"), "inline");
  EXPECT_EQ(header(response, "Content-Security-Policy"), "default-src 'none'; sandbox");
  EXPECT_EQ(header(response, "Cache-Control"), "private, no-cache");
}

TEST_F(FileResponseTest, IsThePartThatIsAskedFor) {
  const auto response = ask({{"range", "bytes=10-19"}});
  EXPECT_EQ(response.status, 206);
  EXPECT_EQ(response.outgoing->size, 10u);
  EXPECT_EQ(header(response, "Content-Range"), "bytes 10-19/1000");
  const auto behind = ask({{"range", "bytes=1000-"}});
  EXPECT_EQ(behind.status, 416);
  EXPECT_EQ(header(behind, "Content-Range"), "bytes */1000");
  EXPECT_FALSE(behind.outgoing);
}

TEST_F(FileResponseTest, IsWholeWhereThePartWouldBeOfAnother) {
  EXPECT_EQ(ask({{"range", "bytes=10-19"}, {"if-range", "\"abc\""}}).status, 206);
  EXPECT_EQ(ask({{"range", "bytes=10-19"}, {"if-range", "\"abd\""}}).status, 200);
  EXPECT_EQ(ask({{"range", "bytes=10-19"}, {"if-range", "Thu, 09 Oct 2025 00:00:00 GMT"}}).status,
            200);
}

TEST_F(FileResponseTest, IsNotSentAgainToWhoHasIt) {
  const auto response = ask({{"if-none-match", "\"x\", \"abc\""}});
  EXPECT_EQ(response.status, 304);
  EXPECT_FALSE(response.outgoing);
  EXPECT_EQ(ask({{"if-none-match", "\"x\""}}).status, 200);
}

}  // namespace
}  // namespace duhui::web

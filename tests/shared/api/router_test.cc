#include "shared/api/router.h"

#include <gtest/gtest.h>

#include "shared/api/time_text.h"

namespace duhui::api {
namespace {

ApiHandler echo() {
  return [](const ApiRequest& request) -> Result<ApiResponse> {
    return ApiResponse{200, {{"names", request.names}, {"query", request.query}}};
  };
}

TEST(Router, DecodesPartsAndQuery) {
  Router router;
  router.add("GET", "/records/{id}/field", echo());
  const auto answer =
      router.dispatch("GET", "/api/v1/records/TPL%40%2F2/field?path=item_answers%2FC6&x=a+b", "");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body["names"]["id"], "TPL@/2");
  EXPECT_EQ(answer.body["query"]["path"], "item_answers/C6");
  EXPECT_EQ(answer.body["query"]["x"], "a b");
}

TEST(Router, TellsAnUnknownAddressFromAWrongMethod) {
  Router router;
  router.add("POST", "/records", echo());
  EXPECT_EQ(router.dispatch("GET", "/api/v1/nothing", "").status, 404);
  EXPECT_EQ(router.dispatch("GET", "/elsewhere", "").status, 404);
  EXPECT_EQ(router.dispatch("GET", "/api/v1/records", "").status, 405);
}

TEST(Router, RefusesABodyThatIsNotJson) {
  Router router;
  router.add("POST", "/records", echo());
  const auto answer = router.dispatch("POST", "/api/v1/records", "{not json");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body["error"]["code"], "invalid_input");
}

TEST(Answer, KeepsTheErrorAcrossTheWire) {
  const Error error{ErrorCode::refused, "open_conflict: item_answers/C6"};
  const ApiResponse answer = error_answer(error);
  EXPECT_EQ(answer.status, 409);
  EXPECT_NE(answer.body["error"]["message_zh"].get<std::string>().find("分歧"), std::string::npos);
  const auto back = error_of(answer);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->code, ErrorCode::refused);
  EXPECT_EQ(back->detail, error.detail);
}

TEST(Answer, HasAnHttpStatusForEveryCode) {
  EXPECT_EQ(http_status(ErrorCode::invalid_input), 400);
  EXPECT_EQ(http_status(ErrorCode::not_found), 404);
  EXPECT_EQ(http_status(ErrorCode::conflict), 409);
  EXPECT_EQ(http_status(ErrorCode::limit_exceeded), 413);
  EXPECT_EQ(http_status(ErrorCode::storage_failed), 503);
  EXPECT_EQ(http_status(ErrorCode::corrupt_data), 500);
}

TEST(TimeText, WritesChinaTime) {
  EXPECT_EQ(time_text(WallTime{0}), "1970-01-01T08:00:00+08:00");
  EXPECT_EQ(time_text(WallTime{1'760'000'000'000}), "2025-10-09T16:53:20+08:00");
  EXPECT_EQ(time_text(WallTime{-86'400'000}), "1969-12-31T08:00:00+08:00");
}

}  // namespace
}  // namespace duhui::api

#include "shared/api/router.h"

#include <gtest/gtest.h>

#include "shared/api/time_text.h"
#include "tests/support/subjects.h"

namespace duhui::api {
namespace {

ApiHandler echo() {
  return [](const ApiRequest& request) -> Result<ApiResponse> {
    return ApiResponse{200, {{"names", request.names}, {"query", request.query}}};
  };
}

constexpr Need kReading{Verb::read, Thing::records};
constexpr Need kWriting{Verb::create, Thing::records};

ApiResponse ask(const Router& router,
                std::string_view method,
                std::string_view target,
                std::string_view body = {},
                const Subject& subject = kHubOperator) {
  return router.dispatch({.method = method, .target = target, .body = body, .subject = subject});
}

TEST(Router, AsksTheAuthorityBeforeTheHandler) {
  Router router;
  int asked = 0;
  router.add("POST", "/devices", {Verb::manage, Thing::devices}, [&](const ApiRequest&) {
    ++asked;
    return Result<ApiResponse>(ApiResponse{200, {}});
  });
  const Subject nobody{};
  EXPECT_EQ(ask(router, "POST", "/api/v1/devices", "", nobody).status, 401);
  const Subject contact{.kind = Subject::Kind::person,
                        .grants = {{record::v1::ROLE_SCHOOL_CONTACT, "city/district/school"}}};
  const ApiResponse refused = ask(router, "POST", "/api/v1/devices", "{not json", contact);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.body["error"]["code"], "forbidden");
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(ask(router, "POST", "/api/v1/devices").status, 200);
  EXPECT_EQ(asked, 1);
}

TEST(Router, DecodesPartsAndQuery) {
  Router router;
  router.add("GET", "/records/{id}/field", kReading, echo());
  const auto answer =
      ask(router, "GET", "/api/v1/records/TPL%40%2F2/field?path=item_answers%2FC6&x=a+b");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body["names"]["id"], "TPL@/2");
  EXPECT_EQ(answer.body["query"]["path"], "item_answers/C6");
  EXPECT_EQ(answer.body["query"]["x"], "a b");
}

TEST(Router, TellsAnUnknownAddressFromAWrongMethod) {
  Router router;
  router.add("POST", "/records", kWriting, echo());
  EXPECT_EQ(ask(router, "GET", "/api/v1/nothing").status, 404);
  EXPECT_EQ(ask(router, "GET", "/elsewhere").status, 404);
  EXPECT_EQ(ask(router, "GET", "/api/v1/records").status, 405);
}

TEST(Router, RefusesABodyThatIsNotJson) {
  Router router;
  router.add("POST", "/records", kWriting, echo());
  const auto answer = ask(router, "POST", "/api/v1/records", "{not json");
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

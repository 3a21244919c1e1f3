#include "agent/api/file_desk.h"

#include <gtest/gtest.h>

#include "agent/api/agent_api.h"
#include "shared/base/bytes.h"
#include "shared/base/random.h"
#include "shared/crypto/digest.h"
#include "shared/record/base64.h"
#include "tests/shared/media/made_files.h"
#include "tests/support/memory_shelf.h"
#include "tests/support/memory_store.h"
#include "tests/support/memory_text.h"
#include "tests/support/response_log.h"
#include "tests/support/subjects.h"

namespace duhui::agent {
namespace {

using Json = nlohmann::json;
using namespace std::string_literals;

constexpr const char* kSchoolScope = "org-430200/org-430202/zone-430202-1/sch-001";

Subject person(const std::string& id, record::v1::Role role, const std::string& scope) {
  return {.kind = Subject::Kind::person, .person = id, .grants = {{role, scope}}};
}

std::string hash_of(const std::string& bytes) { return to_hex(sha256(bytes).view()); }

class FileDeskTest : public testing::Test {
 protected:
  FileDeskTest() : store_(disk_), journal_(disk_), random_(3) {
    replica_ = Replica::open(store_, journal_, random_, read_clock(), false).value();
    records_ = std::make_unique<AgentRecords>(*replica_, random_, [this] { return read_clock(); });
    records_->set_scopes({kSchoolScope});
    start();
  }

  void start() {
    desk_.reset();
    api_ = std::make_unique<AgentApi>(
        *replica_, *records_, [this] { return read_clock(); }, "1.0", AgentHooks{});
    desk_ = std::make_unique<FileDesk>(FileDesk::Parts{.source = *records_,
                                                       .shelf = shelf_,
                                                       .kept = kept_,
                                                       .random = random_,
                                                       .now = [this] { return now_; },
                                                       .settings = settings_});
    desk_->add_to(api_->router());
  }

  ClockReading read_clock() const { return {.wall = now_, .monotonic = {1000}, .boot = 1}; }

  api::ApiResponse ask(std::string_view method,
                       const std::string& path,
                       const std::string& body = {},
                       std::uint64_t offset = 0) {
    const std::string target = "/api/v1" + path;
    api::ApiResponse answer =
        api::settled(api_->dispatch({.method = method,
                                     .target = target,
                                     .body = body,
                                     .subject = subject_,
                                     .upload_offset = std::to_string(offset)}));
    if (answer.file) {
      const std::string& type = answer.file->content_type;
      log_response(method, target, answer.status, "", type.substr(0, type.find(';')));
    } else {
      log_response(method, target, answer.status, answer.body);
    }
    return answer;
  }
  api::ApiResponse begin(const std::string& name, const std::string& bytes, const Json& more = {}) {
    Json body = {{"name", name}, {"size", bytes.size()}};
    if (more.is_object()) body.update(more);
    return ask("POST", "/files", body.dump());
  }
  /// The answer to the last piece.
  api::ApiResponse hand_in(const std::string& name,
                           const std::string& bytes,
                           const Json& more = {},
                           std::size_t piece = 10'000) {
    api::ApiResponse answer = begin(name, bytes, more);
    const std::string path = "/files/uploads/" + answer.body.value("id", "");
    for (std::size_t at = 0; at < bytes.size() && answer.ok(); at += piece) {
      answer = ask("PATCH", path, bytes.substr(at, piece), at);
    }
    return answer;
  }
  std::string make_visit(const Json& more = Json::object()) {
    Json value = {{"school_id", "sch-001"}, {"visit_date", "2025-10-09"}};
    value.update(more);
    const Json body = {{"type", "visit_record"}, {"as", "u-sup-001"}, {"value", value}};
    const Subject before = std::exchange(subject_, kHubOperator);
    const auto answer = ask("POST", "/records", body.dump());
    subject_ = before;
    EXPECT_EQ(answer.status, 201) << answer.body.dump();
    return answer.body["id"];
  }
  static Json attachment(const Json& file) {
    Json value = {{"id", "p1"},
                  {"file_name", file["file_name"]},
                  {"mime", file["mime"]},
                  {"kind", "photo"},
                  {"sha256", file["sha256"]},
                  {"size", file["size"]},
                  {"thumbnail", file.value("thumbnail", "")}};
    if (file.contains("original")) value["original"] = file["original"];
    return value;
  }
  static std::string all(const api::ApiResponse& answer) {
    return answer.file ? answer.file->read(0, answer.file->size).value() : answer.body.dump();
  }
  static std::string rule_of(const api::ApiResponse& answer) {
    if (answer.ok()) return "taken";
    const std::string detail = answer.body["error"].value("detail", "");
    return detail.substr(0, detail.find(':'));
  }

  MemoryDisk disk_;
  MemoryKvStore store_;
  MemoryJournal journal_;
  SeededRandom random_;
  WallTime now_{1'760'000'000'000};
  MemoryShelf shelf_;
  MemoryText kept_;
  FileSettings settings_;
  Subject subject_ = kHubOperator;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<AgentRecords> records_;
  std::unique_ptr<AgentApi> api_;
  std::unique_ptr<FileDesk> desk_;
};

TEST_F(FileDeskTest, TakesAPhotoInPiecesAndReadsItBackFromARecordThatNamesIt) {
  const std::string photo =
      media::with_segment(media::made_jpeg({.width = 2000, .height = 1500}), media::made_exif(6));
  const auto begun = begin("../课堂\u202e.jpg", photo);
  EXPECT_EQ(begun.status, 201);
  EXPECT_EQ(begun.body["name"], "课堂.jpg");
  const std::string upload = "/files/uploads/" + begun.body.value("id", "");
  const auto half = ask("PATCH", upload, photo.substr(0, 5000), 0);
  EXPECT_EQ(half.body["offset"], 5000);
  EXPECT_TRUE(half.body["file"].is_null());
  EXPECT_EQ(ask("HEAD", upload).headers.front().second, "5000");
  const auto whole = ask("PATCH", upload, photo.substr(5000), 5000);
  ASSERT_EQ(whole.status, 200) << whole.body.dump();
  const Json file = whole.body["file"];
  EXPECT_EQ(file["mime"], "image/jpeg");
  EXPECT_EQ(file["width"], 1200);
  EXPECT_EQ(file["height"], 1600);
  EXPECT_EQ(file["taken_at"], "2025-10-09T11:40:00+08:00");
  EXPECT_FALSE(file.contains("geo"));
  EXPECT_EQ(ask("GET", upload).body["file"], file);

  const std::string visit = make_visit({{"attachments", Json::array({attachment(file)})}});
  const std::string address = "/files/" + file.value("sha256", "") + "?record=" + visit;
  const auto read = ask("GET", address);
  ASSERT_EQ(read.status, 200) << read.body.dump();
  EXPECT_EQ(hash_of(all(read)), file["sha256"]);
  EXPECT_EQ(read.file->size, file["size"]);
  EXPECT_EQ(read.file->content_type, "image/jpeg");
  EXPECT_TRUE(read.file->disposition.starts_with("inline;")) << read.file->disposition;
  EXPECT_EQ(read.file->tag, file["sha256"]);
  EXPECT_EQ(ask("HEAD", address).status, 200);
  EXPECT_EQ(all(ask("GET", address + "&thumbnail=1")), *from_base64(file.value("thumbnail", "")));
  // The original is the same picture without its notes.
  const auto original =
      ask("GET", "/files/" + file["original"].value("sha256", "") + "?record=" + visit);
  ASSERT_EQ(original.status, 200) << original.body.dump();
  EXPECT_EQ(original.file->size, file["original"]["size"]);
  EXPECT_EQ(original.file->disposition, read.file->disposition);
  EXPECT_EQ(all(original).find("2025:10:09"), std::string::npos);
  EXPECT_GT(original.file->size, file["size"]);
}

TEST_F(FileDeskTest, TellsWhereAPhotoWasTakenOnlyIfAsked) {
  const std::string photo = media::with_segment(media::made_jpeg(), media::made_exif(1));
  EXPECT_FALSE(hand_in("a.jpg", photo).body["file"].contains("geo"));
  const auto told = hand_in("a.jpg", photo, {{"keep_location", true}});
  EXPECT_NEAR(told.body["file"]["geo"].value("lat", 0.0), 27.83, 0.001);
}

TEST_F(FileDeskTest, KeepsNoOriginalWhereNobodyWantsIt) {
  settings_.keep_original = false;
  start();
  EXPECT_FALSE(hand_in("a.jpg", media::made_jpeg()).body["file"].contains("original"));
  EXPECT_EQ(shelf_.shelved.size(), 1u);
  EXPECT_TRUE(shelf_.begun.empty());
}

TEST_F(FileDeskTest, KeepsDocumentsAsTheyAre) {
  const std::string pdf = media::made_pdf();
  const Json file = hand_in("计划.pdf.exe", pdf).body["file"];
  EXPECT_EQ(file["sha256"], hash_of(pdf));
  EXPECT_EQ(file["file_name"], "计划.pdf.exe.pdf");
  const std::string visit = make_visit({{"attachments", Json::array({attachment(file)})}});
  const auto read = ask("GET", "/files/" + hash_of(pdf) + "?record=" + visit);
  EXPECT_EQ(all(read), pdf);
  EXPECT_TRUE(read.file->disposition.starts_with("attachment;"));
  EXPECT_EQ(ask("GET", "/files/" + hash_of(pdf) + "?thumbnail=1&record=" + visit).status, 404);
}

TEST_F(FileDeskTest, RefusesWhatIsHostileAndKeepsNothingOfIt) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"<html><script>", "file_active"},
      {media::made_zip({{.name = "../../evil"}}), "file_archive"},
      {media::made_docx("word/vbaProject.bin"), "file_macros"},
      {media::made_gif() + "<script>", "file_broken"},
      {media::made_jpeg().substr(0, 300), "image_broken"},
      {media::with_size(media::made_jpeg(), 60'000, 60'000), "image_pixels"},
      {media::made_moving_webp(), "image_animated"},
      {"\x7f"s + "ELF", "file_active"},
      {std::string("\x01\x02\x03\0\x05", 5), "file_type"}};
  for (const auto& [bytes, rule] : cases) {
    const auto answer = hand_in("photo.jpg", bytes);
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(rule_of(answer), rule);
    EXPECT_NE(answer.body["error"]["message_zh"], "按规则不允许。") << rule;
    EXPECT_TRUE(shelf_.begun.empty()) << rule;
    EXPECT_TRUE(shelf_.shelved.empty()) << rule;
  }
}

TEST_F(FileDeskTest, GoesOnOnlyWhereAnUploadIs) {
  const std::string pdf = media::made_pdf();
  const auto begun = begin("a.pdf", pdf);
  const std::string upload = "/files/uploads/" + begun.body.value("id", "");
  ask("PATCH", upload, pdf.substr(0, 10), 0);
  const auto wrong = ask("PATCH", upload, pdf.substr(0, 10), 0);
  EXPECT_EQ(wrong.status, 409);
  EXPECT_EQ(rule_of(wrong), "upload_offset");
  EXPECT_EQ(wrong.headers.front(), (std::pair<std::string, std::string>("Upload-Offset", "10")));
  EXPECT_EQ(ask("PATCH", upload, pdf + pdf, 10).status, 413);
  EXPECT_EQ(ask("PATCH", upload, pdf.substr(10), 10).body["file"]["sha256"], hash_of(pdf));
  EXPECT_EQ(ask("PATCH", upload, "", pdf.size()).body["file"]["sha256"], hash_of(pdf));
}

TEST_F(FileDeskTest, GoesOnAfterARestart) {
  const std::string pdf = media::made_pdf();
  const Json told = {{"sha256", hash_of(pdf)}};
  const auto begun = begin("a.pdf", pdf, told);
  const std::string upload = "/files/uploads/" + begun.body.value("id", "");
  ask("PATCH", upload, pdf.substr(0, 10), 0);
  start();
  EXPECT_EQ(ask("GET", upload).body["offset"], 10);
  // Whoever forgot where it was, says the same once more.
  const auto again = begin("a.pdf", pdf, told);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body["id"], begun.body["id"]);
  EXPECT_EQ(again.body["offset"], 10);
  const auto whole = ask("PATCH", upload, pdf.substr(10), 10);
  EXPECT_EQ(whole.body["file"]["sha256"], hash_of(pdf));
  start();
  EXPECT_EQ(ask("GET", upload).body, whole.body);
  EXPECT_EQ(begin("a.pdf", pdf, told).body["file"], whole.body["file"]);
}

TEST_F(FileDeskTest, BeginsAnewWhereWhatWasKeptIsDamaged) {
  for (const char* text : {"{", "[]", R"({"uploads":[1]})", R"({"uploads":{"x":{"promise":5}}})",
                           R"({"uploads":{"../../x":{}}})"}) {
    kept_.text = text;
    start();
    EXPECT_EQ(hand_in("a.pdf", media::made_pdf()).status, 200) << text;
  }
}

TEST_F(FileDeskTest, RefusesWhatArrivesAsSomethingElse) {
  const auto answer = hand_in("a.pdf", media::made_pdf(), {{"sha256", std::string(64, '0')}});
  EXPECT_EQ(rule_of(answer), "file_hash");
  EXPECT_TRUE(shelf_.begun.empty());
}

TEST_F(FileDeskTest, TriesAgainWhatTheDiskHadNoRoomFor) {
  const std::string photo = media::made_jpeg({.width = 800, .height = 800});
  const auto begun = begin("a.jpg", photo);
  const std::string upload = "/files/uploads/" + begun.body.value("id", "");
  shelf_.room = 1000;
  const auto full = ask("PATCH", upload, photo, 0);
  EXPECT_EQ(full.status, 413);
  EXPECT_EQ(ask("GET", upload).body["offset"], 1000);
  shelf_.room = photo.size() - 1000;
  const auto no_room_for_the_picture = ask("PATCH", upload, photo.substr(1000), 1000);
  EXPECT_FALSE(no_room_for_the_picture.ok());
  EXPECT_EQ(ask("GET", upload).body["offset"], photo.size());
  shelf_.room = ~0ull;
  EXPECT_EQ(ask("PATCH", upload, "", photo.size()).body["file"]["mime"], "image/jpeg");
  EXPECT_TRUE(shelf_.begun.empty());
}

TEST_F(FileDeskTest, KeepsAnUploadFromEverybodyElse) {
  using enum record::v1::Role;
  subject_ = person("u-sup-001", ROLE_COMMISSIONER, kSchoolScope);
  const std::string pdf = media::made_pdf();
  const std::string upload = "/files/uploads/" + begin("a.pdf", pdf).body.value("id", "");
  const Subject owner = subject_;
  subject_ = person("u-sup-002", ROLE_COMMISSIONER, kSchoolScope);
  EXPECT_EQ(ask("GET", upload).status, 404);
  EXPECT_EQ(ask("PATCH", upload, pdf, 0).status, 404);
  EXPECT_EQ(ask("DELETE", upload).status, 404);
  subject_ = {};
  EXPECT_EQ(ask("PATCH", upload, pdf, 0).status, 401);
  EXPECT_EQ(begin("a.pdf", pdf).status, 401);
  subject_ = owner;
  EXPECT_EQ(ask("DELETE", upload).status, 200);
  EXPECT_EQ(ask("GET", upload).status, 404);
  EXPECT_TRUE(shelf_.begun.empty());
}

TEST_F(FileDeskTest, GivesAFileOnlyToWhoSeesTheRecordThatNamesIt) {
  using enum record::v1::Role;
  const std::string pdf = media::made_pdf();
  const Json file = hand_in("a.pdf", pdf).body["file"];
  const std::string visit = make_visit({{"attachments", Json::array({attachment(file)})}});
  const std::string other = make_visit();
  const std::string hash = hash_of(pdf);
  const auto status = [&](const std::string& record, const std::string& name) {
    return ask("GET", "/files/" + name + "?record=" + record).status;
  };
  subject_ = person("u-com-1", ROLE_COMMISSIONER, "org-430200/org-430202/zone-430202-1");
  EXPECT_EQ(status(visit, hash), 200);
  EXPECT_EQ(status(other, hash), 404);  // does not name it
  EXPECT_EQ(status(visit, std::string(64, '0')), 404);
  EXPECT_EQ(status(visit, "..%2F..%2Fetc%2Fpasswd"), 404);
  EXPECT_EQ(status("", hash), 404);
  subject_ = person("u-com-2", ROLE_COMMISSIONER, "org-430200/org-430203/zone-430203-1");
  const auto no = ask("GET", "/files/" + hash + "?record=" + visit);
  EXPECT_EQ(no.status, 404);
  subject_ = person("u-con-001", ROLE_SCHOOL_CONTACT, kSchoolScope);
  EXPECT_EQ(status(visit, hash), 404);  // a draft is not the school's yet
  subject_ = {};
  EXPECT_EQ(status(visit, hash), 401);
}

TEST_F(FileDeskTest, SaysThatAFileHasNotComeYetToWhoMaySeeIt) {
  const std::string pdf = media::made_pdf();
  const Json file = {{"file_name", "a.pdf"},
                     {"mime", "application/pdf"},
                     {"sha256", hash_of(pdf)},
                     {"size", pdf.size()}};
  const std::string visit = make_visit({{"attachments", Json::array({attachment(file)})}});
  const auto answer = ask("GET", "/files/" + hash_of(pdf) + "?record=" + visit);
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(rule_of(answer), "file_absent");
}

TEST_F(FileDeskTest, DoesNotBelieveATypeThatItWouldNotHaveGiven) {
  Json file = hand_in("a.pdf", media::made_pdf()).body["file"];
  file["mime"] = "text/html";
  const std::string visit = make_visit({{"attachments", Json::array({attachment(file)})}});
  const auto read = ask("GET", "/files/" + file.value("sha256", "") + "?record=" + visit);
  EXPECT_EQ(read.file->content_type, "application/octet-stream");
  EXPECT_TRUE(read.file->disposition.starts_with("attachment;"));
}

TEST_F(FileDeskTest, RecordsTakeSmallThumbnailsAndRealHashesOnly) {
  const Json file = hand_in("a.jpg", media::made_jpeg()).body["file"];
  const auto save = [&](const char* name, const Json& value) {
    Json changed = attachment(file);
    changed[name] = value;
    const Json body = {{"type", "visit_record"},
                       {"as", "u-sup-001"},
                       {"value",
                        {{"school_id", "sch-001"},
                         {"visit_date", "2025-10-09"},
                         {"attachments", Json::array({changed})}}}};
    return rule_of(ask("POST", "/records", body.dump()));
  };
  EXPECT_EQ(save("thumbnail", to_base64(std::string(8 * 1024, 'x'))), "taken");
  EXPECT_EQ(save("thumbnail", to_base64(std::string(8 * 1024 + 1, 'x'))), "thumbnail");
  EXPECT_EQ(save("sha256", "../../etc/passwd"), "sha256");
  EXPECT_EQ(save("sha256", std::string(64, 'A')), "sha256");
}

TEST_F(FileDeskTest, LimitsUploadsOfOnePersonAndForgetsOldOnes) {
  for (int n = 0; n < 16; ++n) EXPECT_EQ(begin("a" + std::to_string(n), "x").status, 201);
  EXPECT_EQ(rule_of(begin("one more", "x")), "uploads");
  now_ = now_ + hours(8 * 24);
  EXPECT_EQ(begin("one more", "x").status, 201);
  EXPECT_EQ(shelf_.begun.size(), 1u);
}

TEST_F(FileDeskTest, RefusesPromisesThatCannotBeKept) {
  const auto post = [&](const Json& body) { return ask("POST", "/files", body.dump()).status; };
  EXPECT_EQ(post({{"name", "a"}, {"size", 0}}), 400);
  EXPECT_EQ(post({{"name", "a"}, {"size", -1}}), 400);
  EXPECT_EQ(post({{"name", "a"}, {"size", "1"}}), 400);
  EXPECT_EQ(post({{"name", "a"}}), 400);
  EXPECT_EQ(post({{"size", 1}}), 400);
  EXPECT_EQ(post({{"name", std::string(1025, 'a')}, {"size", 1}}), 400);
  EXPECT_EQ(post({{"name", "a"}, {"size", (2ull << 30) + 1}}), 413);
  EXPECT_EQ(post({{"name", "a"}, {"size", 1}, {"sha256", "../x"}}), 400);
  EXPECT_EQ(post({{"name", "a"}, {"size", 1}, {"keep_location", 1}}), 400);
  shelf_.room = 10;
  EXPECT_EQ(rule_of(begin("a", "more than ten bytes")), "file_disk");
  shelf_.room = ~0ull;
  kept_.works = false;
  EXPECT_EQ(begin("a", "x").status, 503);
  EXPECT_TRUE(shelf_.begun.empty());
}

TEST_F(FileDeskTest, WhatTheOfficeHandsInIsHiddenOnASchoolsPcAndSurvivesARestart) {
  shelf_.hides = true;
  subject_ = person("u-sup-001", record::v1::ROLE_RESPONSIBLE_SUPERVISOR, kSchoolScope);
  const std::string text = "what a pupil said\n";
  const auto begun = begin("a pupil.txt", text);
  const std::string path = "/files/uploads/" + begun.body.value("id", "");
  ASSERT_EQ(ask("PATCH", path, text.substr(0, 5), 0).status, 200);
  EXPECT_TRUE(shelf_.hidden_tokens.contains(begun.body["id"]));
  EXPECT_EQ(kept_.text.find("pupil"), std::string::npos) << kept_.text;
  shelf_.hides = false;  // nobody is signed in after a restart
  start();
  EXPECT_EQ(ask("GET", path).status, 404);
  shelf_.hides = true;
  EXPECT_EQ(ask("GET", path).body["offset"], 5);
  EXPECT_EQ(ask("PATCH", path, text.substr(5), 5).body["file"]["sha256"], hash_of(text));
  EXPECT_EQ(kept_.text.find("pupil"), std::string::npos) << kept_.text;
}

TEST_F(FileDeskTest, WhatTheSchoolHandsInIsItsOwn) {
  shelf_.hides = true;
  subject_ = person("u-con-001", record::v1::ROLE_SCHOOL_CONTACT, kSchoolScope);
  const auto begun = begin("a.txt", "x");
  EXPECT_FALSE(shelf_.hidden_tokens.contains(begun.body["id"]));
}

}  // namespace
}  // namespace duhui::agent

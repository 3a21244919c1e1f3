#include "shared/media/file_name.h"

#include <gtest/gtest.h>

#include "shared/media/limits.h"

namespace duhui::media {
namespace {

using namespace std::string_literals;

const FileType kJpeg{
    .mime = "image/jpeg", .extension = ".jpg", .kind = Kind::photo, .shrinks = true};
const FileType kPdf{.mime = "application/pdf", .extension = ".pdf"};

TEST(SafeFileName, KeepsWhatPeopleCallTheirFiles) {
  for (const char* name : {"一年级 课堂（3班）.jpg", "plan 2025.final.pdf", "Größe.txt", "报告"}) {
    EXPECT_EQ(safe_file_name(name), name);
  }
}

TEST(SafeFileName, LeadsNowhereElse) {
  EXPECT_EQ(safe_file_name("../../etc/passwd"), "passwd");
  EXPECT_EQ(safe_file_name("..\\..\\windows\\win.ini"), "win.ini");
  EXPECT_EQ(safe_file_name("C:\\photo.jpg"), "photo.jpg");
  EXPECT_EQ(safe_file_name(".."), "file");
  EXPECT_EQ(safe_file_name("."), "file");
  EXPECT_EQ(safe_file_name("a/"), "file");
  EXPECT_EQ(safe_file_name(""), "file");
  EXPECT_EQ(safe_file_name(".bashrc"), "bashrc");
  EXPECT_EQ(safe_file_name("photo.jpg. . "), "photo.jpg");
  EXPECT_EQ(safe_file_name("a\0b.jpg"s), "ab.jpg");
  EXPECT_EQ(safe_file_name("a<b>:\"c|?*.jpg"), "a_b___c___.jpg");
}

TEST(SafeFileName, ShowsWhatItIs) {
  EXPECT_EQ(safe_file_name("photo\u202egpj.exe"), "photogpj.exe");
  EXPECT_EQ(safe_file_name("a\u200bb\ufeffc\u2066d.txt"), "abcd.txt");
  EXPECT_EQ(safe_file_name("line\r\nbreak\x7f.txt"), "linebreak.txt");
  EXPECT_EQ(safe_file_name("bad\xff\xc0\xaf.txt"), "bad___.txt");
  EXPECT_EQ(safe_file_name("surrogate\xed\xa0\x80.txt"), "surrogate___.txt");
}

TEST(SafeFileName, AvoidsTheNamesOfDevices) {
  EXPECT_EQ(safe_file_name("CON"), "_CON");
  EXPECT_EQ(safe_file_name("nul.txt"), "_nul.txt");
  EXPECT_EQ(safe_file_name("com1.jpg"), "_com1.jpg");
  EXPECT_EQ(safe_file_name("comet.jpg"), "comet.jpg");
}

TEST(SafeFileName, IsShortAndKeepsItsEnding) {
  std::string longest;
  for (int n = 0; n < 200; ++n) longest += "课";
  const std::string name = safe_file_name(longest + ".pdf");
  EXPECT_LE(name.size(), kFileNameBytesMax);
  EXPECT_TRUE(name.ends_with("课.pdf"));
  EXPECT_LE(safe_file_name(longest + ".exe", kPdf).size(), kFileNameBytesMax);
  EXPECT_EQ(safe_file_name("a." + std::string(500, 'b')).size(), kFileNameBytesMax);
}

TEST(SafeFileName, HasTheEndingOfItsContent) {
  EXPECT_EQ(safe_file_name("report.pdf.exe", kPdf), "report.pdf.exe.pdf");
  EXPECT_EQ(safe_file_name("report.PDF", kPdf), "report.PDF");
  EXPECT_EQ(safe_file_name("scan.PNG", kJpeg), "scan.jpg");
  EXPECT_EQ(safe_file_name("scan.jpeg", kJpeg), "scan.jpeg");
  EXPECT_EQ(safe_file_name("IMG_0001", kJpeg), "IMG_0001.jpg");
}

TEST(ContentDisposition, NamesTheFileForOldAndNewReaders) {
  EXPECT_EQ(content_disposition("plan.pdf", false),
            "attachment; filename=\"plan.pdf\"; filename*=UTF-8''plan.pdf");
  EXPECT_EQ(content_disposition("课.jpg", true),
            "inline; filename=\"___.jpg\"; filename*=UTF-8''%E8%AF%BE.jpg");
  const std::string hostile = content_disposition("a\"; x=\"\r\nSet-Cookie: y.jpg", false);
  EXPECT_EQ(hostile.find('\n'), std::string::npos);
  EXPECT_EQ(hostile.find("\"; x"), std::string::npos);
}

}  // namespace
}  // namespace duhui::media

#include "shared/media/sniff.h"

#include <gtest/gtest.h>

#include "tests/shared/media/made_files.h"

namespace duhui::media {
namespace {

using namespace std::string_literals;

std::string mime_of(const std::string& bytes) {
  const auto type = sniff(MemorySource(bytes));
  return type ? type->mime : "refused: " + type.error().detail;
}

std::string rule_of(const std::string& bytes) {
  const auto type = sniff(MemorySource(bytes));
  if (type) return "taken as " + type->mime;
  return type.error().detail.substr(0, type.error().detail.find(':'));
}

TEST(Sniff, KnowsEveryTypeThatIsTakenByItsContent) {
  EXPECT_EQ(mime_of(made_jpeg()), "image/jpeg");
  EXPECT_EQ(mime_of(made_png()), "image/png");
  EXPECT_EQ(mime_of(made_webp(8, 8, false, false)), "image/webp");
  EXPECT_EQ(mime_of(made_gif()), "image/gif");
  EXPECT_EQ(mime_of(made_box("ftyp", "heic" + big(0, 4) + "mif1") + made_box("meta", "m")),
            "image/heic");
  EXPECT_EQ(mime_of(made_pdf()), "application/pdf");
  EXPECT_EQ(mime_of(made_docx()),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document");
  EXPECT_EQ(mime_of(made_zip({{.name = "[Content_Types].xml"}, {.name = "xl/workbook.xml"}})),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
  EXPECT_EQ(mime_of(made_zip({{.name = "[Content_Types].xml"}, {.name = "ppt/presentation.xml"}})),
            "application/vnd.openxmlformats-officedocument.presentationml.presentation");
  EXPECT_EQ(mime_of(made_ole({"Root Entry", "WordDocument"})), "application/msword");
  EXPECT_EQ(mime_of(made_ole({"Root Entry", "Workbook"})), "application/vnd.ms-excel");
  EXPECT_EQ(mime_of(made_ole({"Root Entry", "PowerPoint Document"})),
            "application/vnd.ms-powerpoint");
  EXPECT_EQ(mime_of(made_mp4("isom")), "video/mp4");
  EXPECT_EQ(mime_of(made_mp4("qt  ")), "video/quicktime");
  EXPECT_EQ(mime_of(made_box("wide", "") + made_box("mdat", "m") + made_box("moov", "m")),
            "video/quicktime");
  EXPECT_EQ(mime_of(made_mp4("M4A ")), "audio/mp4");
  EXPECT_EQ(mime_of(made_mp3(4)), "audio/mpeg");
  EXPECT_EQ(mime_of("ID3\x04\0\0\0\0\0\x05tag.."s + made_mp3(4)), "audio/mpeg");
  EXPECT_EQ(mime_of(made_amr()), "audio/amr");
  EXPECT_EQ(mime_of(made_wav()), "audio/wav");
  EXPECT_EQ(mime_of(made_zip({{.name = "照片/一.jpg"}})), "application/zip");
}

TEST(Sniff, TellsTextTablesAndTheirCharacters) {
  const auto utf8 = sniff(MemorySource("课堂秩序良好。\nAll in order.\n")).value();
  EXPECT_EQ(utf8.mime, "text/plain");
  EXPECT_EQ(utf8.charset, "utf-8");
  const auto gb = sniff(MemorySource("\xbf\xce\xcc\xc3,\xd6\xc8\xd0\xf2\n1,2\n")).value();
  EXPECT_EQ(gb.mime, "text/csv");
  EXPECT_EQ(gb.charset, "gb18030");
  EXPECT_EQ(mime_of("a,b,c\n1,\"x,\ny\",3\n4,5,6\n"), "text/csv");
  EXPECT_EQ(mime_of("first, a note\nwithout columns\n"), "text/plain");
  // Where a film would name its first part.
  EXPECT_EQ(mime_of("the wide road to school was closed"), "text/plain");
  EXPECT_EQ(rule_of("half a character \xe8"), "file_type");
  EXPECT_EQ(rule_of("a NUL \0 inside"s), "file_type");
}

TEST(Sniff, RefusesWhatRunsOrIsAPage) {
  for (const std::string& hostile :
       {"\x7f"s + "ELF\x02\x01\x01", "MZ\x90\0\x03"s, "#!/bin/sh\nrm -rf ~\n"s,
        "@echo off\ndel *\n"s, "<!DOCTYPE html><p>hi"s,
        "<svg xmlns='http://www.w3.org/2000/svg'/>"s, "\xef\xbb\xbf  <html>"s,
        "harmless at first\n<ScRiPt>alert(1)</script>\n"s, "text <?php system('id'); ?>"s,
        "<?xml version='1.0'?><x/>"s, "\xca\xfe\xba\xbe\0\0"s,
        made_zip({{.name = "META-INF/MANIFEST.MF"}}), made_zip({{.name = "classes.dex"}})}) {
    EXPECT_EQ(rule_of(hostile), "file_active") << hostile.substr(0, 20);
  }
  EXPECT_EQ(rule_of(made_docx("word/vbaProject.bin")), "file_macros");
  EXPECT_EQ(rule_of(made_ole({"Root Entry", "WordDocument", "Macros"})), "file_macros");
  EXPECT_EQ(rule_of(made_ole({"Root Entry", "Installer"})), "file_type");
}

TEST(Sniff, RefusesWhatIsOneThingInFrontAndAnotherBehind) {
  const std::string page = "<html><script>alert(1)</script></html>";
  const std::string archive = made_zip({{.name = "a.html", .content = page}});
  EXPECT_EQ(rule_of(made_gif() + page), "file_broken");
  EXPECT_EQ(rule_of(made_gif() + archive), "file_broken");
  EXPECT_EQ(rule_of(made_pdf() + archive), "file_broken");
  EXPECT_EQ(rule_of(made_mp4("isom") + page), "file_broken");
  EXPECT_EQ(rule_of(made_wav() + page), "file_broken");
  EXPECT_EQ(rule_of(archive + page), "file_broken");
  const std::string before = "PK\x03\x04 something else ";
  EXPECT_EQ(rule_of(before + archive), "file_broken");
}

TEST(Sniff, RefusesArchivesThatLeaveTheirFolderOrExplode) {
  for (const char* name :
       {"../evil.txt", "a/../../evil", "/etc/passwd", "C:/evil", "a\\..\\b", ""}) {
    EXPECT_EQ(rule_of(made_zip({{.name = name}})), "file_archive") << name;
  }
  EXPECT_EQ(rule_of(made_zip({{.name = "bomb", .unpacked = 0xf0000000}})), "file_archive");
  std::vector<MadeEntry> many(10'001, {.name = "n"});
  EXPECT_EQ(rule_of(made_zip(many)), "file_archive");
  EXPECT_EQ(
      mime_of(made_zip({{.name = "fine", .content = std::string(1000, 'x'), .unpacked = 90'000}})),
      "application/zip");
}

TEST(Sniff, RefusesWhatIsCutAnywhere) {
  constexpr std::size_t kMagicBytes = 16;
  for (const std::string& whole :
       {made_gif(), made_docx(), made_ole({"WordDocument"}), made_wav()}) {
    for (std::size_t size = kMagicBytes; size < whole.size(); ++size) {
      EXPECT_FALSE(sniff(MemorySource(std::string_view(whole).substr(0, size)))) << size;
    }
  }
  for (const std::string& whole : {made_mp4("isom"), made_mp3(4), made_amr(), made_pdf()}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const auto type = sniff(MemorySource(std::string_view(whole).substr(0, size)));
      EXPECT_TRUE(type || type.error().code == ErrorCode::refused);
    }
  }
  EXPECT_EQ(rule_of(""), "file_broken");
  EXPECT_EQ(rule_of(made_docx().substr(0, 60)), "file_broken");
  EXPECT_EQ(rule_of(made_gif().substr(0, made_gif().size() - 1)), "file_broken");
  EXPECT_EQ(rule_of("%PDF-1.4\n1 0 obj\n"), "file_broken");
}

/// Says it is long, and has its head only.
class LongSource final : public Source {
 public:
  LongSource(std::string head, std::uint64_t size) : head_(std::move(head)), size_(size) {}
  std::uint64_t size() const override { return size_; }
  Result<std::string> read(std::uint64_t offset, std::size_t size) const override {
    return offset < head_.size() ? head_.substr(offset, size) : std::string(size, 'x');
  }

 private:
  const std::string head_;
  const std::uint64_t size_;
};

TEST(Sniff, LimitsEachKindBySize) {
  const auto code = [](const std::string& head, std::uint64_t size) {
    const auto type = sniff(LongSource(head, size));
    return type ? ErrorCode::not_found : type.error().code;
  };
  EXPECT_EQ(code(made_jpeg(), (40u << 20) + 1), ErrorCode::limit_exceeded);
  EXPECT_EQ(code(made_jpeg(), 40u << 20), ErrorCode::not_found);
  EXPECT_EQ(code("long text ", (100u << 20) + 1), ErrorCode::limit_exceeded);
  EXPECT_EQ(code(made_mp3(4), (2ull << 30) + 1), ErrorCode::limit_exceeded);
  EXPECT_EQ(code(made_mp3(4), 2ull << 30), ErrorCode::not_found);
}

}  // namespace
}  // namespace duhui::media

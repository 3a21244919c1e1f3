#include "tests/shared/media/made_files.h"

namespace duhui::media {

using namespace std::string_literals;

std::string little(std::uint64_t value, int bytes) {
  std::string out;
  for (int n = 0; n < bytes; ++n) out += static_cast<char>(value >> (8 * n) & 0xff);
  return out;
}

std::string big(std::uint64_t value, int bytes) {
  std::string out;
  for (int n = bytes - 1; n >= 0; --n) out += static_cast<char>(value >> (8 * n) & 0xff);
  return out;
}

std::string made_zip(const std::vector<MadeEntry>& entries, const std::string& comment) {
  std::string files;
  std::string list;
  for (const MadeEntry& entry : entries) {
    const std::size_t told = entry.unpacked == 0 ? entry.content.size() : entry.unpacked;
    const std::string common = little(20, 2) + little(0, 2) +
                               little(entry.unpacked == 0 ? 0 : 8, 2) + little(0, 4) +
                               little(0, 4) + little(entry.content.size(), 4) + little(told, 4) +
                               little(entry.name.size(), 2) + little(0, 2);
    list += "PK\x01\x02"s + little(20, 2) + common + little(0, 2) + little(0, 2) + little(0, 2) +
            little(0, 4) + little(files.size(), 4) + entry.name;
    files += "PK\x03\x04"s + common + entry.name + entry.content;
  }
  return files + list + "PK\x05\x06"s + little(0, 4) + little(entries.size(), 2) +
         little(entries.size(), 2) + little(list.size(), 4) + little(files.size(), 4) +
         little(comment.size(), 2) + comment;
}

std::string made_docx(const std::string& more) {
  return made_zip({{.name = "[Content_Types].xml"}, {.name = "word/document.xml"}, {.name = more}});
}

std::string made_ole(const std::vector<std::string>& streams) {
  std::string head("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8);
  head.resize(76, '\0');
  head.replace(30, 2, little(9, 2));
  head.replace(44, 8, little(1, 4) + little(1, 4));  // one table sector, folder in sector 1
  head += little(0, 4);
  while (head.size() < 512) head += "\xff\xff\xff\xff";
  std::string table = little(0xfffffffd, 4) + little(0xfffffffe, 4);
  while (table.size() < 512) table += "\xff\xff\xff\xff";
  std::string folder;
  for (const std::string& name : streams) {
    std::string entry;
    for (const char c : name) entry += std::string(1, c) + '\0';
    entry.resize(64, '\0');
    entry += little(2 * name.size() + 2, 2) + "\x02";
    entry.resize(128, '\0');
    folder += entry;
  }
  folder.resize(512, '\0');
  return head + table + folder;
}

std::string made_box(const std::string& type, const std::string& content) {
  return big(8 + content.size(), 4) + type + content;
}

std::string made_mp4(const std::string& brand) {
  return made_box("ftyp", brand + big(0, 4) + "isom") + made_box("moov", made_box("mvhd", "x")) +
         made_box("mdat", std::string(100, 'm'));
}

std::string made_mp3(int frames) {
  std::string out;
  for (int n = 0; n < frames; ++n) {
    std::string frame("\xff\xfb\x90\x00", 4);  // 128 kbit/s at 44.1 kHz
    frame.resize(417, '\x55');
    out += frame;
  }
  return out;
}

std::string made_wav() {
  const std::string format = "fmt "s + little(16, 4) + little(1, 2) + little(1, 2) +
                             little(8000, 4) + little(8000, 4) + little(1, 2) + little(8, 2);
  const std::string body = "WAVE" + format + "data" + little(10, 4) + std::string(10, '\x80');
  return "RIFF" + little(body.size(), 4) + body;
}

std::string made_amr() {
  std::string out = "#!AMR\n";
  for (int n = 0; n < 5; ++n) out += "\x3c" + std::string(31, 'a');
  return out;
}

std::string made_gif() {
  return "GIF89a" + little(2, 2) + little(2, 2) + "\x80\0\0"s + "\0\0\0\xff\xff\xff"s + "\x2c"s +
         little(0, 4) + little(2, 2) + little(2, 2) + "\0\x02\x02\x84\x51"s + "\0"s + ";";
}

std::string made_pdf() { return "%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"; }

}  // namespace duhui::media

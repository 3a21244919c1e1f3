#include "shared/carry/bundle_paths.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>

#include "shared/base/bytes.h"

namespace duhui {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNameBytesMax = 90;  // a name on a stick has 255 bytes

Error error_of(const std::error_code& error, const std::string& path) {
  const auto code = error == std::errc::no_such_file_or_directory ? ErrorCode::not_found
                    : error == std::errc::permission_denied       ? ErrorCode::refused
                                                                  : ErrorCode::storage_failed;
  return {code, path + ": " + error.message()};
}

/// What every file system of sticks takes, cut at a whole character.
std::string file_word(std::string_view name) {
  std::string word;
  for (const char c : name) {
    const bool bad = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ||
                     std::string_view(R"(/\:*?"<>| .)").find(c) != std::string_view::npos;
    word += bad ? '_' : c;
  }
  while (word.size() > kNameBytesMax ||
         (!word.empty() && word.size() == kNameBytesMax && (word.back() & 0xC0) == 0x80)) {
    while (!word.empty() && (word.back() & 0xC0) == 0x80) word.pop_back();
    if (!word.empty()) word.pop_back();
  }
  return word.empty() ? "device" : word;
}

/// "20251009": of the day in UTC; a name for people, nothing depends on it.
std::string date_text(WallTime at) {
  const std::chrono::sys_days day = std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(at.ms)));
  const std::chrono::year_month_day date(day);
  std::string text = std::to_string(static_cast<int>(date.year()) * 10'000 +
                                    static_cast<int>(static_cast<unsigned>(date.month())) * 100 +
                                    static_cast<int>(static_cast<unsigned>(date.day())));
  return text;
}

std::string prefix_of(const BundleNames& names) { return "duhui-" + file_word(names.name) + "-"; }

}  // namespace

Result<std::vector<std::string>> find_bundles(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (error) return error_of(error, path);
    if (!fs::is_directory(status)) {
      files.push_back(path);
    } else {
      std::vector<std::string> found;
      fs::directory_iterator entry(path, error);
      for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        // A stick that was in a Mac holds "._name" beside each file.
        if (name.ends_with(kBundleSuffix) && !name.starts_with('.')) {
          found.push_back(entry->path().string());
        }
        if (found.size() > kBundleFilesMax) break;
      }
      if (error) return error_of(error, path);
      std::sort(found.begin(), found.end());
      files.insert(files.end(), found.begin(), found.end());
    }
    if (files.size() > kBundleFilesMax) {
      return Error{ErrorCode::limit_exceeded,
                   "more than " + std::to_string(kBundleFilesMax) + " files"};
    }
  }
  return files;
}

bool BundleNames::is_folder() const {
  std::error_code error;
  return target.ends_with('/') || fs::is_directory(target, error);
}

std::string BundleNames::of_part(std::size_t part, std::size_t parts) const {
  const std::string number = "-p" + std::to_string(part) + "of" + std::to_string(parts);
  if (is_folder()) {
    const std::string slash = target.ends_with('/') ? "" : "/";
    return target + slash + prefix_of(*this) + date_text(made_at) + "-" +
           to_hex(bundle_id).substr(0, 8) + number + std::string(kBundleSuffix);
  }
  if (parts == 1) return target;
  std::string stem = target;
  if (stem.ends_with(kBundleSuffix)) stem.resize(stem.size() - kBundleSuffix.size());
  return stem + number + std::string(kBundleSuffix);
}

void remove_unfinished(const BundleNames& names) {
  if (!names.is_folder()) return;
  const std::string end = std::string(kBundleSuffix) + ".tmp";
  const std::string begin = prefix_of(names);
  std::error_code error;
  for (fs::directory_iterator entry(names.target, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code kept;  // left where it is: nobody reads it
    if (name.starts_with(begin) && name.ends_with(end)) fs::remove(entry->path(), kept);
  }
}

}  // namespace duhui

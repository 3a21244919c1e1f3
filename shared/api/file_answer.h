#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "shared/api/answer.h"
#include "shared/api/named_file.h"

namespace duhui::api {

/// Where the bytes of a file are.
struct FileBytes {
  std::uint64_t size = 0;
  std::function<Result<std::string>(std::uint64_t offset, std::size_t size)> read{};
};

/// A file as a record names it. Its name is made safe; a type that is not known is a download, and
/// so is what no browser should show.
std::shared_ptr<FileAnswer> file_answer(const NamedFile& named, FileBytes bytes, std::string tag);

/// A thumbnail, which is small and in memory already.
std::shared_ptr<FileAnswer> thumbnail_answer(std::string bytes, const std::string& sha256);

}  // namespace duhui::api

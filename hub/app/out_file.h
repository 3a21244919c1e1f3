#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace duhui::hub {

/// A file written piece by piece, for its owner only: beside its name, synced, then renamed. What
/// was not finished leaves nothing.
class OutFile {
 public:
  static Result<std::unique_ptr<OutFile>> open(const std::string& path);
  ~OutFile();
  OutFile(const OutFile&) = delete;
  OutFile& operator=(const OutFile&) = delete;

  Status append(std::string_view bytes);
  Status finish();

 private:
  OutFile(std::string path, int file) : path_(std::move(path)), file_(file) {}

  const std::string path_;
  int file_;
  bool finished_ = false;
};

}  // namespace duhui::hub

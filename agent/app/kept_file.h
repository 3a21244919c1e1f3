#pragma once

#include <string>
#include <utility>

#include "agent/app/data_folder.h"
#include "shared/api/kept_text.h"

namespace duhui::agent {

/// A text in a file of the data folder.
class KeptFile final : public api::KeptText {
 public:
  /// `folder` outlives this.
  KeptFile(DataFolder& folder, std::string path) : folder_(folder), path_(std::move(path)) {}

  Result<std::string> load() override { return folder_.read_kept(path_); }
  Status save(const std::string& text) override { return folder_.write_file(path_, text); }

 private:
  DataFolder& folder_;
  const std::string path_;
};

}  // namespace duhui::agent

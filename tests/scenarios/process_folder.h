#pragma once

#include <string>

namespace duhui::scenarios {

/// A folder of its own for the data of programs; goes with this object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Copies the data folder of a program that does not run, or a folder of such.
void copy_data(const std::string& from, const std::string& to);

/// A port of this machine where nothing listens, outside of the range that connections get theirs
/// from: a hub finds it free again after each restart.
int free_port();

}  // namespace duhui::scenarios

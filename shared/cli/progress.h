#pragma once

#include <cstddef>
#include <string>

namespace duhui::cli {

/// A bar on the terminal's error output; silent when that is not a terminal.
class Progress {
 public:
  Progress(std::string label, std::size_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void advance(std::size_t by);

 private:
  void draw();

  const std::string label_;
  const std::size_t total_;
  const bool visible_;
  std::size_t done_ = 0;
  std::size_t drawn_percent_ = 101;
};

}  // namespace duhui::cli

#include "shared/cli/progress.h"

#include <algorithm>
#include <iostream>
#include <utility>

#include <unistd.h>

namespace duhui::cli {
namespace {

constexpr std::size_t kWidth = 30;

}  // namespace

Progress::Progress(std::string label, std::size_t total)
    : label_(std::move(label)), total_(total), visible_(::isatty(STDERR_FILENO) == 1) {
  draw();
}

Progress::~Progress() {
  if (visible_) std::cerr << std::endl;
}

void Progress::advance(std::size_t by) {
  done_ = std::min(total_, done_ + by);
  draw();
}

void Progress::draw() {
  const std::size_t percent = total_ == 0 ? 100 : done_ * 100 / total_;
  if (!visible_ || percent == drawn_percent_) return;
  drawn_percent_ = percent;
  const std::size_t filled = percent * kWidth / 100;
  std::cerr << '\r' << label_ << " [" << std::string(filled, '#')
            << std::string(kWidth - filled, ' ') << "] " << done_ << "/" << total_ << " " << percent
            << "%" << std::flush;
}

}  // namespace duhui::cli

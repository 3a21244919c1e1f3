#pragma once

#include <string>

#include "shared/api/kept_text.h"

namespace duhui {

/// A kept text in memory, of a disk that may refuse.
class MemoryText final : public api::KeptText {
 public:
  std::string text{};
  bool works = true;

  Result<std::string> load() override { return text; }
  Status save(const std::string& now) override {
    if (!works) return Error{ErrorCode::storage_failed, "kept"};
    text = now;
    return Done{};
  }
};

}  // namespace duhui

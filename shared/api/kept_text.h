#pragma once

#include <string>

#include "shared/base/result.h"

namespace duhui::api {

/// A small text that survives a restart and is nobody else's: wrong tries, provisional accounts.
class KeptText {
 public:
  virtual ~KeptText() = default;

  /// Empty: none was kept yet.
  virtual Result<std::string> load() = 0;
  /// Replaces it; durable on return.
  virtual Status save(const std::string& text) = 0;
};

}  // namespace duhui::api

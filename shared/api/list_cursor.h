#pragma once

#include <string>
#include <string_view>

#include "shared/base/ids.h"
#include "shared/base/result.h"
#include "shared/crypto/signing.h"

namespace duhui::api {

/// Where a list goes on after a record its reader may know nothing of: sealed, so that it tells
/// neither the id nor the time in it. Good for this run of the program.
class ListCursor {
 public:
  ListCursor();

  std::string text(const RecordId& after) const;
  static bool is_one(std::string_view text) { return text.starts_with(kMark); }
  /// `invalid_input`: of another run, or nothing of ours.
  Result<RecordId> after(std::string_view text) const;

 private:
  static constexpr char kMark = '.';  // in no id

  const SigningKey key_;
};

}  // namespace duhui::api

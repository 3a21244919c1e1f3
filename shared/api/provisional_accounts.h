#pragma once

#include <map>
#include <optional>
#include <string>

#include "duhui/record/v1/org.pb.h"
#include "shared/api/kept_text.h"
#include "shared/base/result.h"
#include "shared/crypto/password.h"

namespace duhui::api {

/// Accounts that people made themselves on a device that had none: a name they gave and a password
/// that keeps others out until the real ones arrive.
class ProvisionalAccounts {
 public:
  struct One {
    LockedSeed locked{};
    record::v1::Role role = record::v1::ROLE_UNSPECIFIED;
  };
  static constexpr std::size_t kMax = 50;

  /// `kept` outlives this; null: there are none here.
  explicit ProvisionalAccounts(KeptText* kept) : kept_(kept) {}

  /// Empty optional: nobody of this name yet.
  Result<std::optional<One>> find(const std::string& user_id);
  /// `limit_exceeded`: too many.
  Status add(const std::string& user_id, const One& one);

 private:
  Status load();

  KeptText* kept_;
  bool loaded_ = false;
  std::map<std::string, One> all_;
};

}  // namespace duhui::api

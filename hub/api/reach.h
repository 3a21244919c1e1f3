#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shared/domain/authority.h"

namespace duhui::hub {

/// How far what a person may do with a thing reaches: an officer of a district sees to its devices
/// and to what they sent, not to those of others. The operator and those who keep the whole hub
/// (its administrators and auditors) see to all.
class Reach {
 public:
  Reach(const Subject& subject, Verb verb, Thing thing);

  bool everywhere() const { return everywhere_; }
  bool covers(std::string_view scope) const;
  /// At least one of them.
  bool covers_any(const std::vector<std::string>& scopes) const;

 private:
  bool everywhere_ = false;
  std::vector<std::string> scopes_{};
};

}  // namespace duhui::hub

#include "hub/api/reach.h"

#include <algorithm>

#include "shared/base/scope.h"

namespace duhui::hub {
namespace {

bool keeps_the_hub(record::v1::Role role) {
  return role == record::v1::ROLE_IT_ADMIN || role == record::v1::ROLE_SECURITY_ADMIN ||
         role == record::v1::ROLE_AUDITOR;
}

}  // namespace

Reach::Reach(const Subject& subject, Verb verb, Thing thing) {
  everywhere_ = subject.kind == Subject::Kind::operator_;
  if (subject.kind != Subject::Kind::person) return;
  for (const Grant& grant : subject.grants) {
    Subject one = subject;
    one.grants = {grant};
    if (!authorize(one, verb, thing)) continue;
    if (keeps_the_hub(grant.role)) everywhere_ = true;
    if (!grant.scope.empty()) scopes_.push_back(grant.scope);
  }
}

bool Reach::covers(std::string_view scope) const {
  return everywhere_ || std::ranges::any_of(scopes_, [&](const std::string& granted) {
           return scope_writable(granted, scope);
         });
}

bool Reach::covers_any(const std::vector<std::string>& scopes) const {
  return everywhere_ ||
         std::ranges::any_of(scopes, [this](const std::string& scope) { return covers(scope); });
}

}  // namespace duhui::hub

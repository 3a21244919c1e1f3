#pragma once

#include <string>
#include <utility>

#include "hub/api/hub_access.h"
#include "shared/api/kept_text.h"

namespace duhui::hub {

/// A text in the table of settings.
class KeptSetting final : public api::KeptText {
 public:
  /// `hub` outlives this.
  KeptSetting(HubAccess& hub, std::string key) : hub_(hub), key_(std::move(key)) {}

  Result<std::string> load() override {
    std::string text;
    DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
      DUHUI_TRY(stored, tx.settings().get(key_));
      text = stored.value_or("");
      return Done{};
    }));
    return text;
  }
  Status save(const std::string& text) override {
    return hub_.change([&](HubTransaction& tx) { return tx.settings().put(key_, text); });
  }

 private:
  HubAccess& hub_;
  const std::string key_;
};

}  // namespace duhui::hub

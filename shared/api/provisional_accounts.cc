#include "shared/api/provisional_accounts.h"

#include <nlohmann/json.hpp>

#include "shared/base/bytes.h"

namespace duhui::api {
namespace {

using Json = nlohmann::json;

Json json_of(const ProvisionalAccounts::One& one) {
  return {{"passes", one.locked.cost.passes},
          {"memory_kib", one.locked.cost.memory_kib},
          {"salt", to_hex(one.locked.salt)},
          {"sealed", to_hex(one.locked.sealed)},
          {"role", static_cast<int>(one.role)}};
}

std::optional<ProvisionalAccounts::One> one_of(const Json& json) {
  if (!json.is_object()) return std::nullopt;
  const Json passes = json.value("passes", Json());
  const Json memory = json.value("memory_kib", Json());
  const Json role = json.value("role", Json());
  const Json salt = json.value("salt", Json());
  const Json sealed = json.value("sealed", Json());
  if (!passes.is_number_unsigned() || !memory.is_number_unsigned() || !role.is_number_unsigned() ||
      !salt.is_string() || !sealed.is_string()) {
    return std::nullopt;
  }
  const auto salt_bytes = from_hex(salt.get<std::string>());
  const auto sealed_bytes = from_hex(sealed.get<std::string>());
  if (!salt_bytes || !sealed_bytes || !record::v1::Role_IsValid(role.get<int>())) {
    return std::nullopt;
  }
  return ProvisionalAccounts::One{
      .locked = {.cost = {passes.get<std::uint32_t>(), memory.get<std::uint32_t>()},
                 .salt = *salt_bytes,
                 .sealed = *sealed_bytes},
      .role = static_cast<record::v1::Role>(role.get<int>())};
}

}  // namespace

Status ProvisionalAccounts::load() {
  if (loaded_ || kept_ == nullptr) return Done{};
  DUHUI_TRY(text, kept_->load());
  const Json kept = text.empty() ? Json::object() : Json::parse(text, nullptr, false);
  if (!kept.is_object()) return Error{ErrorCode::corrupt_data, "people: not readable"};
  for (const auto& [user_id, json] : kept.items()) {
    if (auto one = one_of(json)) all_[user_id] = std::move(*one);
  }
  loaded_ = true;
  return Done{};
}

Result<std::optional<ProvisionalAccounts::One>> ProvisionalAccounts::find(
    const std::string& user_id) {
  DUHUI_CHECK_OK(load());
  const auto at = all_.find(user_id);
  return at == all_.end() ? std::optional<One>() : std::optional<One>(at->second);
}

Status ProvisionalAccounts::add(const std::string& user_id, const One& one) {
  DUHUI_CHECK_OK(load());
  if (kept_ == nullptr) return Error{ErrorCode::refused, "not_provisional: real accounts only"};
  if (all_.size() >= kMax) return Error{ErrorCode::limit_exceeded, "people: at most 50"};
  Json kept = Json::object();
  for (const auto& [name, other] : all_) kept[name] = json_of(other);
  kept[user_id] = json_of(one);
  DUHUI_CHECK_OK(kept_->save(kept.dump()));
  all_[user_id] = one;
  return Done{};
}

}  // namespace duhui::api

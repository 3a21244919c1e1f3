#include "hub/api/bundle_desk.h"

#include <optional>
#include <string>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/sync/bundle_limits.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

Error invalid(std::string detail) { return {ErrorCode::invalid_input, std::move(detail)}; }

}  // namespace

void BundleDesk::add_to(api::Router& router) {
  router.add("POST", "/bundles/import", {Verb::manage, Thing::registries},
             [this](const api::ApiRequest& request) { return take(request); });
  router.add("POST", "/bundles/export", {Verb::manage, Thing::registries},
             [this](const api::ApiRequest& request) { return make(request); });
}

Result<api::ApiResponse> BundleDesk::take(const api::ApiRequest& request) {
  std::vector<std::string> paths;
  const auto at = request.body.is_object() ? request.body.find("paths") : request.body.end();
  if (at == request.body.end() || !at->is_array() || at->empty()) return invalid("missing: paths");
  for (const Json& path : *at) {
    if (!path.is_string() || !path.get<std::string>().starts_with('/')) {
      return invalid("paths: each from the root");
    }
    paths.push_back(path);
  }
  DUHUI_TRY(told, hub_.take_bundles(paths));
  return api::ApiResponse{200, std::move(told)};
}

Result<api::ApiResponse> BundleDesk::make(const api::ApiRequest& request) {
  DUHUI_TRY(named, request.body_text("device"));
  DUHUI_TRY(target, request.body_text("target"));
  if (!target.starts_with('/')) return invalid("target: a path from the root");
  DUHUI_TRY(device, device_of(named));
  BundleOrder order{
      .device = device, .target = target, .part_bytes = bundle_limits::kPartBytesDefault};
  const auto part = request.body.find("part_bytes");
  if (part != request.body.end() && !part->is_null()) {
    if (!part->is_number_unsigned()) return invalid("part_bytes: a number");
    order.part_bytes = part->get<std::uint64_t>();
  }
  DUHUI_TRY(told, hub_.make_bundles(order));
  return api::ApiResponse{200, std::move(told)};
}

Result<DeviceId> BundleDesk::device_of(const std::string& named) {
  const auto bytes = from_uuid_text(named);
  if (const auto id = bytes ? DeviceId::from_bytes(*bytes) : std::nullopt) return *id;
  std::optional<DeviceId> found;
  bool several = false;
  DUHUI_CHECK_OK(hub_.read([&](HubTransaction& tx, OpReader&) -> Status {
    DUHUI_TRY(rows, tx.devices().all());
    found.reset();
    several = false;
    for (const DeviceRow& row : rows) {
      if (row.name != named) continue;
      several = found.has_value();
      found = row.id;
    }
    return Done{};
  }));
  if (several) return invalid("several devices have this name: use the id");
  if (!found) return Error{ErrorCode::not_found, "no such device: " + named};
  return *found;
}

}  // namespace duhui::hub

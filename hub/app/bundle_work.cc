#include "hub/app/bundle_work.h"

#include <optional>
#include <utility>

#include "hub/app/frame_spool.h"
#include "hub/core/bundle_making.h"
#include "hub/core/bundle_taking.h"
#include "shared/base/bytes.h"
#include "shared/carry/bundle_export.h"
#include "shared/carry/carried_file.h"
#include "shared/carry/carried_list.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

Json error_json(const Error& error) {
  return {{"code", to_string(error.code)}, {"detail", error.detail}};
}

Json skipped(const std::string& path, const Error& why) {
  return {{"path", path}, {"result", "skipped"}, {"reason", error_json(why)}};
}

Status prove(HubAccess& hub, CarriedFile& file) {
  for (;;) {
    if (hub.stopping()) return Error{ErrorCode::unavailable, "the hub stops"};
    DUHUI_TRY(proven, file.prove_more());
    if (proven) return Done{};
  }
}

Json outcome_json(const CarriedFile& file, const BundleTaking& taking) {
  const BundleTaking::Outcome outcome = taking.outcome();
  const BundleFiles::Count& files = outcome.files;
  const bool waits = outcome.waiting > 0 || files.waiting > 0;
  const bool took = outcome.taken > 0 || files.kept > 0 || files.bytes > 0;
  const char* result = outcome.fork ? "fork" : waits ? "waiting" : took ? "taken" : "known";
  Json told = {{"result", result},
               {"device", to_uuid_text(file.header().device_id())},
               {"device_name", outcome.device_name},
               {"bundle", to_hex(file.header().bundle_id())},
               {"part", file.header().part()},
               {"parts", file.header().parts()},
               {"ops", outcome.taken},
               {"known_ops", outcome.known},
               {"waiting_ops", outcome.waiting},
               {"quarantined", outcome.aside},
               {"attachments", files.kept},
               {"known_attachments", files.known},
               {"waiting_attachments", files.waiting},
               {"attachment_bytes", files.bytes},
               {"revoked", outcome.revoked}};
  if (files.waiting > 0) told["waiting_for"] = files.why;
  return told;
}

/// One file, whole.
Json take_file(HubAccess& hub, const std::string& path) {
  auto file = CarriedFile::open(path, hub.key(), sync::v1::BUNDLE_DIRECTION_TO_HUB);
  if (!file) return skipped(path, file.error());
  if (auto proven = prove(hub, **file); !proven) return skipped(path, proven.error());
  const sync::v1::BundleHeader& header = (*file)->header();
  // An act that cannot be written down does not happen.
  const Status noted = hub.audit(
      {.actor = "operator",
       .device = to_uuid_text(header.device_id()),
       .action = "bundle.import",
       .target_type = "bundle",
       .target_id = to_hex(header.bundle_id()),
       .outcome = "begun",
       .detail = "part " + std::to_string(header.part()) + "/" + std::to_string(header.parts())});
  if (!noted) return skipped(path, noted.error());
  BundleTaking taking(header, (*file)->opening(), [&file, &hub]() {
    if (!hub.stopping()) return (*file)->next_frame();
    return Result<std::optional<std::string>>(Error{ErrorCode::unavailable, "the hub stops"});
  });
  if (auto done = hub.converse(taking); !done) return skipped(path, done.error());
  const Status kept =
      hub.change([&](HubTransaction& tx) { return remember_told(tx, taking.told()); });
  if (!kept) return skipped(path, kept.error());
  Json taken = outcome_json(**file, taking);
  taken["path"] = path;
  return taken;
}

std::uint64_t count_of(const Json& file, const char* what) {
  return file.value(what, std::uint64_t{0});
}

bool is_progress(const Json& file) {
  return count_of(file, "ops") > 0 || count_of(file, "attachments") > 0 ||
         count_of(file, "attachment_bytes") > 0;
}

/// Adds what a later try of the same file took.
Json together(const Json& before, Json now) {
  if (!before.is_object() || now["result"] == "skipped") return now;
  for (const char* sum : {"ops", "quarantined", "attachments", "attachment_bytes"}) {
    now[sum] = count_of(before, sum) + count_of(now, sum);
  }
  if (now["result"] == "known" && is_progress(now)) now["result"] = "taken";
  return now;
}

}  // namespace

Result<Json> take_bundles(HubAccess& hub, const std::vector<std::string>& paths) {
  DUHUI_TRY(found, list_carried(paths, hub.key().public_key(), sync::v1::BUNDLE_DIRECTION_TO_HUB));
  std::vector<Json> files(found.size());
  std::vector<std::size_t> pending;
  for (std::size_t n = 0; n < found.size(); ++n) {
    if (!found[n].skipped) {
      pending.push_back(n);
      continue;
    }
    files[n] = skipped(found[n].path, *found[n].skipped);
    files[n]["foreign"] = found[n].skipped->code == ErrorCode::refused;
  }
  std::uint64_t ops = 0;
  std::uint64_t attachments = 0;
  for (bool progress = true; progress && !pending.empty();) {
    progress = false;
    std::vector<std::size_t> waiting;
    for (const std::size_t n : pending) {
      Json now = take_file(hub, found[n].path);
      ops += count_of(now, "ops");
      attachments += count_of(now, "attachments");
      progress = progress || is_progress(now);
      if (now["result"] == "waiting") waiting.push_back(n);
      files[n] = together(files[n], std::move(now));
    }
    pending = std::move(waiting);
  }
  std::size_t passed_over = 0;
  for (const Json& file : files) passed_over += file["result"] == "skipped" ? 1 : 0;
  return Json{{"files", files},
              {"ops", ops},
              {"attachments", attachments},
              {"taken", files.size() - passed_over},
              {"skipped", passed_over}};
}

Result<Json> make_bundles(HubAccess& hub, const BundleOrder& order, const std::string& spool) {
  std::optional<DeviceRow> device;
  Told told;
  DUHUI_CHECK_OK(hub.read([&](HubTransaction& tx, OpReader&) -> Status {
    DUHUI_TRY(row, tx.devices().get(order.device));
    if (!row) return Error{ErrorCode::not_found, "no such device"};
    DUHUI_TRY(said, told_by(tx, *row));
    device = std::move(*row);
    told = std::move(said);
    return Done{};
  }));
  const auto to = PublicKey::from_bytes(device->public_key);
  if (!to) return Error{ErrorCode::corrupt_data, "device: its key"};
  std::string id(16, '\0');
  hub.random().fill(id.data(), id.size());
  DUHUI_CHECK_OK(hub.audit({.actor = "operator",
                            .device = to_uuid_text(device->id.view()),
                            .action = "bundle.export",
                            .target_type = "bundle",
                            .target_id = to_hex(id),
                            .outcome = "begun"}));
  sync::v1::BundleOpening opening;
  opening.set_public_key(hub.key().public_key().str());
  opening.set_name(hub.facts().name);
  opening.set_acknowledged(told.hello.acknowledged().seq());
  opening.set_own_log_from(told.hello.own_log_from());
  DUHUI_TRY(frames, FrameSpool::create(spool, std::move(opening)));
  const auto sink = [&](std::string_view frame, std::uint64_t ops, std::uint64_t count) -> Status {
    if (hub.stopping()) return Error{ErrorCode::unavailable, "the hub stops"};
    return frames->put(frame, ops, count);
  };
  BundleMaking making(std::move(told), sink);
  DUHUI_CHECK_OK(hub.converse(making));

  BundleExport::Order work{.head = {}, .to = *to, .part_bytes = order.part_bytes, .names = {}};
  work.head.set_direction(sync::v1::BUNDLE_DIRECTION_TO_DEVICE);
  work.head.set_bundle_id(id);
  work.head.set_device_id(device->id.str());
  work.head.set_made_at_ms(hub.now().ms);
  work.names = {.target = order.target,
                .name = device->name + "-return",
                .made_at = hub.now(),
                .bundle_id = id};
  DUHUI_TRY(writing, BundleExport::begin(*frames, std::move(work), hub.key(), hub.random()));
  for (bool done = false; !done;) {
    if (hub.stopping()) return Error{ErrorCode::unavailable, "the hub stops"};
    DUHUI_TRY(whole, writing->step());
    done = whole;
  }
  Json files = Json::array();
  std::uint64_t bytes = 0;
  for (const BundleExport::Part& part : writing->parts()) {
    files.push_back({{"path", part.path},
                     {"bytes", part.bytes},
                     {"ops", part.ops},
                     {"attachments", part.files}});
    bytes += part.bytes;
  }
  return Json{{"device", to_uuid_text(device->id.view())},
              {"device_name", device->name},
              {"bundle", to_hex(id)},
              {"files", std::move(files)},
              {"ops", making.ops()},
              {"attachments", making.files()},
              {"bytes", bytes},
              {"acknowledged", making.welcome().hub_head().seq()},
              {"revoked", device->revoked}};
}

}  // namespace duhui::hub

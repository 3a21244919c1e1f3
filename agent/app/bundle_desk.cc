#include "agent/app/bundle_desk.h"

#include <filesystem>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/core/bundle_source.h"
#include "shared/api/router.h"
#include "shared/base/bytes.h"
#include "shared/carry/carried_list.h"
#include "shared/carry/sticks.h"
#include "shared/record/json_text.h"
#include "shared/sync/bundle_limits.h"

namespace duhui::agent {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::json;

Error invalid(std::string detail) { return {ErrorCode::invalid_input, std::move(detail)}; }

Json error_json(const Error& error) {
  return {{"code", to_string(error.code)}, {"detail", error.detail}};
}

Json stick_json(const Stick& stick) {
  return {{"path", stick.path},
          {"device", stick.device},
          {"writable", stick.writable},
          {"free_bytes", stick.free_bytes}};
}

Result<std::uint64_t> part_bytes_of(const Json& body) {
  const auto at = body.find("part_bytes");
  if (at == body.end() || at->is_null()) return bundle_limits::kPartBytesDefault;
  if (!at->is_number_unsigned()) return invalid("part_bytes: a number");
  return at->get<std::uint64_t>();
}

Result<std::vector<std::string>> paths_of(const Json& body) {
  std::vector<std::string> paths;
  const auto at = body.find("paths");
  if (at == body.end() || !at->is_array() || at->empty()) return invalid("missing: paths");
  for (const Json& path : *at) {
    if (!path.is_string() || !path.get<std::string>().starts_with('/')) {
      return invalid("paths: each from the root");
    }
    paths.push_back(path);
  }
  return paths;
}

api::ApiResponse told(Result<Json> result) {
  return result ? api::ApiResponse{200, std::move(*result)} : api::error_answer(result.error());
}

/// For the time of one export or import.
class Busy {
 public:
  explicit Busy(bool& flag) : flag_(flag) { flag_ = true; }
  ~Busy() { flag_ = false; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  bool& flag_;
};

Error busy_error() {
  return {ErrorCode::unavailable, "bundle: another export or import is under way"};
}

Status prove(CarriedFile& file) {
  for (;;) {
    DUHUI_TRY(proven, file.prove_more());
    if (proven) return Done{};
  }
}

}  // namespace

std::string BundleDesk::hub_key() const {
  const std::string& welcomed = parts_.replica.state().hub_key();
  return welcomed.empty() ? parts_.card.hub_key : welcomed;
}

std::string BundleDesk::name() const {
  if (!parts_.card.name.empty()) return parts_.card.name;
  // Not confirmed yet: the place it is for.
  if (parts_.card.scopes.empty()) return to_uuid_text(parts_.card.identity.id.view());
  const std::string& scope = parts_.card.scopes.front();
  return scope.substr(scope.rfind('/') + 1);
}

asio::awaitable<Result<Json>> BundleDesk::export_to(std::string target, std::uint64_t part_bytes) {
  if (busy_) co_return busy_error();
  const Busy busy(busy_);
  const auto to = PublicKey::from_bytes(hub_key());
  if (!to) {
    co_return Error{ErrorCode::refused,
                    "bundle: the hub's key is not known yet: a typed ticket does not hold it; "
                    "connect once, or make the device from the ticket file"};
  }
  BundleExport::Order order;
  std::string id(16, '\0');
  parts_.random.fill(id.data(), id.size());
  const ClockReading clock = parts_.clock.read();
  order.head.set_direction(sync::v1::BUNDLE_DIRECTION_TO_HUB);
  order.head.set_bundle_id(id);
  order.head.set_device_id(parts_.card.identity.id.str());
  order.head.set_made_at_ms(clock.wall.ms);
  order.to = *to;
  order.part_bytes = part_bytes;
  order.names = {
      .target = std::move(target), .name = name(), .made_at = clock.wall, .bundle_id = id};
  auto source =
      BundleSource::begin(parts_.replica, parts_.card.identity, name(), id, clock, parts_.software);
  if (!source) co_return std::move(source).error();
  auto work =
      BundleExport::begin(**source, std::move(order), parts_.card.identity.key, parts_.random);
  if (!work) co_return std::move(work).error();
  BundleExport& writing = **work;
  for (;;) {
    Result<bool> done = false;
    if (writing.waits_for_disk()) {
      const std::function<void()> slow = [&] { done = writing.step(); };
      co_await pool_.perform(slow);
    } else {
      done = writing.step();
      co_await asio::post(parts_.executor, asio::use_awaitable);  // others come first
    }
    if (!done) co_return std::move(done).error();
    if (*done) break;
  }
  Json files = Json::array();
  std::uint64_t ops = 0;
  std::uint64_t bytes = 0;
  for (const BundleExport::Part& part : writing.parts()) {
    files.push_back({{"path", part.path},
                     {"bytes", part.bytes},
                     {"ops", part.ops},
                     {"attachments", part.files}});
    ops += part.ops;
    bytes += part.bytes;
  }
  co_return Json{{"bundle", to_hex(id)},
                 {"files", std::move(files)},
                 {"ops", ops},
                 {"attachments", (*source)->files()},
                 {"bytes", bytes}};
}

asio::awaitable<Result<Json>> BundleDesk::import_from(std::vector<std::string> paths) {
  if (busy_) co_return busy_error();
  const Busy busy(busy_);
  const PublicKey& own = parts_.card.identity.key.public_key();
  auto found = list_carried(paths, own, sync::v1::BUNDLE_DIRECTION_TO_DEVICE);
  if (!found) co_return std::move(found).error();
  Json files = Json::array();
  std::size_t taken = 0;
  std::size_t skipped = 0;
  for (const CarriedCandidate& one : *found) {
    Json file;
    if (one.skipped) {
      file = {{"path", one.path},
              {"result", "skipped"},
              {"reason", error_json(*one.skipped)},
              {"foreign", one.skipped->code == ErrorCode::refused}};
    } else {
      file = co_await import_file(one.path);
    }
    ++(file["result"] == "skipped" ? skipped : taken);
    files.push_back(std::move(file));
  }
  co_return Json{{"files", std::move(files)},
                 {"taken", taken},
                 {"skipped", skipped},
                 {"unacknowledged", parts_.replica.unacknowledged()}};
}

asio::awaitable<Json> BundleDesk::import_file(std::string path) {
  const auto skip = [&path](const Error& why) {
    return Json{{"path", path}, {"result", "skipped"}, {"reason", error_json(why)}};
  };
  auto file =
      CarriedFile::open(path, parts_.card.identity.key, sync::v1::BUNDLE_DIRECTION_TO_DEVICE);
  if (!file) co_return skip(file.error());
  Status proven = Done{};
  const std::function<void()> reading = [&] { proven = prove(**file); };
  co_await pool_.perform(reading);
  if (!proven) co_return skip(proven.error());
  if (hub_key().empty()) {
    co_return skip({ErrorCode::refused,
                    "bundle: the hub's key is not known yet: connect once, or make the device from "
                    "the ticket file"});
  }
  if ((*file)->opening().public_key() != hub_key()) {
    co_return skip({ErrorCode::refused, "bundle: not signed by this device's hub"});
  }
  BundleDelivery delivery(parts_.replica, (*file)->opening());
  const Status delivered = co_await deliver(**file, delivery);
  const BundleDelivery::Outcome& outcome = delivery.outcome();
  parts_.delivered(outcome);
  const bool fresh =
      outcome.pages + outcome.acknowledged + outcome.receipts > 0 || outcome.welcomed;
  Json told = {{"path", path},
               {"result", fresh ? "taken" : "known"},
               {"part", (*file)->header().part()},
               {"parts", (*file)->header().parts()},
               {"records", outcome.changed.size()},
               {"pages", outcome.pages},
               {"acknowledged", outcome.acknowledged},
               {"attachments", outcome.receipts},
               {"revoked", outcome.revoked}};
  if (!delivered) {
    told["result"] = "skipped";
    told["reason"] = error_json(delivered.error());
  }
  co_return told;
}

asio::awaitable<Status> BundleDesk::deliver(CarriedFile& file, BundleDelivery& delivery) {
  for (;;) {
    Result<std::optional<std::string>> frame = std::optional<std::string>{};
    const std::function<void()> reading = [&] { frame = file.next_frame(); };
    co_await pool_.perform(reading);
    if (!frame) co_return std::move(frame).error();
    if (!*frame) co_return Done{};
    auto taken = delivery.take(**frame);
    if (!taken) co_return taken;
  }
}

// --- requests ---

bool BundleDesk::answers(std::string_view path) {
  return path == "/usb" || path == "/usb/export" || path == "/usb/import" ||
         path == "/bundles/export" || path == "/bundles/import";
}

Result<std::string> BundleDesk::stick_of(const Json& body) const {
  const std::vector<Stick> sticks = find_sticks(folders_);
  const auto wanted = body.find("path");
  if (wanted == body.end() || wanted->is_null()) {
    if (sticks.empty()) return Error{ErrorCode::not_found, "usb: no stick is mounted"};
    if (sticks.size() > 1) return invalid("usb: several sticks are mounted: say which (path)");
    return sticks.front().path;
  }
  for (const Stick& stick : sticks) {
    if (*wanted == stick.path) return stick.path;
  }
  return Error{ErrorCode::not_found, "usb: no such stick"};
}

asio::awaitable<api::ApiResponse> BundleDesk::answer(std::string method,
                                                     std::string path,
                                                     Subject subject,
                                                     std::string text) {
  const Error no_such{ErrorCode::not_found, "no such address"};
  // Sticks are for everybody who has signed in; any path of the machine for those who have the
  // machine.
  const Thing thing = path.starts_with("/usb") ? Thing::link : Thing::machine;
  const auto may = api::granted(authorize(subject, Verb::manage, thing));
  if (!may) co_return api::error_answer(may.error());
  if (path == "/usb") {
    if (method != "GET") co_return api::error_answer(no_such);
    Json sticks = Json::array();
    for (const Stick& stick : find_sticks(folders_)) sticks.push_back(stick_json(stick));
    co_return api::ApiResponse{200, Json{{"sticks", std::move(sticks)}}};
  }
  if (method != "POST") co_return api::error_answer(no_such);
  Json body = Json::object();
  if (!text.empty()) {
    auto parsed = parse_json(text);
    if (!parsed) co_return api::error_answer(parsed.error());
    if (!parsed->is_object()) co_return api::error_answer(invalid("body: an object"));
    body = std::move(*parsed);
  }
  const auto part_bytes = part_bytes_of(body);
  if (!part_bytes) co_return api::error_answer(part_bytes.error());
  if (path.starts_with("/usb/")) {
    auto stick = stick_of(body);
    if (!stick) co_return api::error_answer(stick.error());
    if (path == "/usb/export") {
      std::string folder = *stick + "/";
      co_return told(co_await export_to(std::move(folder), *part_bytes));
    }
    std::vector<std::string> folder{*stick};
    co_return told(co_await import_from(std::move(folder)));
  }
  if (path == "/bundles/export") {
    const auto target = body.find("target");
    if (target == body.end() || !target->is_string() ||
        !target->get<std::string>().starts_with('/')) {
      co_return api::error_answer(invalid("target: a path from the root"));
    }
    auto place = target->get<std::string>();
    co_return told(co_await export_to(std::move(place), *part_bytes));
  }
  auto paths = paths_of(body);
  if (!paths) co_return api::error_answer(paths.error());
  co_return told(co_await import_from(std::move(*paths)));
}

}  // namespace duhui::agent

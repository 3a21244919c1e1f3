#include "agent/app/data_folder.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "agent/store/paths.h"
#include "shared/base/bytes.h"
#include "shared/crypto/text.h"

namespace duhui::agent {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kCardBytesMax = 256 << 10;  // a district's device may hold 400 scopes

/// What a device presents in its Hello until the hub has confirmed it.
std::string presentation_of(const Ticket& ticket) {
  return ticket.id + ":" + to_base64url(ticket.secret_view());
}

Error damaged(const std::string& what) { return {ErrorCode::corrupt_data, "identity: " + what}; }

}  // namespace

Status DataFolder::make_folders() {
  // Each missing folder of the path, from the top.
  for (std::size_t at = path_.find('/', 1);; at = path_.find('/', at + 1)) {
    const std::string folder = path_.substr(0, at);
    DUHUI_TRY(there, files_.info(folder));
    if (!there) {
      DUHUI_CHECK_OK(files_.make_folder(folder));
      DUHUI_CHECK_OK(files_.sync_folder(folder_of(folder)));
    }
    if (at == std::string::npos) return Done{};
  }
}

Status DataFolder::write_file(const std::string& path, const std::string& text) {
  const std::string draft = path + ".new";
  {
    DUHUI_TRY(file, files_.open_to_append(draft, FileSystem::Existing::replaced));
    DUHUI_CHECK_OK(file->append(text));
    DUHUI_CHECK_OK(file->sync());
  }
  return rename_durably(files_, draft, path);
}

Result<DeviceCard> DataFolder::enrol(const Ticket& ticket, Random& random) {
  DUHUI_CHECK_OK(make_folders());
  DUHUI_TRY(there, files_.info(card_file()));
  if (there) return Error{ErrorCode::conflict, "init: this folder has a device already: " + path_};
  // A key without its card is what a crash between the two writes leaves: it was never used.
  DeviceCard card{.identity = {.id = DeviceId::random(random),
                               .key = SigningKey::generate(random),
                               .ticket = presentation_of(ticket)},
                  .hub = {.host = ticket.host, .port = ticket.port, .pin = ticket.hub_pin},
                  .scopes = ticket.scopes};
  DUHUI_CHECK_OK(write_file(key_file(), card.identity.key.file_text()));
  DUHUI_CHECK_OK(save(card));
  return card;
}

Status DataFolder::save(const DeviceCard& card) {
  const Json json = {
      {"device_id", to_uuid_text(card.identity.id.view())},
      {"name", card.name},
      {"hub", {{"host", card.hub.host}, {"port", card.hub.port}, {"pin", to_hex(card.hub.pin)}}},
      {"ticket", card.identity.ticket},
      {"scopes", card.scopes}};
  return write_file(card_file(), json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

Result<DeviceCard> DataFolder::load() {
  DUHUI_TRY(there, files_.info(card_file()));
  if (!there)
    return Error{ErrorCode::not_found, "identity: run `duhui-agent init` first: " + path_};
  DUHUI_TRY(card_text, read_file(files_, card_file(), kCardBytesMax));
  DUHUI_TRY(key_text, read_file(files_, key_file(), kCardBytesMax));
  DUHUI_TRY(key, SigningKey::from_file_text(key_text));
  const Json json = Json::parse(card_text, nullptr, false);
  if (!json.is_object() || !json.contains("hub") || !json["hub"].is_object()) {
    return damaged("identity.json");
  }
  const auto text = [](const Json& object, const char* name) {
    const auto at = object.find(name);
    return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  const auto id_bytes = from_uuid_text(text(json, "device_id"));
  const auto id = id_bytes ? DeviceId::from_bytes(*id_bytes) : std::nullopt;
  const auto pin = from_hex(text(json["hub"], "pin"));
  const auto port = json["hub"].find("port");
  if (!id || !pin || port == json["hub"].end() || !port->is_number_unsigned()) {
    return damaged("identity.json");
  }
  DeviceCard card{
      .identity = {.id = *id, .key = std::move(key), .ticket = text(json, "ticket")},
      .name = text(json, "name"),
      .hub = {.host = text(json["hub"], "host"), .port = port->get<std::uint16_t>(), .pin = *pin}};
  if (json.contains("scopes") && json["scopes"].is_array()) {
    for (const Json& scope : json["scopes"]) {
      if (scope.is_string()) card.scopes.push_back(scope);
    }
  }
  return card;
}

}  // namespace duhui::agent

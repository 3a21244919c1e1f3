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

std::string text_at(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::uint32_t checksum_of(const Json& object) {
  return crc32c(object.dump(-1, ' ', false, Json::error_handler_t::replace));
}

/// A JSON object as text, with a checksum over the rest of it.
std::string sealed(Json object) {
  object["crc32c"] = checksum_of(object);
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// Null: damaged, or empty because the file is not there.
Json opened(const std::string& text) {
  Json object = Json::parse(text, nullptr, false);
  if (!object.is_object() || !object.contains("crc32c")) return nullptr;
  const Json told = object["crc32c"];
  object.erase("crc32c");
  return told == checksum_of(object) ? object : Json();
}

Json card_json(const DeviceCard& card) {
  return {{"device_id", to_uuid_text(card.identity.id.view())},
          {"name", card.name},
          {"hub",
           {{"host", card.hub.host},
            {"port", card.hub.port},
            {"pin", to_hex(card.hub.pin)},
            {"key", to_hex(card.hub_key)}}},
          {"ticket", card.identity.ticket},
          {"scopes", card.scopes}};
}

Result<DeviceCard> read_card(const Json& json, const SigningKey& key) {
  const Error damaged{ErrorCode::corrupt_data, "identity: not what this program writes"};
  if (!json.contains("hub") || !json["hub"].is_object()) return damaged;
  const auto id_bytes = from_uuid_text(text_at(json, "device_id"));
  const auto id = id_bytes ? DeviceId::from_bytes(*id_bytes) : std::nullopt;
  const auto pin = from_hex(text_at(json["hub"], "pin"));
  const auto port = json["hub"].find("port");
  if (!id || !pin || port == json["hub"].end() || !port->is_number_unsigned()) return damaged;
  DeviceCard card{.identity = {.id = *id, .key = key, .ticket = text_at(json, "ticket")},
                  .name = text_at(json, "name"),
                  .hub = {.host = text_at(json["hub"], "host"),
                          .port = port->get<std::uint16_t>(),
                          .pin = *pin},
                  .hub_key = from_hex(text_at(json["hub"], "key")).value_or("")};
  if (json.contains("scopes") && json["scopes"].is_array()) {
    for (const Json& scope : json["scopes"]) {
      if (scope.is_string()) card.scopes.push_back(scope);
    }
  }
  return card;
}

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

Result<std::string> DataFolder::read_kept(const std::string& path) {
  DUHUI_TRY(there, files_.info(path));
  if (!there) return std::string();
  return read_file(files_, path, kCardBytesMax);
}

Status DataFolder::keep(const DeviceCard& card, const std::string& key_text) {
  // The spare first: from then on the device exists.
  DUHUI_CHECK_OK(write_file(spare_file(), sealed({{"card", card_json(card)}, {"key", key_text}})));
  return write_file(card_file(), sealed(card_json(card)));
}

Result<DeviceCard> DataFolder::enrol(const Ticket& ticket, Random& random) {
  DUHUI_CHECK_OK(make_folders());
  for (const std::string& path : {card_file(), spare_file()}) {
    DUHUI_TRY(there, files_.info(path));
    if (there) {
      return Error{ErrorCode::conflict, "init: this folder has a device already: " + path_};
    }
  }
  // A key alone is what a crash in an earlier attempt left: it was never used.
  DeviceCard card{.identity = {.id = DeviceId::random(random),
                               .key = SigningKey::generate(random),
                               .ticket = presentation_of(ticket)},
                  .hub = {.host = ticket.host, .port = ticket.port, .pin = ticket.hub_pin},
                  .hub_key = ticket.hub_key,
                  .scopes = ticket.scopes};
  DUHUI_CHECK_OK(write_file(key_file(), card.identity.key.file_text()));
  DUHUI_CHECK_OK(save(card));
  return card;
}

Result<net::TlsIdentity> DataFolder::page_identity(const std::vector<std::string>& hosts) {
  const std::string path = path_ + "/pages.pem";
  DUHUI_TRY(kept, read_kept(path));
  if (!kept.empty()) return net::parse_tls_identity(kept);
  DUHUI_TRY(identity, net::make_tls_identity("duhui-agent", {}, hosts));
  DUHUI_CHECK_OK(write_file(path, identity.pem));
  return identity;
}

Status DataFolder::save(const DeviceCard& card) {
  return keep(card, card.identity.key.file_text());
}

Result<DeviceCard> DataFolder::load() {
  DUHUI_TRY(card_text, read_kept(card_file()));
  DUHUI_TRY(key_text, read_kept(key_file()));
  DUHUI_TRY(spare_text, read_kept(spare_file()));
  if (card_text.empty() && spare_text.empty()) {
    return Error{ErrorCode::not_found, "identity: run `duhui-agent init` first: " + path_};
  }
  const Json spare = opened(spare_text);
  Json json = opened(card_text);
  auto key = SigningKey::from_file_text(key_text);
  bool mend = spare.is_null();
  if (json.is_null() && spare.is_object() && spare.contains("card")) {
    json = spare["card"];
    mend = true;
  }
  if (!key && spare.is_object()) {
    key = SigningKey::from_file_text(text_at(spare, "key"));
    if (key) DUHUI_CHECK_OK(write_file(key_file(), key->file_text()));
  }
  if (!key) return std::move(key).error();
  if (!json.is_object()) return Error{ErrorCode::corrupt_data, "identity: damaged, and no spare"};
  DUHUI_TRY(card, read_card(json, *key));
  if (mend) DUHUI_CHECK_OK(save(card));
  return card;
}

}  // namespace duhui::agent

#include "hub/store/sqlite/sqlite_setting_table.h"

#include "hub/ports/store_limits.h"

namespace duhui::hub {

Result<std::optional<std::string>> SqliteSettingTable::get(std::string_view key) {
  DUHUI_TRY(statement, database_.connection.prepare("SELECT value FROM setting WHERE key=?"));
  DUHUI_TRY(found, statement.bytes(key).step());
  if (!found) return std::optional<std::string>{};
  return std::optional<std::string>(statement.text_at(0));
}

Status SqliteSettingTable::put(std::string_view key, std::string_view value) {
  DUHUI_CHECK_OK(check_writable(database_));
  DUHUI_CHECK_OK(check_text("setting key", key));
  DUHUI_CHECK_OK(check_size("setting", value.size(), kStorePayloadMax));
  DUHUI_TRY(statement,
            database_.connection.prepare("INSERT OR REPLACE INTO setting(key,value) VALUES(?,?)"));
  return statement.bytes(key).bytes(value).run();
}

Status SqliteSettingTable::erase(std::string_view key) {
  DUHUI_CHECK_OK(check_writable(database_));
  DUHUI_TRY(statement, database_.connection.prepare("DELETE FROM setting WHERE key=?"));
  return statement.bytes(key).run();
}

Result<std::vector<std::pair<std::string, std::string>>> SqliteSettingTable::list(
    std::string_view prefix) {
  DUHUI_TRY(statement, database_.connection.prepare(
                           "SELECT key,value FROM setting WHERE key>=? ORDER BY key"));
  statement.bytes(prefix);
  std::vector<std::pair<std::string, std::string>> found_settings;
  for (;;) {
    DUHUI_TRY(found, statement.step());
    if (!found || !statement.bytes_at(0).starts_with(prefix)) return found_settings;
    found_settings.emplace_back(statement.text_at(0), statement.text_at(1));
  }
}

}  // namespace duhui::hub

#include "hub/store/sqlite/sqlite_device_table.h"

#include "hub/ports/store_limits.h"
#include "shared/base/bytes.h"

namespace duhui::hub {
namespace {

constexpr std::string_view kGet =
    "SELECT id,public_key,name,scopes,revoked,flags,enrolled_at,last_seen_at,clock_offset_ms,"
    "current_origin,software FROM device WHERE id=?";
constexpr std::string_view kAll =
    "SELECT id,public_key,name,scopes,revoked,flags,enrolled_at,last_seen_at,clock_offset_ms,"
    "current_origin,software FROM device ORDER BY id";
constexpr std::string_view kPut =
    "INSERT OR REPLACE INTO device(id,public_key,name,scopes,revoked,flags,enrolled_at,"
    "last_seen_at,clock_offset_ms,current_origin,software) VALUES(?,?,?,?,?,?,?,?,?,?,?)";

/// (varint length, bytes) for each scope.
std::string pack_scopes(const std::vector<std::string>& scopes) {
  std::string out;
  for (const std::string& scope : scopes) {
    append_varint(out, scope.size());
    out += scope;
  }
  return out;
}

Result<std::vector<std::string>> unpack_scopes(std::string_view bytes) {
  std::vector<std::string> scopes;
  while (!bytes.empty()) {
    const auto size = take_varint(bytes);
    if (!size || *size > bytes.size())
      return Error{ErrorCode::corrupt_data, "device: a damaged list of scopes"};
    scopes.emplace_back(bytes.substr(0, *size));
    bytes.remove_prefix(*size);
  }
  return scopes;
}

Result<DeviceRow> device_at(const Statement& statement) {
  const auto id = DeviceId::from_bytes(statement.bytes_at(0));
  const auto origin = Origin::from_bytes(statement.bytes_at(9));
  if (!id || !origin) return Error{ErrorCode::corrupt_data, "device: an id that is not 16 bytes"};
  DUHUI_TRY(scopes, unpack_scopes(statement.bytes_at(3)));
  return DeviceRow{.id = *id,
                   .public_key = statement.text_at(1),
                   .name = statement.text_at(2),
                   .scopes = std::move(scopes),
                   .revoked = statement.number_at(4) != 0,
                   .flags = statement.text_at(5),
                   .enrolled_at = WallTime{statement.number_at(6)},
                   .last_seen_at = WallTime{statement.number_at(7)},
                   .clock_offset_ms = statement.number_at(8),
                   .current_origin = *origin,
                   .software = statement.text_at(10)};
}

}  // namespace

Result<std::optional<DeviceRow>> SqliteDeviceTable::get(const DeviceId& id) {
  DUHUI_TRY(statement, database_.connection.prepare(kGet));
  DUHUI_TRY(found, statement.bytes(id.view()).step());
  if (!found) return std::optional<DeviceRow>{};
  DUHUI_TRY(row, device_at(statement));
  return std::optional<DeviceRow>(std::move(row));
}

Result<std::vector<DeviceRow>> SqliteDeviceTable::all() {
  DUHUI_TRY(statement, database_.connection.prepare(kAll));
  std::vector<DeviceRow> rows;
  for (;;) {
    DUHUI_TRY(found, statement.step());
    if (!found) return rows;
    DUHUI_TRY(row, device_at(statement));
    rows.push_back(std::move(row));
  }
}

Status SqliteDeviceTable::put(const DeviceRow& row) {
  DUHUI_CHECK_OK(check_writable(database_));
  DUHUI_CHECK_OK(check_device(row));
  const std::string scopes = pack_scopes(row.scopes);
  DUHUI_TRY(statement, database_.connection.prepare(kPut));
  return statement.bytes(row.id.view())
      .bytes(row.public_key)
      .bytes(row.name)
      .bytes(scopes)
      .number(row.revoked ? 1 : 0)
      .bytes(row.flags)
      .number(row.enrolled_at.ms)
      .number(row.last_seen_at.ms)
      .number(row.clock_offset_ms)
      .bytes(row.current_origin.view())
      .bytes(row.software)
      .run();
}

}  // namespace duhui::hub

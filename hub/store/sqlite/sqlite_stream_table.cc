#include "hub/store/sqlite/sqlite_stream_table.h"

#include "hub/ports/store_limits.h"

namespace duhui::hub {
namespace {

/// Columns 0..3 are device, head, chain, backed_up.
Result<StreamRow> stream_at(const Origin& origin, const Statement& statement) {
  const auto device = DeviceId::from_bytes(statement.bytes_at(0));
  if (!device) return Error{ErrorCode::corrupt_data, "stream: a device that is not 16 bytes"};
  return StreamRow{.origin = origin,
                   .device = *device,
                   .head = statement.unsigned_at(1),
                   .chain = statement.text_at(2),
                   .backed_up = statement.unsigned_at(3)};
}

}  // namespace

Result<std::optional<StreamRow>> SqliteStreamTable::get(const Origin& origin) {
  DUHUI_TRY(number, database_.origins.find(origin.view()));
  DUHUI_TRY(statement, database_.connection.prepare(
                           "SELECT device,head,chain,backed_up FROM stream WHERE origin=?"));
  DUHUI_TRY(found, statement.number(number).step());
  if (!found) return std::optional<StreamRow>{};
  DUHUI_TRY(row, stream_at(origin, statement));
  return std::optional<StreamRow>(std::move(row));
}

Result<std::vector<StreamRow>> SqliteStreamTable::of_device(const DeviceId& device) {
  DUHUI_TRY(statement, database_.connection.prepare(
                           "SELECT s.device,s.head,s.chain,s.backed_up,o.bytes FROM stream s"
                           " JOIN origin o ON o.id=s.origin WHERE s.device=? ORDER BY o.bytes"));
  statement.bytes(device.view());
  std::vector<StreamRow> rows;
  for (;;) {
    DUHUI_TRY(found, statement.step());
    if (!found) return rows;
    const auto origin = Origin::from_bytes(statement.bytes_at(4));
    if (!origin) return Error{ErrorCode::corrupt_data, "origin: not 16 bytes"};
    DUHUI_TRY(row, stream_at(*origin, statement));
    rows.push_back(std::move(row));
  }
}

Status SqliteStreamTable::put(const StreamRow& row) {
  DUHUI_CHECK_OK(check_writable(database_));
  DUHUI_CHECK_OK(check_stream(row));
  DUHUI_TRY(number, database_.origins.intern(row.origin.view()));
  DUHUI_TRY(statement, database_.connection.prepare(
                           "INSERT INTO stream(origin,device,head,chain,backed_up)"
                           " VALUES(?,?,?,?,?) ON CONFLICT(origin) DO UPDATE SET"
                           " device=excluded.device,head=excluded.head,chain=excluded.chain,"
                           "backed_up=excluded.backed_up"));
  return statement.number(number)
      .bytes(row.device.view())
      .unsigned_number(row.head)
      .bytes(row.chain)
      .unsigned_number(row.backed_up)
      .run();
}

Status SqliteStreamTable::add_batch(const BatchRow& row) {
  DUHUI_CHECK_OK(check_writable(database_));
  DUHUI_CHECK_OK(check_batch(row));
  DUHUI_TRY(number, database_.origins.intern(row.origin.view()));
  const std::uint64_t last = row.first_seq + row.count - 1;
  // The neighbour that begins at or before our last op: does it reach into our range?
  DUHUI_TRY(neighbour, database_.connection.prepare(
                           "SELECT first_seq+count FROM batch WHERE origin=? AND first_seq<=?"
                           " ORDER BY first_seq DESC LIMIT 1"));
  DUHUI_TRY(found, neighbour.number(number).unsigned_number(last).step());
  if (found && neighbour.unsigned_at(0) > row.first_seq) {
    return Error{ErrorCode::conflict,
                 "batch: " + to_string(Dot{row.origin, row.first_seq}) + " is already there"};
  }
  DUHUI_TRY(statement,
            database_.connection.prepare(
                "INSERT INTO batch(origin,first_seq,count,encoding,dictionary,raw_bytes,chain,"
                "signature,stamps,received_at,payload) VALUES(?,?,?,?,?,?,?,?,?,?,?)"));
  return statement.number(number)
      .unsigned_number(row.first_seq)
      .number(row.count)
      .number(row.encoding)
      .number(row.dictionary)
      .number(row.raw_bytes)
      .bytes(row.chain)
      .bytes(row.signature)
      .bytes(row.stamps)
      .number(row.received_at.ms)
      .bytes(row.payload)
      .run();
}

Result<std::optional<BatchRow>> SqliteStreamTable::batch_at(const Origin& origin,
                                                            std::uint64_t seq) {
  if (seq > kStoreNumberMax) return std::optional<BatchRow>{};
  DUHUI_TRY(number, database_.origins.find(origin.view()));
  DUHUI_TRY(statement,
            database_.connection.prepare(
                "SELECT first_seq,count,encoding,dictionary,raw_bytes,chain,signature,stamps,"
                "received_at,payload FROM batch WHERE origin=? AND first_seq<=?"
                " ORDER BY first_seq DESC LIMIT 1"));
  DUHUI_TRY(found, statement.number(number).unsigned_number(seq).step());
  if (!found || seq - statement.unsigned_at(0) >= statement.unsigned_at(1))
    return std::optional<BatchRow>{};
  BatchRow row;
  row.origin = origin;
  row.first_seq = statement.unsigned_at(0);
  row.count = static_cast<std::uint32_t>(statement.number_at(1));
  row.encoding = static_cast<sync::v1::Encoding>(statement.number_at(2));
  row.dictionary = static_cast<std::uint32_t>(statement.number_at(3));
  row.raw_bytes = static_cast<std::uint32_t>(statement.number_at(4));
  row.chain = statement.text_at(5);
  row.signature = statement.text_at(6);
  row.stamps = statement.text_at(7);
  row.received_at = WallTime{statement.number_at(8)};
  row.payload = statement.text_at(9);
  return std::optional<BatchRow>(std::move(row));
}

Status SqliteStreamTable::restamp(const Origin& origin,
                                  std::uint64_t first_seq,
                                  std::string_view stamps) {
  DUHUI_CHECK_OK(check_writable(database_));
  DUHUI_TRY(batch, batch_at(origin, first_seq));
  if (!batch || batch->first_seq != first_seq) {
    return Error{ErrorCode::not_found,
                 "batch: none begins at " + to_string(Dot{origin, first_seq})};
  }
  DUHUI_TRY(number, database_.origins.find(origin.view()));
  DUHUI_TRY(statement, database_.connection.prepare(
                           "UPDATE batch SET stamps=? WHERE origin=? AND first_seq=?"));
  return statement.bytes(stamps).number(number).unsigned_number(first_seq).run();
}

}  // namespace duhui::hub

#include "hub/store/sqlite/schema.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

namespace duhui::hub {
namespace {

// Texts that repeat (scopes, schools, states, link names) are kept once, as words; 0 is the empty
// text. Origins likewise. All texts are blobs: SQLite's TEXT has opinions about zero bytes.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE word (id INTEGER PRIMARY KEY, text BLOB NOT NULL UNIQUE);
CREATE TABLE origin (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL UNIQUE);
CREATE TABLE stream (
  origin INTEGER PRIMARY KEY, device BLOB NOT NULL, head INTEGER NOT NULL, chain BLOB NOT NULL,
  backed_up INTEGER NOT NULL);
CREATE INDEX stream_device ON stream (device);
CREATE TABLE batch (
  origin INTEGER NOT NULL, first_seq INTEGER NOT NULL, count INTEGER NOT NULL,
  encoding INTEGER NOT NULL, dictionary INTEGER NOT NULL, raw_bytes INTEGER NOT NULL,
  chain BLOB NOT NULL, signature BLOB NOT NULL, stamps BLOB NOT NULL,
  received_at INTEGER NOT NULL, payload BLOB NOT NULL,
  PRIMARY KEY (origin, first_seq));
CREATE TABLE record (
  id BLOB NOT NULL PRIMARY KEY, type INTEGER NOT NULL, scope INTEGER NOT NULL,
  school INTEGER NOT NULL, date, state INTEGER NOT NULL, flags INTEGER NOT NULL,
  conflicts INTEGER NOT NULL, checksum INTEGER NOT NULL, ops BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX record_scope ON record (scope);
CREATE INDEX record_school ON record (school, type, date);
CREATE INDEX record_conflict ON record (scope) WHERE conflicts > 0;
CREATE TABLE link (
  name INTEGER NOT NULL, target BLOB NOT NULL, source BLOB NOT NULL,
  PRIMARY KEY (name, target, source)) WITHOUT ROWID;
CREATE TABLE feed_head (
  scope INTEGER PRIMARY KEY, through INTEGER NOT NULL, checksum INTEGER NOT NULL);
CREATE TABLE feed (
  scope INTEGER NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL,
  origin INTEGER NOT NULL, first_seq INTEGER NOT NULL, checksum INTEGER NOT NULL,
  PRIMARY KEY (scope, first)) WITHOUT ROWID;
CREATE TABLE device (
  id BLOB NOT NULL PRIMARY KEY, public_key BLOB NOT NULL, name BLOB NOT NULL, scopes BLOB NOT NULL,
  revoked INTEGER NOT NULL, flags BLOB NOT NULL, enrolled_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL, clock_offset_ms INTEGER NOT NULL, current_origin BLOB NOT NULL,
  software BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE conflict (
  record BLOB NOT NULL, field INTEGER NOT NULL, key BLOB NOT NULL, type INTEGER NOT NULL,
  scope INTEGER NOT NULL, opened_at INTEGER NOT NULL,
  PRIMARY KEY (record, field, key)) WITHOUT ROWID;
CREATE TABLE quarantine (
  origin BLOB NOT NULL, seq INTEGER NOT NULL, kind BLOB NOT NULL, detail BLOB NOT NULL,
  received_at INTEGER NOT NULL, op BLOB NOT NULL, PRIMARY KEY (origin, seq));
CREATE INDEX quarantine_age ON quarantine (received_at, origin, seq);
CREATE TABLE setting (key BLOB NOT NULL PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
)sql";

// What a row says is for ever: no program, this one included, changes or removes one.
constexpr const char* kVersion2 = R"sql(
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor BLOB NOT NULL, device BLOB NOT NULL,
  action BLOB NOT NULL, target_type BLOB NOT NULL, target_id BLOB NOT NULL, outcome BLOB NOT NULL,
  detail BLOB NOT NULL, chain BLOB NOT NULL);
CREATE TABLE audit_checkpoint (
  seq INTEGER PRIMARY KEY, chain BLOB NOT NULL, at INTEGER NOT NULL, signature BLOB NOT NULL);
CREATE TRIGGER audit_follows BEFORE INSERT ON audit
  WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit)
  BEGIN SELECT RAISE(ABORT, 'audit: append only'); END;
CREATE TRIGGER audit_stays_as_it_is BEFORE UPDATE ON audit
  BEGIN SELECT RAISE(ABORT, 'audit: append only'); END;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit
  BEGIN SELECT RAISE(ABORT, 'audit: append only'); END;
CREATE TRIGGER checkpoint_follows BEFORE INSERT ON audit_checkpoint
  WHEN NEW.seq <= (SELECT coalesce(max(seq), 0) FROM audit_checkpoint)
  BEGIN SELECT RAISE(ABORT, 'audit: append only'); END;
CREATE TRIGGER checkpoint_stays_as_it_is BEFORE UPDATE ON audit_checkpoint
  BEGIN SELECT RAISE(ABORT, 'audit: append only'); END;
CREATE TRIGGER checkpoint_stays BEFORE DELETE ON audit_checkpoint
  BEGIN SELECT RAISE(ABORT, 'audit: append only'); END;
)sql";

// Step n brings version n - 1 to version n. Never edit a step that was released.
constexpr std::array kSteps{kVersion1, kVersion2};

Error file_error(const std::string& what) {
  return {ErrorCode::storage_failed, what + ": " + std::strerror(errno)};
}

Status run_step(Connection& connection, std::size_t step) {
  DUHUI_CHECK_OK(connection.execute("BEGIN IMMEDIATE"));
  const std::string version = "PRAGMA user_version=" + std::to_string(step + 1);
  auto done = connection.execute(kSteps[step]);
  if (done) done = connection.execute(version.c_str());
  if (done) done = connection.execute("COMMIT");
  if (!done) static_cast<void>(connection.execute("ROLLBACK"));
  return done;
}

Status fill_new_file(const std::string& path, int page_bytes) {
  DUHUI_TRY(connection, Connection::open(path, {.writable = true, .create = true}));
  const std::string header = "PRAGMA page_size=" + std::to_string(page_bytes) +
                             ";PRAGMA application_id=" + std::to_string(kApplicationId) +
                             ";PRAGMA journal_mode=WAL";
  DUHUI_CHECK_OK(connection->execute(header.c_str()));
  return bring_up_to_date(*connection);  // closing folds the log into the file
}

}  // namespace

int schema_version() { return static_cast<int>(kSteps.size()); }

Status sync_folder_of(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  if (folder.empty()) folder = ".";
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return file_error("open " + folder);
  const bool synced = ::fsync(file) == 0;
  const Error why = file_error("sync " + folder);
  ::close(file);
  if (!synced) return why;
  return Done{};
}

Status create_database(const std::string& path, int page_bytes) {
  const std::string draft = path + ".new";
  for (const char* tail : {"", "-wal", "-shm"}) std::remove((draft + tail).c_str());
  DUHUI_CHECK_OK(fill_new_file(draft, page_bytes));
  if (std::rename(draft.c_str(), path.c_str()) != 0) return file_error("rename " + draft);
  return sync_folder_of(path);
}

Status bring_up_to_date(Connection& connection) {
  DUHUI_TRY(application, connection.number("PRAGMA application_id"));
  if (application != kApplicationId)
    return Error{ErrorCode::corrupt_data, "open: not the database of a hub"};
  DUHUI_TRY(version, connection.number("PRAGMA user_version"));
  if (version < 0 || version > schema_version()) {
    return Error{ErrorCode::refused, "newer_program: tables have version " +
                                         std::to_string(version) + ", this program knows " +
                                         std::to_string(schema_version())};
  }
  for (auto step = static_cast<std::size_t>(version); step < kSteps.size(); ++step)
    DUHUI_CHECK_OK(run_step(connection, step));
  return Done{};
}

}  // namespace duhui::hub

#include "hub/app/hub_folder.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/app/tls_rotation.h"

namespace duhui::hub {
namespace {

constexpr std::string_view kIdKey = "hub/id";
constexpr std::string_view kNameKey = "hub/name";
constexpr std::string_view kCertificateStart = "-----BEGIN CERTIFICATE-----";

Error failed(const std::string& what) {
  return {ErrorCode::storage_failed, what + ": " + std::strerror(errno)};
}

bool exists(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0;
}

Status make_folder(const std::string& path) {
  for (std::size_t at = 1; at != std::string::npos;) {
    at = path.find('/', at + 1);
    const std::string part = path.substr(0, at);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) return failed("make " + part);
  }
  return Done{};
}

Status sync_folder(const std::string& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return failed("open " + path);
  const bool synced = ::fsync(folder) == 0;
  ::close(folder);
  return synced ? Status(Done{}) : Status(failed("sync " + path));
}

Status write_all(int file, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t taken = ::write(file, text.data(), text.size());
    if (taken < 0 && errno == EINTR) continue;
    if (taken <= 0) return failed("write " + path);
    text.remove_prefix(static_cast<std::size_t>(taken));
  }
  return ::fsync(file) == 0 ? Status(Done{}) : Status(failed("sync " + path));
}

Result<int> take_lock(const std::string& folder) {
  const std::string path = folder + "/lock";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return failed("open " + path);
  if (::flock(file, LOCK_EX | LOCK_NB) == 0) return file;
  const bool held = errno == EWOULDBLOCK;
  const Error why = held ? Error{ErrorCode::unavailable, folder + ": another process has it open"}
                         : failed("lock " + path);
  ::close(file);
  return why;
}

Status make_keys(const std::string& path, const std::string& name, Random& random) {
  if (!exists(path + "/hub.key")) {
    DUHUI_CHECK_OK(write_file(path + "/hub.key", SigningKey::generate(random).file_text(), true));
  }
  if (exists(path + "/tls.key") && exists(path + "/tls.crt")) return Done{};
  DUHUI_TRY(tls, net::make_tls_identity(name));
  return write_tls_identity(path, tls);
}

struct Lock {
  explicit Lock(int opened) : file(opened) {}
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() {
    if (file >= 0) ::close(file);
  }
  int file;
};

}  // namespace

Result<std::string> read_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 && errno == ENOENT) return Error{ErrorCode::not_found, path + ": no such file"};
  if (file < 0) return failed("open " + path);
  std::string text;
  std::array<char, 65536> part{};
  for (;;) {
    const ssize_t size = ::read(file, part.data(), part.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) {
      const Error why = failed("read " + path);
      ::close(file);
      return why;
    }
    if (size == 0) break;
    text.append(part.data(), static_cast<std::size_t>(size));
  }
  ::close(file);
  return text;
}

Status write_file(const std::string& path, const std::string& text, bool only_owner) {
  const std::string beside = path + ".new";
  const int file =
      ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, only_owner ? 0600 : 0644);
  if (file < 0) return failed("open " + beside);
  Status written = write_all(file, text, beside);
  ::close(file);
  if (!written) return written;
  if (::rename(beside.c_str(), path.c_str()) != 0) return failed("rename " + beside);
  const auto slash = path.rfind('/');
  return sync_folder(slash == std::string::npos ? "." : path.substr(0, slash));
}

Status write_tls_identity(const std::string& path, const net::TlsIdentity& identity) {
  const auto certificate = identity.pem.find(kCertificateStart);
  DUHUI_CHECK_OK(write_file(path + "/tls.crt", identity.pem.substr(certificate), false));
  return write_file(path + "/tls.key", identity.pem.substr(0, certificate), true);
}

Status HubFolder::create(const std::string& path, const std::string& name, Random& random) {
  DUHUI_CHECK_OK(make_folder(path));
  DUHUI_TRY(taken, take_lock(path));
  const Lock lock(taken);
  if (exists(path + "/hub.db")) {
    return Error{ErrorCode::conflict, "exists: " + path + " is a hub already"};
  }
  DUHUI_CHECK_OK(make_keys(path, name, random));
  // The database is made under another name: hub.db means the making is complete.
  const std::string making = path + "/hub.db.new";
  const std::string made = path + "/hub.db.made";
  for (const char* suffix : {"", "-wal", "-shm"}) ::unlink((making + suffix).c_str());
  ::unlink(made.c_str());
  {
    DUHUI_TRY(store, SqliteHubStore::open(making));
    const HubId id = HubId::random(random);
    DUHUI_CHECK_OK(store->write([&](HubTransaction& tx) {
      const Status put = tx.settings().put(kIdKey, id.view());
      return put ? tx.settings().put(kNameKey, name) : put;
    }));
    DUHUI_CHECK_OK(store->backup_to(made));
  }
  if (::rename(made.c_str(), (path + "/hub.db").c_str()) != 0) return failed("rename " + made);
  for (const char* suffix : {"", "-wal", "-shm"}) ::unlink((making + suffix).c_str());
  return sync_folder(path);
}

Result<std::unique_ptr<HubFolder>> HubFolder::open(const std::string& path) {
  if (!exists(path + "/hub.key") && !exists(path + "/hub.db")) {
    return Error{ErrorCode::not_found, path + ": no hub there; make one with: duhui-hub init"};
  }
  DUHUI_TRY(taken, take_lock(path));
  Lock lock(taken);
  DUHUI_CHECK_OK(finish_tls_rotation(path));
  DUHUI_TRY(key_text, read_file(path + "/hub.key"));
  DUHUI_TRY(key, SigningKey::from_file_text(key_text));
  DUHUI_TRY(tls_key, read_file(path + "/tls.key"));
  DUHUI_TRY(certificate, read_file(path + "/tls.crt"));
  DUHUI_TRY(tls, net::parse_tls_identity(tls_key + certificate));
  std::unique_ptr<HubFolder> folder(
      new HubFolder(path, std::exchange(lock.file, -1), key, std::move(tls)));
  DUHUI_TRY(store, SqliteHubStore::open(path + "/hub.db", {.create = false}));
  folder->store_ = std::move(store);
  DUHUI_TRY(blobs, FileBlobStore::open(path + "/blobs"));
  folder->blobs_ = std::move(blobs);
  std::optional<std::string> id;
  DUHUI_CHECK_OK(folder->store_->read([&](HubTransaction& tx) -> Status {
    DUHUI_TRY(stored_id, tx.settings().get(kIdKey));
    id = std::move(stored_id);
    DUHUI_TRY(name, tx.settings().get(kNameKey));
    folder->name_ = name.value_or("");
    return Done{};
  }));
  const auto parsed = HubId::from_bytes(id.value_or(""));
  if (!parsed) return Error{ErrorCode::corrupt_data, path + "/hub.db: the hub's id is not there"};
  folder->id_ = *parsed;
  return folder;
}

Result<net::TlsIdentity> HubFolder::page_identity(const std::vector<std::string>& hosts) const {
  const std::string path = path_ + "/pages.pem";
  auto kept = read_file(path);
  if (kept) return net::parse_tls_identity(*kept);
  if (kept.error().code != ErrorCode::not_found) return kept.error();
  DUHUI_TRY(identity, net::make_tls_identity("duhui-hub", {}, hosts));
  DUHUI_CHECK_OK(write_file(path, identity.pem, true));
  return identity;
}

HubFolder::~HubFolder() {
  store_.reset();
  ::close(lock_);
}

}  // namespace duhui::hub

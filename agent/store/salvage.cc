#include "agent/store/salvage.h"

#include <algorithm>
#include <utility>

#include "agent/store/paths.h"
#include "shared/base/bytes.h"

namespace duhui::agent {
namespace {

// Big enough for speed, small enough for a PC with 1 GB of memory.
constexpr std::size_t kBatchBytes = 256 * 1024;
constexpr std::size_t kSetAsideMax = 3;

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// Copies what is readable in `from` into `to`, in batches.
Status copy_entries(LevelDbStore& from, LevelDbStore& to, OpenReport& report) {
  KvBatch batch;
  std::size_t batch_bytes = 0;
  std::uint64_t newest = from.commit_number();
  const auto flush = [&]() -> Status {
    if (batch.empty()) return Done{};
    auto done = to.commit(batch);
    batch.changes.clear();
    batch_bytes = 0;
    return done;
  };
  const auto keep = [&](std::string_view key, std::optional<std::string_view> value,
                        std::uint64_t commit) -> Status {
    if (!value) {
      ++report.entries_damaged;
      if (report.damaged_keys.size() < OpenReport::kDamagedKeysMax) {
        report.damaged_keys.push_back(to_hex(key));
      }
      return Done{};
    }
    ++report.entries;
    newest = std::max(newest, commit);
    batch_bytes += key.size() + value->size();
    batch.put(std::string(key), std::string(*value));
    return batch_bytes < kBatchBytes ? Status(Done{}) : flush();
  };
  DUHUI_TRY(unreadable, from.visit_readable(keep));
  if (!unreadable.empty()) report.unreadable.push_back(unreadable);
  DUHUI_CHECK_OK(flush());
  to.continue_after(newest);
  return to.commit({});  // writes down the number, so that the next open goes on from it
}

Status salvage_copy(FileSystem& files,
                    const std::string& folder,
                    DiskReserve& reserve,
                    const LevelDbLimits& limits,
                    OpenReport& report) {
  const std::string copy = folder + ".copy";
  const std::string fresh = folder + ".new";
  DUHUI_CHECK_OK(remove_folder(files, copy));
  DUHUI_CHECK_OK(remove_folder(files, fresh));
  DUHUI_CHECK_OK(remove_folder(files, folder + ".ready"));
  DUHUI_TRY(damaged_files, copy_folder(files, folder, copy));
  report.unreadable.insert(report.unreadable.end(), damaged_files.begin(), damaged_files.end());
  {
    DUHUI_TRY(source, LevelDbStore::repair(files, copy, reserve, limits, report.unreadable));
    DUHUI_TRY(target, LevelDbStore::open(files, fresh, reserve, limits));
    DUHUI_CHECK_OK(copy_entries(*source, *target, report));
    report.last_commit = target->commit_number();
  }
  return rename_durably(files, fresh, folder + ".ready");
}

}  // namespace

Status salvage_database(FileSystem& files,
                        const std::string& folder,
                        DiskReserve& reserve,
                        const LevelDbLimits& limits,
                        OpenReport& report) {
  const OpenReport before = report;
  auto done = salvage_copy(files, folder, reserve, limits, report);
  if (!done) report = before;
  return done;
}

Result<std::string> set_aside(FileSystem& files, const std::string& folder, WallTime now) {
  const std::string parent = folder_of(folder);
  const std::string prefix = name_of(folder) + ".damaged-";
  DUHUI_TRY(names, files.list(parent));
  std::erase_if(names, [&](const std::string& name) { return !name.starts_with(prefix); });
  // Clocks jump: a running number in front keeps the order in which things happened.
  std::uint64_t number = 1;
  if (!names.empty()) number = std::stoull("0" + names.back().substr(prefix.size(), 6)) + 1;
  std::string digits = std::to_string(number);
  digits.insert(0, 6 - std::min<std::size_t>(6, digits.size()), '0');
  const std::string target = parent + "/" + prefix + digits + "-" + std::to_string(now.ms);
  DUHUI_CHECK_OK(rename_durably(files, folder, target));
  for (std::size_t kept = names.size() + 1; kept > kSetAsideMax; --kept) {
    // Only tidying: what cannot be removed now goes the next time.
    const std::string& oldest = names[names.size() + 1 - kept];
    static_cast<void>(remove_folder(files, parent + "/" + oldest).has_value());
  }
  return target;
}

Status finish_salvage(FileSystem& files,
                      const std::string& folder,
                      WallTime now,
                      OpenReport& report) {
  const std::string ready = folder + ".ready";
  DUHUI_TRY(found_ready, files.info(ready));
  if (!found_ready) return Done{};
  DUHUI_TRY(found, files.info(folder));
  if (found) {
    DUHUI_TRY(target, set_aside(files, folder, now));
    report.set_aside = target;
  }
  report.outcome = OpenReport::Outcome::salvaged;
  if (report.damage.empty()) report.damage = "a salvage was cut short";
  return rename_durably(files, ready, folder);
}

}  // namespace duhui::agent

#include "agent/store/agent_store.h"

#include <utility>

#include "agent/store/paths.h"
#include "agent/store/salvage.h"

namespace duhui::agent {
namespace {

/// An error may have been of the moment; a second one in a row is taken at its word.
template <typename Attempt>
auto twice(Attempt attempt) {
  auto first = attempt();
  if (first || first.error().code == ErrorCode::unavailable) return first;
  return attempt();
}

class Opening {
 public:
  Opening(FileSystem& files, const std::string& folder, const AgentStoreOptions& options)
      : files_(files), folder_(folder), options_(options) {}

  Result<OpenedStore> run() {
    DUHUI_TRY(lock, twice([&] { return take_lock(); }));
    opened_.lock = std::move(lock);
    opened_.reserve =
        std::make_unique<DiskReserve>(files_, folder_ + "/reserve", options_.reserve_bytes);
    DUHUI_TRY(store, twice([&] { return climb(); }));
    opened_.store = std::move(store);
    DUHUI_TRY(journal, open_journal());
    opened_.journal = std::move(journal);
    if (opened_.report.outcome != OpenReport::Outcome::waiting) opened_.reserve->restore();
    remove_leftovers();
    return std::move(opened_);
  }

 private:
  using Store = std::unique_ptr<LevelDbStore>;

  Result<std::unique_ptr<FileLock>> take_lock() {
    DUHUI_CHECK_OK(files_.make_folder(folder_));
    DUHUI_CHECK_OK(files_.sync_folder(folder_of(folder_)));
    return files_.lock(folder_ + "/LOCK");
  }

  Result<Store> open_and_verify() {
    DUHUI_TRY(store, LevelDbStore::open(files_, database_, *opened_.reserve, options_.database));
    DUHUI_TRY(entries, store->verify());
    opened_.report.entries = entries;
    opened_.report.last_commit = store->commit_number();
    return store;
  }

  Result<Store> climb() {
    OpenReport& report = opened_.report;
    DUHUI_CHECK_OK(finish_salvage(files_, database_, options_.now, report));
    DUHUI_TRY(found, files_.info(database_));
    if (!found) report.outcome = OpenReport::Outcome::created;

    auto store = open_and_verify();
    if (store || store.error().code == ErrorCode::unavailable) return store;
    if (store.error().code == ErrorCode::limit_exceeded) {
      static_cast<void>(opened_.reserve->release());
    }
    store = open_and_verify();
    if (store) return store;
    if (store.error().code == ErrorCode::limit_exceeded) return wait(store.error());
    if (!found) return store;
    return salvage(store.error());
  }

  Result<Store> wait(const Error& why) {
    opened_.report.outcome = OpenReport::Outcome::waiting;
    opened_.report.damage = to_string(why);
    return LevelDbStore::open_later(files_, database_, *opened_.reserve, options_.database,
                                    to_string(why));
  }

  Result<Store> salvage(const Error& damage) {
    OpenReport& report = opened_.report;
    report.damage = to_string(damage);
    auto salvaged = twice([&] {
      return salvage_database(files_, database_, *opened_.reserve, options_.database, report);
    });
    if (salvaged) {
      DUHUI_CHECK_OK(finish_salvage(files_, database_, options_.now, report));
      auto store = open_and_verify();
      return store ? std::move(store) : open_and_verify();
    }
    report.unreadable.push_back("salvage: " + to_string(salvaged.error()));
    DUHUI_TRY(target, set_aside(files_, database_, options_.now));
    report.set_aside = target;
    report.outcome = OpenReport::Outcome::started_new;
    auto store = open_and_verify();
    if (!store && store.error().code == ErrorCode::limit_exceeded) return wait(store.error());
    return store;
  }

  Result<std::unique_ptr<FileJournal>> open_journal() {
    const std::string path = folder_ + "/journal";
    const auto open = [&] {
      return FileJournal::open(files_, path, *opened_.reserve, options_.journal);
    };
    auto journal = twice(open);
    if (!journal) {
      DUHUI_TRY(target, set_aside(files_, path, options_.now));
      opened_.report.journal_set_aside = target;
      journal = open();
      if (!journal) return journal;
    }
    opened_.report.journal_damaged_ranges = (*journal)->damaged_ranges();
    return journal;
  }

  void remove_leftovers() {
    for (const char* suffix : {".copy", ".new", ".new.building", ".building"}) {
      static_cast<void>(remove_folder(files_, database_ + suffix).has_value());
    }
  }

  FileSystem& files_;
  const std::string& folder_;
  const AgentStoreOptions& options_;
  const std::string database_ = folder_ + "/db";
  OpenedStore opened_;
};

}  // namespace

Result<OpenedStore> open_agent_store(FileSystem& files,
                                     const std::string& folder,
                                     const AgentStoreOptions& options) {
  return Opening(files, folder, options).run();
}

}  // namespace duhui::agent

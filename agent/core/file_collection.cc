#include "agent/core/file_collection.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/core/keys.h"

namespace duhui::agent {
namespace {

using Whole = BlobInventory::Whole;
using Begun = BlobInventory::Begun;

void add(FileCollection::Sum* sum, std::uint64_t bytes) {
  ++sum->files;
  sum->bytes += bytes;
}

}  // namespace

Result<std::vector<Begun>> FileCollection::useless_parts(Place place) {
  std::vector<Begun> parts;
  DUHUI_CHECK_OK(place.listed.each_part([&](const Begun& part) {
    parts.push_back(part);
    return true;
  }));
  std::vector<Begun> useless;
  for (const Begun& part : parts) {
    DUHUI_TRY(whole, place.content.size(part.sha256));
    // Without a record: FileShelf locks and opens files in one go and begins anew if it was cut
    // off.
    if (whole || part.record.is_zero()) useless.push_back(part);
  }
  return useless;
}

Result<std::optional<std::vector<Whole>>> FileCollection::unnamed(Place place) {
  DUHUI_TRY(named, stores_.replica.named_files());
  if (!named) return std::optional<std::vector<Whole>>{};
  std::vector<Whole> found;
  DUHUI_CHECK_OK(place.listed.each_whole([&](const Whole& file) {
    if (!named->contains(file.sha256)) found.push_back(file);
    return true;
  }));
  return std::optional(std::move(found));
}

Result<FileCollection::Report> FileCollection::look() {
  Report report;
  for (const Place place :
       {Place{stores_.files, stores_.files_listed}, Place{stores_.locked, stores_.locked_listed}}) {
    DUHUI_CHECK_OK(place.listed.each_whole([&](const Whole& file) {
      add(&report.whole, file.size);
      return true;
    }));
    DUHUI_CHECK_OK(place.listed.each_part([&](const Begun& part) {
      add(&report.parts, part.bytes);
      return true;
    }));
    DUHUI_TRY(useless, useless_parts(place));
    for (const Begun& part : useless) add(&report.useless_parts, part.bytes);
    DUHUI_TRY(files, unnamed(place));
    if (!files) continue;
    if (!report.unnamed) report.unnamed.emplace();
    for (const Whole& file : *files) add(&*report.unnamed, file.size);
  }
  DUHUI_TRY(waiting, stores_.replica.blobs().all_waiting());
  for (const BlobName& name : waiting) {
    DUHUI_TRY(open, stores_.files.size(name.sha256));
    DUHUI_TRY(locked, stores_.locked.size(name.sha256));
    if (!open && !locked) ++report.absent;
  }
  return report;
}

Result<FileCollection::Cleared> FileCollection::collect_parts() {
  Cleared done;
  for (const Place place :
       {Place{stores_.files, stores_.files_listed}, Place{stores_.locked, stores_.locked_listed}}) {
    DUHUI_TRY(useless, useless_parts(place));
    for (const Begun& part : useless) {
      DUHUI_CHECK_OK(place.listed.remove_part(part.sha256, part.record));
      add(&done.parts, part.bytes);
    }
  }
  return done;
}

Result<FileCollection::Cleared> FileCollection::collect_unnamed(WallTime now, Duration life) {
  Cleared done;
  std::set<Digest> without;
  std::vector<Whole> all;
  for (const Place place :
       {Place{stores_.files, stores_.files_listed}, Place{stores_.locked, stores_.locked_listed}}) {
    DUHUI_TRY(files, unnamed(place));
    if (!files) return done;
    for (const Whole& file : *files) {
      if (without.insert(file.sha256).second) all.push_back(file);
    }
  }
  KvBatch marks;
  // One that has a name by now, or is gone, begins anew the next time.
  DUHUI_CHECK_OK(stores_.store.scan(keys::kUnnamedFiles, {}, [&](std::string_view key, auto) {
    const auto sha256 = Digest::from_bytes(key.substr(keys::kUnnamedFiles.size()));
    if (!sha256 || !without.contains(*sha256)) marks.erase(std::string(key));
    return true;
  }));
  for (const Whole& file : all) {
    const std::string key = keys::unnamed_file(file.sha256);
    DUHUI_TRY(value, stores_.store.get(key));
    store::v1::UnnamedFile mark;
    const bool marked = value && mark.ParseFromString(*value) && mark.since_ms() <= now.ms;
    if (!marked) {
      mark.set_since_ms(now.ms);
      marks.put(key, mark.SerializeAsString());
    } else if (now - WallTime{mark.since_ms()} >= life) {
      DUHUI_CHECK_OK(remove(file.sha256));
      marks.erase(key);
      add(&done.files, file.size);
    }
  }
  if (!marks.empty()) DUHUI_CHECK_OK(stores_.store.commit_unsynced(marks));
  return done;
}

Status FileCollection::remove(const Digest& sha256) {
  DUHUI_CHECK_OK(stores_.files.remove(sha256));
  DUHUI_CHECK_OK(stores_.locked.remove(sha256));
  KvBatch batch;
  batch.erase(keys::locked_file(sha256));
  return stores_.store.commit_unsynced(batch);
}

}  // namespace duhui::agent

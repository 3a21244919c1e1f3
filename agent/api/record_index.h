#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/core/replica.h"
#include "shared/api/record_source.h"
#include "shared/base/ids.h"
#include "shared/base/result.h"
#include "shared/domain/present.h"

namespace duhui::agent {

/// What lists and links need of every record of this device, in memory: a school has some hundreds
/// of records, a district's device some ten thousand. Made from the replica when first asked, then
/// kept up to date by whoever hears of changes.
class RecordIndex {
 public:
  struct Entry {
    api::RecordRow row;
    std::vector<std::pair<std::string, std::string>> links;  // field name, id it holds
  };

  bool filled() const { return filled_; }
  void set_filled() { filled_ = true; }
  std::size_t size() const { return entries_.size(); }
  std::size_t open_conflicts() const { return open_conflicts_; }

  void put(const RecordId& id, Entry entry);
  void erase(const RecordId& id);

  std::vector<api::RecordRow> find(const api::RecordQuery& query) const;
  std::vector<RecordId> linked_to(std::string_view name, std::string_view to) const;
  /// Records of each type that are not deleted.
  std::map<std::uint32_t, std::size_t> counts() const;

 private:
  using Link = std::pair<std::string, std::string>;

  bool filled_ = false;
  std::map<RecordId, Entry> entries_;
  std::map<Link, std::set<RecordId>> links_;
  std::size_t open_conflicts_ = 0;
};

/// The fields of a record that name other records.
std::vector<std::pair<std::string, std::string>> links_of(const Presented& shown);

}  // namespace duhui::agent

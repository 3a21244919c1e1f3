#include "agent/api/record_index.h"

#include <nlohmann/json.hpp>

namespace duhui::agent {
namespace {

bool matches(const api::RecordRow& row, const api::RecordQuery& query) {
  return (query.type == 0 || query.type == row.type) &&
         (query.school_id.empty() || query.school_id == row.school_id) &&
         (query.state.empty() || query.state == row.state) &&
         (query.date_from.empty() || query.date_from <= row.date) &&
         (query.date_to.empty() || (!row.date.empty() && row.date <= query.date_to)) &&
         (!query.only_conflicts || row.open_conflicts > 0);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> links_of(const Presented& shown) {
  std::vector<std::pair<std::string, std::string>> links;
  for (const char* name : {"notice_id", "problem_id", "problem_ids", "visit_id", "login", "user_id",
                           "supervisor_id"}) {
    const auto at = shown.record.find(name);
    if (at == shown.record.end()) continue;
    if (at->is_string()) links.emplace_back(name, at->get<std::string>());
    if (!at->is_array()) continue;
    for (const auto& id : *at) {
      if (id.is_string()) links.emplace_back(name, id.get<std::string>());
    }
  }
  return links;
}

void RecordIndex::put(const RecordId& id, Entry entry) {
  erase(id);
  open_conflicts_ += entry.row.open_conflicts;
  for (const Link& link : entry.links) links_[link].insert(id);
  entries_[id] = std::move(entry);
}

void RecordIndex::erase(const RecordId& id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  open_conflicts_ -= found->second.row.open_conflicts;
  for (const Link& link : found->second.links) {
    const auto at = links_.find(link);
    if (at == links_.end()) continue;
    at->second.erase(id);
    if (at->second.empty()) links_.erase(at);
  }
  entries_.erase(found);
}

std::vector<api::RecordRow> RecordIndex::find(const api::RecordQuery& query) const {
  std::vector<api::RecordRow> rows;
  const auto first = query.after.is_zero() ? entries_.begin() : entries_.upper_bound(query.after);
  for (auto at = first; at != entries_.end() && rows.size() < query.limit; ++at) {
    if (matches(at->second.row, query)) rows.push_back(at->second.row);
  }
  return rows;
}

std::vector<RecordId> RecordIndex::linked_to(std::string_view name, std::string_view to) const {
  const auto found = links_.find({std::string(name), std::string(to)});
  if (found == links_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

std::map<std::uint32_t, std::size_t> RecordIndex::counts() const {
  std::map<std::uint32_t, std::size_t> counts;
  for (const auto& [id, entry] : entries_) {
    if (!entry.row.deleted) ++counts[entry.row.type];
  }
  return counts;
}

}  // namespace duhui::agent

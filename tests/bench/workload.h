#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "shared/base/random.h"
#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/sync/op_builder.h"

namespace duhui::bench {

/// One visit of workload W: on average 1,203 characters of JSON, 2,287 bytes in UTF-8.
struct WorkRecord {
  RecordId id;
  std::string person;
  nlohmann::json value;
};

/// The records of workload W, the same for the same seed: ids, date, kind, methods, nine checklist
/// items with a score and a Chinese remark of 20 to 60 characters, a summary of 150 characters,
/// none to three problems. Texts are put together from several hundred words, so that they repeat
/// about as much as real ones do (deflate over a hundred records: about 620 bytes each).
class Workload {
 public:
  explicit Workload(std::uint64_t seed) : random_(seed) {}

  /// The next record of the agent's school.
  WorkRecord record(std::uint32_t agent);
  /// Another score for one item of `record`, which is changed with it. Returns the changed field.
  nlohmann::json change_score(WorkRecord& record);

  static std::string school_of(std::uint32_t agent);
  static std::string scope_of(std::uint32_t agent);
  /// Above the scopes of all agents.
  static std::string district();
  /// Writes the registries of the office (organisations, accounts of the supervisors) into
  /// `folder`.
  static void write_registries(const std::string& folder);

 private:
  std::string text(std::size_t characters);
  std::string clause();
  std::string number(std::uint64_t from, std::uint64_t to);

  SeededRandom random_;
  std::uint64_t made_ = 0;
};

/// What an agent saves for `record`: the whole record, or only `fields` of it.
Result<Intent> creating_intent(const WorkRecord& record, std::uint32_t agent);
Result<Intent> editing_intent(const WorkRecord& record, const nlohmann::json& fields);

}  // namespace duhui::bench

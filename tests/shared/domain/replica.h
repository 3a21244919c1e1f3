#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "shared/domain/present.h"
#include "shared/record/record_edit.h"

namespace duhui::testing {

/// One record on one replica. Edits become ops that replace what this replica shows, or what an
/// earlier copy of it showed; `take` brings the ops of another replica.
class Replica {
 public:
  Replica(const char* type, char name);

  struct Author {
    std::string person;
    record::v1::Writer rank = record::v1::WRITER_SUPERVISOR;
    bool at_hub = false;
  };

  void create(const Author& author, const nlohmann::json& value);
  void save(const Author& author, const Result<RecordEdit>& edit);
  /// As `save`, by somebody whose screen still shows `seen`.
  void save_having_seen(const Replica& seen, const Author& author, const Result<RecordEdit>& edit);
  void set(const Author& author, const char* path, const nlohmann::json& value);
  void set_having_seen(const Replica& seen,
                       const Author& author,
                       const char* path,
                       const nlohmann::json& value);
  void take(const Replica& other);

  const RecordSchema& schema() const { return schema_; }
  const RecordState& state() const { return state_; }
  Presented presented() const { return present(schema_, "r", state_, context); }
  nlohmann::json field(const char* path) const { return *present_field(presented(), path); }

  DomainContext context;

 private:
  struct Saved {
    Dot dot;
    sync::v1::Op op;
    OpStamp stamp;
  };

  void add(const RecordState& seen, const Author& author, const RecordEdit& edit, bool creates);

  const RecordSchema& schema_;
  Origin origin_;
  std::uint64_t seq_ = 0;
  RecordState state_;
  std::vector<Saved> log_;
};

}  // namespace duhui::testing

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/ids.h"
#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/merge/record_state.h"
#include "shared/sync/op_builder.h"

namespace duhui::api {

struct RecordQuery {
  std::uint32_t type = 0;   // 0: any
  std::string school_id{};  // empty: any
  std::string state{};      // empty: any
  std::string date_from{};  // inclusive; empty: any
  std::string date_to{};
  bool only_conflicts = false;
  RecordId after{};  // resume after this id
  std::uint32_t limit = 100;
};

/// A line of a list.
struct RecordRow {
  RecordId id{};
  std::uint32_t type = 0;
  std::string scope{};
  std::string state{};
  std::string date{};
  std::string school_id{};
  std::uint32_t open_conflicts = 0;
  bool deleted = false;
};

struct SourceFacts {
  WallTime now{};
  /// The stream in which is saved.
  Origin origin{};
  /// Where records of the whole city live: the first part of every scope. Empty: not known yet.
  std::string root_scope{};
  /// Scopes in which records may be created here; empty: all (a hub).
  std::vector<std::string> scopes{};
};

/// The records of a program, as the API needs them. All calls block.
class RecordSource {
 public:
  virtual ~RecordSource() = default;

  /// Empty optional: nothing known of it.
  virtual Result<std::optional<RecordState>> state(const RecordId& id) = 0;
  /// In id order; born records only.
  virtual Result<std::vector<RecordRow>> list(const RecordQuery& query) = 0;
  /// The records whose field `name` ("notice_id", "problem_id", "problem_ids") holds `to`.
  virtual Result<std::vector<RecordId>> linked_to(std::string_view name, std::string_view to) = 0;
  /// Together, in order; durable on return.
  virtual Result<std::vector<Dot>> save(std::vector<Intent> intents) = 0;
  virtual std::string seen_token(const RecordId& id, const RecordState& state) = 0;
  virtual RecordId mint_id() = 0;
  virtual SourceFacts facts() = 0;
};

}  // namespace duhui::api

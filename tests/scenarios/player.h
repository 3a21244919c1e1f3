#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/scenarios/scenario.h"
#include "tests/scenarios/universe.h"

namespace duhui::scenarios {

/// A record that a scenario names.
struct NamedRecord {
  std::string id;  // as the API calls it
  std::string type;
};

/// Plays the steps of one scenario on one universe and asks for what its replicas show.
class Player {
 public:
  Player(const Scenario& scenario, Universe& universe) : scenario_(scenario), universe_(universe) {}

  void step(int n, const Schedule& schedule);
  /// Every agent syncs, repeatedly, until nothing changes.
  void settle(bool backwards);

  /// What the step was answered; null: it was no request.
  const api::ApiResponse* answer_of(int n) const;
  const std::map<std::string, NamedRecord>& records() const { return records_; }
  /// Names of records become ids, everywhere in `value`.
  Json resolved(const Json& value) const;

  /// GET /records/{id}
  Json show(const std::string& replica, const std::string& record);
  /// GET /records/{id}/field
  Json field(const std::string& replica, const std::string& record, const std::string& path);
  /// GET /records/{id}/why
  Json why(const std::string& replica, const std::string& record, const std::string& path);
  /// A registry record by its readable id.
  Json show_registry(const std::string& replica, const std::string& type, const std::string& id);
  /// The device as the hub sees it.
  Json device(const std::string& agent);

 private:
  void create(const Json& step);
  void edit(const Json& step);
  NamedRecord& record(const Json& step);
  Json get(const std::string& replica, const std::string& path);
  Json exchange_state();

  const Scenario& scenario_;
  Universe& universe_;
  std::map<std::string, NamedRecord> records_;
  std::map<int, std::string> seen_;  // tokens of the screens opened at a step
  std::map<int, api::ApiResponse> answers_;
};

}  // namespace duhui::scenarios

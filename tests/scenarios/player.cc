#include "tests/scenarios/player.h"

#include <algorithm>
#include <stdexcept>

#include "shared/api/router.h"
#include "shared/merge/schema.h"

namespace duhui::scenarios {
namespace {

constexpr int kSettlingRoundsMax = 12;

std::string path_of(const NamedRecord& record, const std::string& rest, const std::string& query) {
  return "/records/" + api::percent_encoded(record.id) + rest +
         "?type=" + api::percent_encoded(record.type) + query;
}

}  // namespace

NamedRecord& Player::record(const Json& step) {
  const std::string name = step.at("record");
  const auto [at, fresh] = records_.try_emplace(name);
  // A name no step created is a registry record, called by its readable id.
  if (fresh) at->second = {name, step.value("type", "")};
  return at->second;
}

Json Player::resolved(const Json& value) const {
  if (value.is_string()) {
    const auto at = records_.find(value.get<std::string>());
    return at == records_.end() ? value : Json(at->second.id);
  }
  if (!value.is_structured()) return value;
  Json out = value;
  for (Json& inner : out) inner = resolved(inner);
  return out;
}

void Player::step(int n, const Schedule& schedule) {
  const Json& step = scenario_.steps[static_cast<std::size_t>(n) - 1];
  const std::string what = step.at("do");
  const std::string on = step.at("on");
  if (what == "sync") {
    universe_.sync(on);
    if (schedule.every_sync_twice) universe_.sync(on);
  } else if (what == "set_clock") {
    universe_.set_clock(on, parse_time(step.at("value")) - parse_time(step.at("at")));
  } else if (what == "restart") {
    const bool restores = step.contains("restore_disk_to_after_step");
    restores ? universe_.restore_disk(on, step["restore_disk_to_after_step"].get<int>())
             : universe_.restart(on);
  } else if (what == "open") {
    seen_[n] = get(on, path_of(record(step), "", "")).at("seen");
  } else if (what == "create") {
    create(step);
  } else {
    edit(step);
  }
  for (const Json& later : scenario_.steps) {
    if (later.value("restore_disk_to_after_step", 0) == n) universe_.keep_disk(later.at("on"), n);
  }
}

void Player::create(const Json& step) {
  const std::string name = step.at("record");
  const std::string type = step.at("type");
  Json value = resolved(step.at("value"));
  const RecordSchema* schema = Schema::instance().find(type);
  // A registry record is known by the name the scenario gives it.
  if (schema != nullptr && schema->rule.id_fields() == "id") value["id"] = name;
  Json body = {{"type", type}, {"value", std::move(value)}, {"as", step.at("as")}};
  api::ApiResponse answer = universe_.call(step.at("on"), "POST", "/records", body);
  if (answer.ok()) records_[name] = {answer.body.at("id"), type};
  answers_.emplace(step.at("n").get<int>(), std::move(answer));
}

void Player::edit(const Json& step) {
  std::string what = step.at("do");
  if (what == "attach") what = "add";
  Json edit = {{"do", what}};
  if (step.contains("field")) edit["field"] = step["field"];
  if (step.contains("value")) edit["value"] = resolved(step["value"]);
  Json body = {{"as", step.at("as")}, {"edits", Json::array({std::move(edit)})}};
  if (step.contains("reason")) body["reason"] = step["reason"];
  if (step.contains("opened_at_step") && !step["opened_at_step"].is_null()) {
    body["seen"] = seen_.at(step["opened_at_step"].get<int>());
  }
  answers_.emplace(
      step.at("n").get<int>(),
      universe_.call(step.at("on"), "POST", path_of(record(step), "/edits", ""), body));
}

const api::ApiResponse* Player::answer_of(int n) const {
  const auto at = answers_.find(n);
  return at == answers_.end() ? nullptr : &at->second;
}

Json Player::get(const std::string& replica, const std::string& path) {
  api::ApiResponse answer = universe_.call(replica, "GET", path, nullptr);
  if (!answer.ok()) {
    throw std::runtime_error(replica + ": GET " + path + ": " + answer.body.dump());
  }
  return std::move(answer.body);
}

Json Player::show(const std::string& replica, const std::string& record) {
  return get(replica, path_of(records_.at(record), "", ""));
}

Json Player::field(const std::string& replica, const std::string& record, const std::string& path) {
  return get(replica,
             path_of(records_.at(record), "/field", "&path=" + api::percent_encoded(path)));
}

Json Player::why(const std::string& replica, const std::string& record, const std::string& path) {
  return get(replica, path_of(records_.at(record), "/why", "&path=" + api::percent_encoded(path)));
}

Json Player::show_registry(const std::string& replica,
                           const std::string& type,
                           const std::string& id) {
  return get(replica, path_of({id, type}, "", ""));
}

Json Player::device(const std::string& agent) {
  const Json list = get(std::string(kHub), "/devices");
  for (const Json& device : list.at("devices")) {
    if (device.at("name") == agent) return device;
  }
  throw std::runtime_error("the hub knows no device " + agent);
}

Json Player::exchange_state() {
  Json state = {{"hub", get(std::string(kHub), "/status").at("ops")}};
  for (const std::string& agent : universe_.agents()) {
    const Json status = get(agent, "/status");
    for (const char* name : {"head", "acknowledged", "scopes"}) {
      state[agent][name] = status.at(name);
    }
  }
  return state;
}

void Player::settle(bool backwards) {
  std::vector<std::string> agents = universe_.agents();
  if (backwards) std::reverse(agents.begin(), agents.end());
  Json before = exchange_state();
  for (int round = 0; round < kSettlingRoundsMax; ++round) {
    for (const std::string& agent : agents) universe_.sync(agent);
    Json after = exchange_state();
    if (after == before) return;
    before = std::move(after);
  }
  throw std::runtime_error("does not settle: " + before.dump());
}

}  // namespace duhui::scenarios

#include "tests/scenarios/process_universe.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <utility>

#include <poll.h>

#include "shared/net/system_clock.h"
#include "tests/scenarios/process_factory.h"
#include "tests/scenarios/registries.h"

namespace duhui::scenarios {
namespace {

using Json = nlohmann::json;

constexpr WallTime kImported{1'756'656'000'000};  // 2025-09-01T00:00+08:00
constexpr WallTime kEnrolled = kImported + hours(1);
constexpr WallTime kRunsBegin = kImported + hours(2);
/// Everybody in the scenarios, and who looks at the records.
constexpr const char* kReader = "u-city-1";
constexpr std::array kPeople = {kReader,          "u-sup-001", "u-sup-002",
                                "u-off-430202-1", "u-con-001", "u-pri-001"};
constexpr int kConnectionsMax = 8;
constexpr int kSyncWaitMs = 60'000;
constexpr int kUsualWaitMs = 5'000;
constexpr int kLooksMax = 5000;

Json expect_ok(api::ApiResponse answer, const std::string& what) {
  if (!answer.ok()) throw std::runtime_error(what + ": " + answer.body.dump());
  return std::move(answer.body);
}

/// The same in all scenarios of this process.
int hub_port() {
  static const int port = free_port();
  return port;
}

/// A folder with a hub that has the registries.
const TemporaryFolder& imported_once() {
  static const TemporaryFolder folder;
  static const bool done = [] {
    Program hub(DUHUI_HUB_PROGRAM, folder.path() + "/hub");
    const Duration offset = kImported - net::SystemClock().wall();
    hub.set_clock(offset, offset);
    hub.run({"init", "--name", "hub"});
    hub.run({"import", "--from", DUHUI_TEST_DATA});
    // The two supervisors work as a team: the second accompanies the first.
    std::filesystem::create_directory(folder.path() + "/more");
    std::ofstream(folder.path() + "/more/assignments.csv")
        << "id,supervisor_id,school_id,role,valid_from,valid_to,nameplate_photo,reason\n"
        << "asg-team,sup-002,sch-001,co_supervisor,2024-09-01,,,\n";
    hub.run({"import", "--from", folder.path() + "/more"});
    const std::string passwords = folder.path() + "/passwords.csv";
    std::ofstream file(passwords);
    file << "login,password\n";
    for (const char* person : kPeople) file << person << ',' << kPassword << '\n';
    file.close();
    hub.run({"account", "import", "--passwords", passwords, "--keep"});
    // At every device of the city.
    for (const char* person : kPeople) {
      hub.run({"account", "place", "add", person, "--place", "org-430200"});
    }
    return true;
  }();
  if (!done) throw std::logic_error("not imported");
  return folder;
}

std::unique_ptr<TemporaryFolder> copy_of(const TemporaryFolder& original) {
  auto copy = std::make_unique<TemporaryFolder>();
  copy_data(original.path(), copy->path());
  return copy;
}

/// Hub and devices of the scenario, enrolled, with the registries everywhere; they do not run.
std::unique_ptr<TemporaryFolder> prepare(const Scenario& scenario) {
  ProcessUniverse universe(copy_of(imported_once()), hub_port(), kEnrolled);
  universe.start({});
  for (const std::string& name : scenario.agents) universe.enrol(name, scenario.schools);
  for (const std::string& name : scenario.agents) universe.sync(name);
  return universe.stop();
}

}  // namespace

ProcessUniverse::ProcessUniverse(std::unique_ptr<TemporaryFolder> folder, int port, WallTime start)
    : folder_(std::move(folder)), port_(port), since_boot_([] {
        const ClockReading now = net::SystemClock().read();
        return milliseconds(now.wall.ms - now.monotonic.ms);
      }()) {
  offset_ = start - net::SystemClock().wall();
  add_program(std::string(kHub), DUHUI_HUB_PROGRAM);
}

void ProcessUniverse::add_program(const std::string& name, const std::string& executable) {
  programs_.emplace(name, std::make_unique<Program>(executable, folder_->path() + "/" + name));
  if (name != kHub) names_.push_back(name);
  write_clock(name);
}

Program& ProcessUniverse::program(const std::string& replica) {
  const auto at = programs_.find(replica);
  if (at == programs_.end()) throw std::runtime_error("no such replica: " + replica);
  return *at->second;
}

void ProcessUniverse::start(const std::vector<std::string>& agents) {
  for (const std::string& name : agents) {
    add_program(name, DUHUI_AGENT_PROGRAM);
    start_cut_off(program(name));
  }
  start_hub();
}

void ProcessUniverse::start_hub() {
  hub().serve({"--listen", "127.0.0.1:" + std::to_string(port_), "--http", "127.0.0.1:0"});
}

void ProcessUniverse::start_cut_off(Program& agent) {
  // An agent connects as soon as it runs; it meets a hub that does not answer, or none.
  const bool hub_runs = hub().serving();
  if (hub_runs) hub().freeze();
  agent.serve({});
  set_link(agent, false);
  if (hub_runs) hub().thaw();
}

void ProcessUniverse::set_link(Program& agent, bool enabled) {
  Json status = expect_ok(agent.call("POST", "/link", {{"enabled", enabled}}), "link");
  for (int n = 0; !enabled && status.at("link").at("state") != "disabled"; ++n) {
    if (n == kLooksMax) throw std::runtime_error(agent.folder() + ": the link stays up");
    ::poll(nullptr, 0, 1);
    status = expect_ok(agent.call("GET", "/status", nullptr), "status");
  }
}

void ProcessUniverse::enrol(const std::string& name, const std::vector<std::string>& schools) {
  Json scopes = Json::array();
  for (const std::string& school : schools) scopes.push_back(scope_of_school(school));
  const Json ticket =
      expect_ok(hub().call("POST", "/tickets", {{"scopes", scopes}, {"name", name}}), "ticket");
  const std::string file = folder_->path() + "/" + name + ".ticket";
  std::ofstream(file, std::ios::binary) << ticket.at("file").get<std::string>();
  add_program(name, DUHUI_AGENT_PROGRAM);
  program(name).run({"init", "--ticket-file", file});
  start_cut_off(program(name));
}

std::unique_ptr<TemporaryFolder> ProcessUniverse::stop() {
  for (const auto& [name, program] : programs_) program->stop();
  programs_.clear();
  return std::move(folder_);
}

void ProcessUniverse::write_clock(const std::string& replica) {
  // The monotonic clock shows true time: it goes on with it, and nobody can set it.
  program(replica).set_clock(offset_ + offsets_[replica], offset_ + since_boot_);
}

void ProcessUniverse::at(WallTime time) {
  // Between two calls true time runs on by itself, as long as this machine took.
  const Duration offset = time - net::SystemClock().wall();
  if (offset < offset_) return;
  offset_ = offset;
  for (const auto& [name, program] : programs_) write_clock(name);
}

void ProcessUniverse::set_clock(const std::string& agent, Duration offset) {
  offsets_[agent] = offset;
  write_clock(agent);
}

api::ApiResponse ProcessUniverse::call(const std::string& replica,
                                       const std::string& method,
                                       const std::string& path,
                                       const Json& body) {
  // Checklists are the whole city's: who keeps the hub publishes them.
  if (path.ends_with("type=template") && method != "GET") {
    return program(replica).call(method, path, body);
  }
  const bool names_somebody = body.is_object() && body.contains("as");
  const std::string person = names_somebody ? body["as"].get<std::string>() : kReader;
  return program(replica).call_as(person, method, path, body);
}

Json ProcessUniverse::exchange_state(const std::string& agent) {
  const Json status = expect_ok(program(agent).call("GET", "/status", nullptr), "status");
  Json state;
  for (const char* name : {"head", "acknowledged", "incarnation", "scopes"}) {
    state[name] = status.at(name);
  }
  return state;
}

void ProcessUniverse::exchange(const std::string& name) {
  api::ApiResponse answer = program(name).call("POST", "/sync", {{"wait_ms", kUsualWaitMs}});
  if (answer.status != 200) {
    // A disk that was put back, with something typed since: it waits for a supervisor.
    expect_ok(call(name, "GET", "/records?limit=1", nullptr), name + ": sign in");
    answer = program(name).call("POST", "/sync", {{"wait_ms", kSyncWaitMs}});
  }
  expect_ok(std::move(answer), name + ": sync");
}

void ProcessUniverse::sync(const std::string& name) {
  // What the hub makes of the ops it has just acknowledged may come after the answer that all is
  // exchanged: connect until nothing is new.
  Json before = exchange_state(name);
  for (int n = 0; n < kConnectionsMax; ++n) {
    set_link(program(name), true);
    exchange(name);
    set_link(program(name), false);
    Json after = exchange_state(name);
    if (after == before) return;
    before = std::move(after);
  }
  throw std::runtime_error(name + ": sync does not come to an end: " + before.dump());
}

void ProcessUniverse::start_again(const std::string& replica) {
  replica == kHub ? start_hub() : start_cut_off(program(replica));
}

void ProcessUniverse::restart(const std::string& replica) {
  // In turn asked to stop and killed.
  restarts_++ % 2 == 0 ? program(replica).stop() : program(replica).kill();
  start_again(replica);
}

std::string ProcessUniverse::image(const std::string& replica, int step) const {
  return folder_->path() + "/" + replica + "-after-" + std::to_string(step);
}

void ProcessUniverse::keep_disk(const std::string& replica, int step) {
  program(replica).stop();
  copy_data(program(replica).folder(), image(replica, step));
  start_again(replica);
}

void ProcessUniverse::restore_disk(const std::string& replica, int step) {
  program(replica).kill();
  std::filesystem::remove_all(program(replica).folder());
  copy_data(image(replica, step), program(replica).folder());
  start_again(replica);
}

std::function<std::unique_ptr<Universe>()> process_universes(const Scenario& scenario) {
  const std::shared_ptr<const TemporaryFolder> prepared = prepare(scenario);
  return [prepared, agents = scenario.agents]() -> std::unique_ptr<Universe> {
    auto universe = std::make_unique<ProcessUniverse>(copy_of(*prepared), hub_port(), kRunsBegin);
    universe->start(agents);
    return universe;
  };
}

}  // namespace duhui::scenarios

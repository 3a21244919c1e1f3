#include "agent/app/agent_service.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "agent/app/file_watch.h"
#include "agent/app/link_facts.h"
#include "agent/app/network_id.h"
#include "agent/app/upload_stream.h"
#include "duhui/sync/v1/frame.pb.h"
#include "shared/api/answer.h"
#include "shared/net/signals.h"
#include "shared/net/task_scope.h"
#include "shared/record/json_text.h"
#include "shared/web/file_response.h"
#include "shared/web/page_port.h"

namespace duhui::agent {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::json;

constexpr std::int64_t kSyncWaitDefaultMs = 10'000;
constexpr std::int64_t kSyncWaitMaxMs = 600'000;
constexpr auto kVaultWatch = std::chrono::seconds(10);

std::string outcome_name(OpenReport::Outcome outcome) {
  switch (outcome) {
    case OpenReport::Outcome::opened:
      return "opened";
    case OpenReport::Outcome::created:
      return "created";
    case OpenReport::Outcome::salvaged:
      return "salvaged";
    case OpenReport::Outcome::started_new:
      return "started_new";
    case OpenReport::Outcome::waiting:
      return "waiting";
  }
  return {};
}

using web::http_response;

net::ListenerOptions with_uploads(net::ListenerOptions options) {
  options.streams = is_upload;
  return options;
}

std::string kept_or_nothing(DataFolder& folder, const std::string& path) {
  auto kept = folder.read_kept(path);
  return kept ? std::move(*kept) : std::string();
}

}  // namespace

std::string program_version() { return DUHUI_VERSION; }

Json storage_report(const OpenReport& report) {
  return {{"outcome", outcome_name(report.outcome)},
          {"damage", report.damage},
          {"set_aside", report.set_aside},
          {"entries", report.entries},
          {"entries_damaged", report.entries_damaged},
          {"unreadable", report.unreadable},
          {"journal_damaged_ranges", report.journal_damaged_ranges},
          {"journal_set_aside", report.journal_set_aside}};
}

AgentService::AgentService(asio::any_io_executor executor, const std::string& data)
    : executor_(executor),
      folder_(files_, data),
      tries_(folder_, folder_.tries_file()),
      provisional_(folder_, folder_.provisional_file()),
      uploads_(folder_, folder_.uploads_file()),
      // What cannot be read or kept is learned again.
      roads_(kept_or_nothing(folder_, folder_.roads_file()), [this](const std::string& text) {
        if (auto kept = folder_.write_file(folder_.roads_file(), text); !kept) {
          spdlog::warn("roads: {}", to_string(kept.error()));
        }
      }) {}

Result<std::unique_ptr<AgentService>> AgentService::open(asio::any_io_executor executor,
                                                         const std::string& data,
                                                         bool with_link,
                                                         const AgentSettings& settings) {
  std::unique_ptr<AgentService> service(new AgentService(executor, data));
  DUHUI_TRY(card, service->folder_.load());
  service->card_ = std::move(card);
  DUHUI_CHECK_OK(service->open_replica());
  const ReadClock read_clock = [raw = service.get()] { return raw->clock_.read(); };
  service->records_ =
      std::make_unique<AgentRecords>(*service->replica_, service->random_, read_clock);
  service->records_->set_scopes(service->card_->scopes);
  DUHUI_CHECK_OK(service->open_files());
  if (with_link) service->make_link(settings);
  service->make_api(settings.sign_in);
  return service;
}

Status AgentService::open_replica() {
  AgentStoreOptions options;
  options.now = clock_.wall();
  DUHUI_TRY(opened, open_agent_store(files_, folder_.path(), options));
  store_ = std::move(opened);
  if (store_.report.rebuilt()) {
    spdlog::warn("data folder: {}: {}", outcome_name(store_.report.outcome), store_.report.damage);
  }
  DUHUI_TRY(replica, Replica::open(*store_.store, *store_.journal, random_, clock_.read(),
                                   store_.report.rebuilt()));
  replica_ = std::move(replica);
  DUHUI_TRY(blobs, FileBlobStore::open(folder_.blobs()));
  blobs_ = std::move(blobs);
  DUHUI_TRY(locked,
            FileBlobStore::open(folder_.locked_blobs(), FileBlobStore::Names::hash_of_unlocked));
  locked_blobs_ = std::move(locked);
  replica_->keep_files(*blobs_, *locked_blobs_);
  return Done{};
}

Status AgentService::open_files() {
  DUHUI_TRY(shelf,
            UploadShelf::open(
                {.files = files_, .shown = *blobs_, .locked = *locked_blobs_, .random = random_},
                folder_.files_folder()));
  shelf_ = std::move(shelf);
  return Done{};
}

void AgentService::make_link(const AgentSettings& settings) {
  net::HubAddress hub = card_->hub;
  hub.proxy = choose_proxy(settings.proxy, process_environment(), hub.host);
  const std::string proxy = hub.proxy.host.empty() ? std::string() : hub.proxy.text();
  LinkRoads roads{
      .only = road_named(settings.road),
      .memory = &roads_,
      .network = [proxy] { return present_network(proxy); },
      .free =
          [all = settings.unmetered, those = settings.free_networks](const std::string& network) {
            return all || std::ranges::count(those, network) > 0;
          }};
  replica_->traffic().budget().set_limit(settings.monthly_bytes);
  link_ =
      std::make_unique<Link>(executor_,
                             Link::Parts{.replica = *replica_,
                                         .identity = card_->identity,
                                         .random = random_,
                                         .clock = clock_,
                                         .events = *this},
                             std::move(hub), "duhui-agent " + program_version(), std::move(roads));
  records_->on_saved([this] { link_->saved(); });
}

void AgentService::make_api(const api::SignInLimits& limits) {
  const ReadClock read_clock = [this] { return clock_.read(); };
  desk_ = std::make_unique<api::SignInDesk>(
      api::SignInDesk::Parts{.source = *records_,
                             .random = random_,
                             .tries = tries_,
                             .provisional = &provisional_,
                             .place = Subject::Place::agent,
                             .clock = [this] { return clock_.monotonic(); },
                             .told = [this](const api::SignInEvent& event) { tell(event); },
                             .calendar = [this] { return calendar(); },
                             .opened = [this](const std::string& person,
                                              const SigningKey& key) { door_->came(person, key); }},
      limits);
  door_ = std::make_unique<VaultDoor>(*replica_, *records_, *desk_, [this] {
    const VaultKey* key = replica_->vault_key();
    shelf_->set_key(key != nullptr ? std::optional(*key) : std::nullopt);
    // What had to wait for it: a stream that has to go on under a new origin.
    if (key != nullptr && link_ && link_->state() == Link::State::offline) link_->connect_now();
  });
  make_bundle_desk();
  api_ = std::make_unique<AgentApi>(*replica_, *records_, read_clock, program_version(), hooks(),
                                    desk_.get());
  file_desk_ = std::make_unique<FileDesk>(FileDesk::Parts{
      .source = *records_, .shelf = *shelf_, .kept = uploads_, .random = random_, .now = [this] {
        return clock_.wall();
      }});
  file_desk_->add_to(api_->router());
}

void AgentService::make_bundle_desk() {
  const auto delivered = [this](const BundleDelivery::Outcome& outcome) {
    if (outcome.revoked) spdlog::warn("hub: this device was revoked (by bundle)");
    if (outcome.welcomed) take_welcome(card_->hub.pin, outcome.device_name);
    if (outcome.vault_changed) door_->keepers_changed();
    if (!outcome.changed.empty()) records_->changed(outcome.changed);
    // What a session in progress knows of the stream may have changed under it.
    const bool live = link_ && link_->state() == Link::State::live;
    if (live && (outcome.welcomed || outcome.new_origin)) {
      link_->enable(false);
      link_->enable(true);
    }
  };
  bundles_ =
      std::make_unique<BundleDesk>(BundleDesk::Parts{.executor = executor_,
                                                     .replica = *replica_,
                                                     .card = *card_,
                                                     .random = random_,
                                                     .clock = clock_,
                                                     .software = "duhui-agent " + program_version(),
                                                     .delivered = delivered});
}

void AgentService::tell(const api::SignInEvent& event) {
  const auto entry = sign_ins_.entry_of(event, clock_.monotonic());
  if (!entry) return;
  spdlog::info("sign-in: {} {} {}", api::to_string(event.what), event.person, entry->detail);
  // A full disk keeps nobody out and nobody in.
  if (auto noted = records_->audit(*entry); !noted) {
    spdlog::error("audit: {}", to_string(noted.error()));
  }
}

WallTime AgentService::calendar() const {
  // A dead battery sets the clock back to 1970, when nobody had a role yet.
  const WallTime hub_seen{static_cast<std::int64_t>(replica_->state().hub_seen_ms())};
  return std::max(clock_.wall(), hub_seen);
}

api::ApiResponse AgentService::answer_now(const api::EdgeRequest& request) {
  api::ApiResponse answer = api::settled(api::answer_at_edge(api_->router(), *desk_, request));
  door_->look();
  return answer;
}

AgentHooks AgentService::hooks() {
  AgentHooks hooks;
  hooks.link = [this] {
    if (!link_) return LinkFacts{.since = clock_.wall(), .device_name = card_->name};
    LinkFacts facts = facts_of(*link_);
    facts.device_name = card_->name;
    facts.clock_offset = clock_offset_;
    return facts;
  };
  hooks.device = [this] {
    return DeviceFacts{.id = to_uuid_text(card_->identity.id.view()),
                       .name = card_->name,
                       .enrolled = card_->identity.ticket.empty(),
                       .hub = card_->hub.host + ":" + std::to_string(card_->hub.port),
                       .scopes = card_->scopes,
                       .storage = storage_report(store_.report),
                       .addresses = addresses_};
  };
  hooks.fetch = [this](const BlobName& name) { return link_ && link_->fetch(name); };
  hooks.enable_link = [this](bool enabled) {
    if (link_) link_->enable(enabled);
  };
  return hooks;
}

void AgentService::welcomed(const Digest& pin, const std::string& device_name) {
  spdlog::info("hub: welcomed as {}", device_name);
  if (link_ && link_->revoked()) spdlog::warn("hub: this device was revoked");
  const WallTime hub_time{static_cast<std::int64_t>(replica_->state().hub_seen_ms())};
  clock_offset_ = clock_.wall() - hub_time;
  take_welcome(pin.str(), device_name);
}

void AgentService::take_welcome(const std::string& pin, const std::string& device_name) {
  DeviceCard card = *card_;
  card.identity.ticket.clear();
  card.hub.pin = pin;
  if (!device_name.empty()) card.name = device_name;
  sync::v1::Enrolment enrolment;
  if (enrolment.ParseFromString(replica_->state().enrolment()) && enrolment.scopes_size() > 0) {
    card.scopes.assign(enrolment.scopes().begin(), enrolment.scopes().end());
  }
  const bool same = card_->identity.ticket.empty() && card_->hub.pin == card.hub.pin &&
                    card_->name == card.name && card_->scopes == card.scopes;
  if (same) return;
  // The session refers to the card's identity: it is changed, not replaced.
  card_->identity.ticket.clear();
  card_->hub.pin = card.hub.pin;
  card_->name = card.name;
  card_->scopes = card.scopes;
  records_->set_scopes(card_->scopes);
  // Should the disk refuse, the next welcome tries again; until then the ticket is shown once more.
  if (auto saved = folder_.save(*card_); !saved) {
    spdlog::error("identity: {}", to_string(saved.error()));
  }
}

void AgentService::records_changed(const std::vector<RecordId>& ids) { records_->changed(ids); }

void AgentService::file_fetched(const BlobName& name, const Status& how) {
  if (!how) spdlog::info("file: {}", to_string(how.error()));
  api_->file_fetched(name, how);
}

void AgentService::vault_changed() { door_->keepers_changed(); }

asio::awaitable<void> AgentService::watch_vault() {
  asio::steady_timer timer(executor_);
  for (;;) {  // whoever is gone for long enough has gone without a request
    timer.expires_after(kVaultWatch);
    co_await timer.async_wait(asio::use_awaitable);
    door_->look();
  }
}

void AgentService::acknowledged(std::uint64_t through) {
  spdlog::debug("hub: durable through {}", through);
}

// --- requests ---

asio::awaitable<net::HttpResponse> AgentService::answer(net::HttpRequest request) {
  const std::string_view path =
      std::string_view(request.target).substr(0, request.target.find('?'));
  const api::EdgeRequest asked = web::edge_request(request);
  if (request.method == "POST" && path == std::string(api::kBasePath) + "/sync") {
    const auto sender = api::sender_of(*desk_, asked);
    if (!sender) co_return http_response(api::error_answer(sender.error()));
    const auto may = api::granted(authorize(sender->subject, Verb::manage, Thing::link));
    if (!may) co_return http_response(api::error_answer(may.error()));
    co_return co_await sync(std::move(request.body));
  }
  const std::string_view noun = path.substr(std::min(path.size(), api::kBasePath.size()));
  if (path.starts_with(api::kBasePath) && BundleDesk::answers(noun)) {
    const auto sender = api::sender_of(*desk_, asked);
    if (!sender) co_return http_response(api::error_answer(sender.error()));
    std::string where(noun);
    api::ApiResponse told = co_await bundles_->answer(request.method, std::move(where),
                                                      sender->subject, std::move(request.body));
    co_return http_response(told);
  }
  if (request.incoming != nullptr) {
    const AskApi ask = [this](api::EdgeRequest piece) {
      return answer_of(std::move(piece), disk_);
    };
    api::ApiResponse taken = co_await take_pieces(request, asked, ask);
    co_return http_response(api::finished(std::move(taken), asked.tls));
  }
  api::ApiResponse answer = co_await answer_of(asked, passwords_);
  if (answer.file) co_return web::file_response(request, *answer.file, disk_);
  co_return http_response(api::finished(std::move(answer), asked.tls));
}

asio::awaitable<api::ApiResponse> AgentService::answer_of(api::EdgeRequest asked,
                                                          net::BlockingPool& pool) {
  api::ApiResponse answer = api::answer_at_edge(api_->router(), *desk_, asked);
  while (answer.deferred) {
    const std::shared_ptr<api::Deferred> rest = std::move(answer.deferred);
    co_await pool.perform(rest->work);
    answer = rest->finish();
  }
  door_->look();
  co_return answer;
}

asio::awaitable<net::HttpResponse> AgentService::sync(std::string body) {
  std::int64_t wait_ms = kSyncWaitDefaultMs;
  if (!body.empty()) {
    auto parsed = parse_json(body);
    if (!parsed) co_return http_response(api::error_answer(parsed.error()));
    const bool given = parsed->is_object() && parsed->contains("wait_ms");
    if (given && (!(*parsed)["wait_ms"].is_number_integer() || (*parsed)["wait_ms"] < 0 ||
                  (*parsed)["wait_ms"] > kSyncWaitMaxMs)) {
      co_return http_response(
          api::error_answer({ErrorCode::invalid_input, "wait_ms: 0 to 600000"}));
    }
    if (given) wait_ms = (*parsed)["wait_ms"];
  }
  const bool done = co_await link_->wait_caught_up(milliseconds(wait_ms));
  auto told = status();
  if (!told) co_return http_response(api::error_answer(told.error()));
  api::ApiResponse answer{200, std::move(*told)};
  if (!done) {
    const std::string why =
        link_->state() == Link::State::disabled ? "the link is switched off" : link_->last_error();
    answer.status = 503;
    answer.body["error"] =
        api::error_answer({ErrorCode::unavailable, "not everything is exchanged yet: " + why})
            .body["error"];
  }
  co_return http_response(answer);
}

// --- running ---

Result<Json> AgentService::open_listeners(const AgentSettings& settings) {
  const auto report = [](std::string_view what) { spdlog::error("api: {}", what); };
  DUHUI_TRY(local, net::Listener::on_unix(executor_, folder_.socket(),
                                          with_uploads(web::command_port_options(report))));
  DUHUI_TRY(tcp, net::Listener::on_tcp(
                     executor_, settings.api_address, settings.api_port,
                     with_uploads(web::page_port_options(settings.api_address, report))));
  const std::string address = settings.api_address + ":" + std::to_string(tcp->port());
  listeners_.push_back(std::move(local));
  listeners_.push_back(std::move(tcp));
  DUHUI_TRY(lan, open_lan(settings.lan));
  addresses_ = {"http://" + address, folder_.socket()};
  const Json listen = {{"program", "duhui-agent"},
                       {"api", "http://" + address + std::string(api::kBasePath)},
                       {"address", settings.api_address},
                       {"port", listeners_[1]->port()},
                       {"socket", folder_.socket()},
                       {"pid", static_cast<std::int64_t>(::getpid())},
                       {"lan", std::move(lan)}};
  DUHUI_CHECK_OK(folder_.write_file(folder_.listen_file(), json_text(listen) + "\n"));
  return listen;
}

Result<Json> AgentService::open_lan(const web::LanSettings& settings) {
  if (!settings.enabled) return Json();
  const std::vector<std::string> hosts = web::lan_hosts(settings);
  DUHUI_TRY(identity, folder_.page_identity(hosts));
  const auto report = [](std::string_view what) { spdlog::error("lan: {}", what); };
  DUHUI_TRY(lan, net::Listener::on_tls(executor_, settings.address, settings.port, identity,
                                       with_uploads(web::lan_port_options(hosts, report))));
  Json told = web::lan_json(hosts, lan->port(), identity);
  for (const auto& page : told["pages"]) addresses_.push_back(page.get<std::string>());
  listeners_.push_back(std::move(lan));
  return told;
}

asio::awaitable<Status> AgentService::serve(AgentSettings settings,
                                            std::function<void(const Json&)> ready) {
  file_desk_->set(settings.files);
  bundles_->set_folders(settings.usb_folders);
  auto listen = open_listeners(settings);
  if (!listen) co_return std::move(listen).error();
  net::TaskScope scope(executor_,
                       [](std::string_view what) { spdlog::error("service: {}", what); });
  const net::HttpHandler handler = [this](net::HttpRequest request) {
    return answer(std::move(request));
  };
  for (const auto& listener : listeners_) scope.spawn(listener->run(handler, {}));
  scope.spawn(link_->run());
  scope.spawn(watch_vault());
  FileCollection collection = file_collection();
  scope.spawn(watch_files(collection, *replica_, *link_, clock_));
  ready(*listen);
  const int signal = co_await net::wait_for_termination();
  spdlog::info("stopping on signal {}", signal);
  scope.cancel();
  co_await scope.wait();
  for (const std::string& path : {folder_.listen_file(), folder_.socket()}) {
    if (auto removed = files_.remove(path); !removed) {
      spdlog::debug("stop: {}", to_string(removed.error()));
    }
  }
  co_return Done{};
}

asio::awaitable<bool> AgentService::sync_once(Duration limit) {
  net::TaskScope scope(executor_);
  scope.spawn(link_->run());
  const bool done = co_await link_->wait_caught_up(limit);
  scope.cancel();
  co_await scope.wait();
  co_return done;
}

}  // namespace duhui::agent

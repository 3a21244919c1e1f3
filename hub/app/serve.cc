#include "hub/app/serve.h"

#include <chrono>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "hub/api/hub_api.h"
#include "hub/app/device_port.h"
#include "hub/app/hub_log.h"
#include "hub/app/hub_runner.h"
#include "hub/app/live_access.h"
#include "hub/app/tls_rotation.h"
#include "hub/core/audit.h"
#include "shared/base/bytes.h"
#include "shared/net/blocking_pool.h"
#include "shared/net/http_server.h"
#include "shared/net/post_desk.h"
#include "shared/net/signals.h"
#include "shared/net/websocket_client.h"
#include "shared/record/json_text.h"
#include "shared/web/file_response.h"
#include "shared/web/page_port.h"

namespace duhui::hub {

namespace asio = boost::asio;

namespace {

using Json = nlohmann::json;

/// Half of what a stop may take goes to the goodbyes, the rest to what is running.
constexpr Duration kGoodbyeTime = milliseconds(1200);
constexpr Duration kDrainTime = milliseconds(1000);
constexpr Duration kDrainStep = milliseconds(10);
constexpr Duration kSignEvery = hours(24);

/// What the handlers throw is an answer, too.
api::ApiResponse guarded(const net::HttpRequest& request,
                         const std::function<api::ApiResponse()>& work) {
  try {
    return work();
  } catch (const std::exception& thrown) {
    log_warning(request.method + " " + request.target + ": " + thrown.what());
    return api::error_answer({ErrorCode::storage_failed, thrown.what()});
  }
}

/// The API has a thread of its own; passwords have another, so that nobody waits for them.
struct ApiThreads {
  net::BlockingPool api{1};
  net::BlockingPool passwords{1};
  net::BlockingPool files{1};
};

asio::awaitable<net::HttpResponse> answer_api(HubApi& api,
                                              ApiThreads& threads,
                                              net::HttpRequest request) {
  api::ApiResponse answer;
  const api::EdgeRequest asked = web::edge_request(request);
  std::function<void()> work = [&] {
    answer = guarded(request, [&] { return api.answer(asked); });
  };
  co_await threads.api.perform(std::move(work));
  while (answer.deferred) {
    const std::shared_ptr<api::Deferred> rest = std::move(answer.deferred);
    co_await threads.passwords.perform(rest->work);
    std::function<void()> finish = [&] { answer = guarded(request, rest->finish); };
    co_await threads.api.perform(std::move(finish));
  }
  if (answer.file) co_return web::file_response(request, *answer.file, threads.files);
  co_return web::http_response(api::finished(std::move(answer), asked.tls));
}

/// HTTP on the devices' port. What is passed by reference outlives the answer.
asio::awaitable<net::HttpResponse> answer_device(const std::string& key_history,
                                                 net::PostDesk& posts,
                                                 net::HttpRequest request) {
  if (request.method == "GET" && request.target == net::kSyncKeysPath) {
    // Public: it says nothing but which keys this hub had.
    co_return net::HttpResponse{
        .status = 200, .content_type = "application/octet-stream", .body = key_history};
  }
  if (request.method == "POST" && request.target == net::kSyncPath) {
    co_return co_await posts.answer(std::move(request));
  }
  co_return web::http_response(api::error_answer({ErrorCode::not_found, "no such address"}));
}

asio::awaitable<void> await_signal(asio::steady_timer& stopped, int& number) {
  number = co_await net::wait_for_termination();
  stopped.cancel();
}

struct Listeners {
  std::unique_ptr<net::PostDesk> posts;  // the devices' port asks it
  std::unique_ptr<net::Listener> devices;
  std::unique_ptr<net::Listener> http;
  std::unique_ptr<net::Listener> control;
  std::unique_ptr<net::Listener> lan;  // null: no pages in the local network
  Json lan_told{};
  std::string key_history{};
};

Status open_lan(const asio::any_io_executor& loop,
                const HubFolder& folder,
                const web::LanSettings& settings,
                Listeners* listeners) {
  if (!settings.enabled) return Done{};
  const std::vector<std::string> hosts = web::lan_hosts(settings);
  DUHUI_TRY(identity, folder.page_identity(hosts));
  const auto report = [](std::string_view what) { log_warning(what); };
  DUHUI_TRY(lan, net::Listener::on_tls(loop, settings.address, settings.port, identity,
                                       web::lan_port_options(hosts, report)));
  listeners->lan_told = web::lan_json(hosts, lan->port(), identity);
  listeners->lan = std::move(lan);
  return Done{};
}

Result<Listeners> open_listeners(const asio::any_io_executor& loop,
                                 HubFolder& folder,
                                 const HubSettings& settings) {
  const auto report = [](std::string_view what) { log_warning(what); };
  const Digest& pin = folder.tls().pin;
  auto posts = std::make_unique<net::PostDesk>(loop, post_desk_options(settings, pin, report));
  DUHUI_TRY(devices,
            net::Listener::on_tls(loop, settings.devices.host, settings.devices.port, folder.tls(),
                                  device_port_options(settings, pin, *posts, report)));
  DUHUI_TRY(control, net::Listener::on_unix(loop, folder.path() + "/control.sock",
                                            web::command_port_options(report)));
  DUHUI_TRY(http, net::Listener::on_tcp(loop, settings.http.host, settings.http.port,
                                        web::page_port_options(settings.http.host, report)));
  Listeners all{std::move(posts), std::move(devices), std::move(http), std::move(control), nullptr};
  DUHUI_CHECK_OK(open_lan(loop, folder, settings.lan, &all));
  DUHUI_TRY(key_history, read_key_history(folder.path()));
  all.key_history = std::move(key_history);
  return all;
}

Json address_json(const HubFacts& facts, const std::string& folder, const Json& lan) {
  const HubAddresses& at = facts.addresses;
  return {{"program", "duhui-hub"},
          {"version", facts.version},
          {"pid", ::getpid()},
          {"id", to_uuid_text(facts.id.view())},
          {"devices", at.devices_host + ":" + std::to_string(at.devices_port)},
          {"devices_host", at.devices_host},
          {"devices_port", at.devices_port},
          {"http", "http://" + at.http_host + ":" + std::to_string(at.http_port) +
                       std::string(api::kBasePath)},
          {"http_host", at.http_host},
          {"http_port", at.http_port},
          {"control", folder + "/control.sock"},
          {"pin", to_hex(facts.pin)},
          {"lan", lan}};
}

Status tell_audit(HubTransaction& tx,
                  const HubFolder& folder,
                  WallTime now,
                  const char* action,
                  const std::string& version) {
  DUHUI_CHECK_OK(append_audit(tx, {.at = now,
                                   .actor = "operator",
                                   .action = action,
                                   .outcome = "done",
                                   .detail = "version=" + version}));
  DUHUI_TRY(made, sign_audit(tx, folder.id(), folder.key(), now));
  static_cast<void>(made);
  return Done{};
}

/// Everything one run is made of; the loop outlives it.
class Service {
 public:
  Service(const asio::any_io_executor& loop,
          HubFolder& folder,
          Listeners listeners,
          HubFacts facts,
          const api::SignInLimits& limits)
      : folder_(folder),
        identity_{folder.id(), folder.key(), facts.origin},
        listeners_(std::move(listeners)),
        runner_(loop, runner_parts(), "duhui-hub " + facts.version),
        access_({loop, runner_, folder, clock_}, std::move(facts)),
        api_(
            access_,
            [](const api::SignInEvent& event) {
              log_info("sign-in: " + std::string(api::to_string(event.what)) + " " + event.person);
            },
            limits),
        stopped_(loop, asio::steady_timer::time_point::max()),
        tasks_(loop, [](std::string_view what) { log_warning(what); }) {}

  asio::awaitable<void> run(std::function<Status(const HubFacts&)> ready) {
    int signal_number = 0;
    co_await runner_.learn_templates();
    tasks_.spawn(await_signal(stopped_, signal_number));
    tasks_.spawn(runner_.run_timers());
    tasks_.spawn(runner_.run_tidying());
    tasks_.spawn(sign_daily());
    const net::HttpHandler on_api = [this](net::HttpRequest request) {
      return answer_api(api_, threads_, std::move(request));
    };
    tasks_.spawn(listeners_.control->run(on_api, {}));
    tasks_.spawn(listeners_.http->run(on_api, {}));
    if (listeners_.lan) tasks_.spawn(listeners_.lan->run(on_api, {}));
    const net::HttpHandler on_device = [this](net::HttpRequest request) {
      return answer_device(listeners_.key_history, *listeners_.posts, std::move(request));
    };
    const net::SessionHandler on_session = [this](std::unique_ptr<net::MessageStream> stream) {
      return runner_.serve_session(std::move(stream));
    };
    tasks_.spawn(listeners_.posts->run(on_session));
    tasks_.spawn(listeners_.devices->run(on_device, on_session));
    outcome_ = ready(access_.facts());
    if (outcome_) {
      // NOLINTNEXTLINE(bugprone-infinite-loop): await_signal sets it
      while (signal_number == 0) {
        co_await stopped_.async_wait(asio::as_tuple(asio::use_awaitable));
      }
      log_info("stopping: signal " + std::to_string(signal_number));
    }
    if (auto told = co_await runner_.change(tell("service.stop")); !told) {
      log_warning("audit: " + told.error().detail);
    }
    access_.stop();
    co_await runner_.stop(kGoodbyeTime);
    tasks_.cancel();
    co_await leave_in_time();
    co_await tasks_.wait();
    co_await access_.drained();
    co_await runner_.stop({});
  }

  const Status& outcome() const { return outcome_; }

 private:
  /// A request that does not end in time (a whole verification) must not hold up the stop:
  /// everything that was acknowledged is on disk.
  asio::awaitable<void> leave_in_time() {
    asio::steady_timer timer(stopped_.get_executor());
    const MonotonicTime until = clock_.monotonic() + kDrainTime;
    while (tasks_.size() > 0 && clock_.monotonic() < until) {
      timer.expires_after(std::chrono::milliseconds(kDrainStep.ms));
      co_await timer.async_wait(asio::use_awaitable);
    }
    if (tasks_.size() == 0) co_return;
    log_warning("stopped with a request under way");
    flush_log();
    std::_Exit(0);
  }

  /// An entry of the audit log, and the hub's signature of it.
  std::function<Status(HubTransaction&)> tell(const char* action) {
    return [this, action](HubTransaction& tx) {
      return tell_audit(tx, folder_, clock_.wall(), action, access_.facts().version);
    };
  }

  /// Once a day, so that a log that lost its tail shows at the latest a day later.
  asio::awaitable<void> sign_daily() {
    asio::steady_timer timer(stopped_.get_executor());
    for (;;) {
      timer.expires_after(std::chrono::milliseconds(kSignEvery.ms));
      co_await timer.async_wait(asio::use_awaitable);
      if (auto told = co_await runner_.change(tell("audit.sign")); !told) {
        log_warning("audit: " + told.error().detail);
      }
    }
  }

  RunnerParts runner_parts() {
    return {.store = folder_.store(),
            .identity = identity_,
            .clock = clock_,
            .writer_random = writer_random_,
            .reader_random = reader_random_,
            .log = [](std::string_view what) { log_info(what); },
            .tidy =
                [this] {
                  if (auto done = folder_.store().checkpoint(); !done) {
                    log_warning("checkpoint: " + done.error().detail);
                  }
                },
            .blobs = &folder_.blobs(),
            .inventory = &folder_.blobs()};
  }

  HubFolder& folder_;
  const net::SystemClock clock_;
  SystemRandom writer_random_;
  SystemRandom reader_random_;
  const HubIdentity identity_;
  Listeners listeners_;
  HubRunner runner_;
  LiveAccess access_;
  HubApi api_;
  asio::steady_timer stopped_;
  Status outcome_ = Done{};
  net::TaskScope tasks_;
  ApiThreads threads_;
};

}  // namespace

Status serve_hub(HubFolder& folder,
                 const HubSettings& settings,
                 const std::string& version,
                 const std::function<void(const Json&)>& ready) {
  asio::io_context loop(1);
  DUHUI_TRY(listeners, open_listeners(loop.get_executor(), folder, settings));
  const net::SystemClock clock;
  SystemRandom random;
  HubFacts facts;
  facts.id = folder.id();
  facts.name = folder.name();
  facts.version = version;
  facts.origin = Origin::random(random);
  facts.pin = folder.tls().pin.str();
  facts.serving = true;
  // No service without a log of who does what with it.
  DUHUI_CHECK_OK(folder.store().write([&](HubTransaction& tx) {
    return tell_audit(tx, folder, clock.wall(), "service.start", facts.version);
  }));
  facts.started_at = clock.wall();
  facts.addresses = {.devices_host = settings.devices.host,
                     .devices_port = listeners.devices->port(),
                     .http_host = settings.http.host,
                     .http_port = listeners.http->port(),
                     .public_address = settings.public_address};
  const Json lan = listeners.lan_told;
  Service service(loop.get_executor(), folder, std::move(listeners), std::move(facts),
                  settings.sign_in);
  const std::string path = folder.path();
  const std::function<Status(const HubFacts&)> announce = [&](const HubFacts& known) -> Status {
    const Json addresses = address_json(known, path, lan);
    DUHUI_CHECK_OK(write_file(path + "/listen.json", json_text(addresses) + "\n", false));
    ready(addresses);
    return Done{};
  };
  asio::co_spawn(loop, service.run(announce), [](std::exception_ptr thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
  loop.run();
  ::unlink((path + "/listen.json").c_str());
  flush_log();
  return service.outcome();
}

}  // namespace duhui::hub

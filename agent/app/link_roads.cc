// How a link finds a road to its hub.

#include <algorithm>
#include <utility>

#include "agent/app/link.h"
#include "shared/sync/key_history.h"

namespace duhui::agent {
namespace {

namespace asio = boost::asio;
using net::Obstacle;

/// A WebSocket that is lost sooner, with nothing delivered, says little for its road. One that
/// delivers and breaks is a bad line, and bad for any road.
constexpr Duration kShortLife = seconds(30);
/// A hub that hands out streams under new origins without end would spin us.
constexpr Duration kPauseAtOnce = milliseconds(20);
/// Between two looks for a sign-in page where nothing else answers, and for one look.
constexpr Duration kPageInterval = minutes(1);
constexpr Duration kPageTimeout = seconds(5);

/// Names the runner for as long as it lives, and keeps what it carried; also when the coroutine is
/// cancelled.
class RunnerGuard {
 public:
  RunnerGuard(LinkRunner*& place, LinkBytes& earlier, LinkRunner& runner)
      : place_(place), earlier_(earlier) {
    place_ = &runner;
  }
  ~RunnerGuard() {
    earlier_ += place_->bytes();
    place_ = nullptr;
  }
  RunnerGuard(const RunnerGuard&) = delete;
  RunnerGuard& operator=(const RunnerGuard&) = delete;

 private:
  LinkRunner*& place_;
  LinkBytes& earlier_;
};

/// Whether another road could lead around it.
bool is_of_the_road(Obstacle obstacle) {
  return obstacle == Obstacle::none || obstacle == Obstacle::upgrade_refused ||
         obstacle == Obstacle::post_refused;
}

std::string problem_name(Obstacle obstacle) {
  switch (obstacle) {
    case Obstacle::none:
    case Obstacle::upgrade_refused:
    case Obstacle::post_refused:
      return "blocked";
    case Obstacle::unreachable:
      return "unreachable";
    case Obstacle::proxy_unreachable:
      return "proxy_unreachable";
    case Obstacle::proxy_password:
      return "proxy_password";
    case Obstacle::proxy_refused:
      return "proxy_refused";
    case Obstacle::sign_in_page:
      return "sign_in_page";
    case Obstacle::intercepted:
      return "intercepted";
    case Obstacle::other_key:
      return "other_key";
  }
  return {};
}

}  // namespace

std::vector<Road> Link::order(const std::string& network) const {
  if (roads_.only) return {*roads_.only};
  if (roads_.memory != nullptr) return roads_.memory->order(network, parts_.clock.wall());
  return {Road::websocket, Road::https};
}

asio::awaitable<void> Link::connect_once() {
  enter(State::connecting);
  network_ = roads_.network ? roads_.network() : std::string();
  parts_.replica.traffic().budget().set_free(roads_.free && roads_.free(network_));
  others_failed_ = false;
  const std::vector<Road> roads = order(network_);
  std::string first_error;
  for (const Road road : roads) {
    Attempt attempt = co_await try_road(road, network_);
    if (!enabled_ || attempt.heard) co_return;
    if (first_error.empty()) first_error = to_string(attempt.error);
    last_error_ = first_error;  // why the better road was left, not what came of the other
    road_problem_ = problem_name(attempt.obstacle);
    if (!is_of_the_road(attempt.obstacle)) break;
    others_failed_ = true;
  }
  wake_waiters();
}

asio::awaitable<Link::Attempt> Link::try_road(Road road, const std::string& network) {
  net::ConnectReport report;
  auto stream = co_await open_trusted(road, network, &report);
  if (!stream) {
    if (co_await meets_page(stream.error(), report)) report.obstacle = Obstacle::sign_in_page;
    if (report.retry_after.ms > 0) {
      backoff_.hub_asked(report.retry_after);
      delay_ = backoff_.next(parts_.random);
    }
    co_return Attempt{report.obstacle, std::move(stream).error(), false};
  }
  if (!enabled_) co_return Attempt{};
  const bool heard = co_await run_on(std::move(stream).value(), road, network);
  co_return Attempt{Obstacle::none, {ErrorCode::unavailable, last_error_}, heard};
}

asio::awaitable<Result<std::unique_ptr<net::MessageStream>>> Link::open_trusted(
    Road road, const std::string& network, net::ConnectReport* report) {
  auto stream = co_await open_road(road, network, report);
  if (stream || stream.error().code != ErrorCode::refused) co_return stream;
  auto followed = co_await follow_hub_key(report);
  if (!followed) co_return std::move(followed).error();
  co_return co_await open_road(road, network, report);
}

asio::awaitable<Result<std::unique_ptr<net::MessageStream>>> Link::open_road(
    Road road, const std::string& network, net::ConnectReport* report) {
  posts_ = nullptr;
  if (road == Road::websocket) {
    co_return co_await net::connect_to_hub(hub_, net::StreamLimits{}, report);
  }
  net::PostClientOptions options;
  if (roads_.memory != nullptr) {
    options.wait = roads_.memory->poll_wait(network).value_or(options.wait);
  }
  auto stream = co_await net::open_post_stream(hub_, options, report);
  if (!stream) co_return std::move(stream).error();
  posts_ = stream->get();
  co_return std::unique_ptr<net::MessageStream>(std::move(*stream));
}

asio::awaitable<bool> Link::run_on(std::unique_ptr<net::MessageStream> stream,
                                   Road road,
                                   const std::string& network) {
  const MonotonicTime began = parts_.clock.monotonic();
  road_ = road;
  carried_ = false;
  LinkRunner runner(std::move(stream), parts_.replica, parts_.identity, software_, parts_.clock,
                    *this, executor_);
  const RunnerGuard guard(runner_, by_road_[index_of(road)].bytes, runner);
  const LinkEnd end = co_await runner.run();
  last_error_ = end.reason;
  if (end.at_once) {
    delay_ = kPauseAtOnce;
  } else if (end.retry_after.ms > 0) {
    backoff_.hub_asked(end.retry_after);
    delay_ = backoff_.next(parts_.random);
  }
  if (roads_.memory != nullptr) {
    if (posts_ != nullptr && runner.heard()) {
      roads_.memory->learned_wait(network, posts_->poll_wait());
    }
    const bool lost =
        runner.heard() && !carried_ && enabled_ && !end.at_once && end.retry_after.ms == 0;
    if (road == Road::websocket && lost && parts_.clock.monotonic() - began < kShortLife) {
      roads_.memory->websocket_dies(network, parts_.clock.wall());
    }
  }
  posts_ = nullptr;
  co_return runner.heard();
}

asio::awaitable<bool> Link::meets_page(const Error& error, const net::ConnectReport& report) {
  if (report.obstacle != Obstacle::unreachable || !hub_.proxy.host.empty()) co_return false;
  if (error.code == ErrorCode::corrupt_data) {  // it answers, but not in TLS
    co_return co_await net::shows_sign_in_page(hub_.host, hub_.port, kPageTimeout);
  }
  const MonotonicTime now = parts_.clock.monotonic();
  if (page_asked_.ms != 0 && now - page_asked_ < kPageInterval) {
    co_return road_problem_ == problem_name(Obstacle::sign_in_page);
  }
  page_asked_ = now;
  co_return co_await net::shows_sign_in_page(hub_.host, roads_.page_port, kPageTimeout);
}

asio::awaitable<Status> Link::follow_hub_key(net::ConnectReport* report) {
  net::ConnectReport asked;
  auto keys = co_await net::fetch_keys(hub_, net::StreamLimits{}, kKeyHistoryBytesMax, &asked);
  if (asked.obstacle == Obstacle::sign_in_page) report->obstacle = asked.obstacle;
  if (!keys) {
    co_return Error{ErrorCode::refused,
                    "hub key changed without a statement: " + keys.error().detail};
  }
  auto history = parse_key_history(keys->history);
  if (!history) co_return Error{ErrorCode::refused, history.error().detail};
  const Status followed =
      follow_keys(*history, parts_.replica.state().hub_id(), hub_.pin, keys->presented);
  // Kept for good by the welcome that follows.
  if (followed) hub_.pin = keys->presented.str();
  co_return followed;
}

void Link::worked() {
  by_road_[index_of(road_)].last_success = parts_.clock.wall();
  const bool around = road_ == Road::https && !roads_.only;
  road_problem_ = around ? "websocket_blocked" : "";
  if (roads_.memory != nullptr) {
    roads_.memory->worked(network_, road_, others_failed_, parts_.clock.wall());
  }
}

std::optional<Road> Link::road() const {
  if (runner_ == nullptr || state_ != State::live) return std::nullopt;
  return road_;
}

RoadFacts Link::facts(Road road) const {
  RoadFacts facts = by_road_[index_of(road)];
  if (runner_ != nullptr && road == road_) facts.bytes += bytes();
  return facts;
}

}  // namespace duhui::agent

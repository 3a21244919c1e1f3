#include "hub/app/live_access.h"

#include <exception>
#include <future>
#include <memory>
#include <utility>

#include <boost/asio/post.hpp>

#include "hub/app/bundle_work.h"

namespace duhui::hub {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kOpsBytes = 4u << 20;

template <typename T>
asio::awaitable<void> deliver(asio::awaitable<T> work, std::shared_ptr<std::promise<T>> promise) {
  try {
    promise->set_value(co_await std::move(work));
  } catch (...) {
    promise->set_exception(std::current_exception());
  }
}

asio::awaitable<std::set<DeviceId>> connected(HubRunner& runner) {
  co_return runner.connected_devices();
}

asio::awaitable<std::map<DeviceId, FileCounters>> counted(HubRunner& runner) {
  co_return runner.file_counters();
}

asio::awaitable<bool> drop(HubRunner& runner, DeviceId device, std::string why) {
  runner.drop_device(device, why);
  co_return true;
}

}  // namespace

LiveAccess::LiveAccess(Parts parts, HubFacts facts)
    : parts_(std::move(parts)), facts_(std::move(facts)), ops_(kOpsBytes), tasks_(parts_.loop) {}

template <typename T>
T LiveAccess::on_loop(const std::function<asio::awaitable<T>()>& start) {
  // Shared: the loop may still be inside set_value() when get() returns here.
  const auto promise = std::make_shared<std::promise<T>>();
  auto future = promise->get_future();
  asio::post(parts_.loop, [&, promise] { tasks_.spawn(deliver<T>(start(), promise)); });
  return future.get();
}

Status LiveAccess::read(const std::function<Status(HubTransaction&, OpReader&)>& work) {
  return parts_.folder.store().read([&](HubTransaction& tx) { return work(tx, ops_); });
}

Status LiveAccess::change(const std::function<Status(HubTransaction&)>& work) {
  return on_loop<Status>([&] { return parts_.runner.change(work); });
}

Result<std::vector<Dot>> LiveAccess::save(std::vector<Intent> intents) {
  return on_loop<Result<std::vector<Dot>>>([&] { return parts_.runner.save(std::move(intents)); });
}

Result<Decided> LiveAccess::decide(Decision decision,
                                   std::vector<Dot> dots,
                                   const std::string& person) {
  return on_loop<Result<Decided>>(
      [&] { return parts_.runner.decide(decision, std::move(dots), person); });
}

std::set<DeviceId> LiveAccess::connected_devices() {
  return on_loop<std::set<DeviceId>>([&] { return connected(parts_.runner); });
}

std::map<DeviceId, FileCounters> LiveAccess::file_counters() {
  return on_loop<std::map<DeviceId, FileCounters>>([&] { return counted(parts_.runner); });
}

Status LiveAccess::converse(HubPeer& peer) {
  return on_loop<Status>([&] { return parts_.runner.converse(peer); });
}

Result<nlohmann::json> LiveAccess::take_bundles(const std::vector<std::string>& paths) {
  return duhui::hub::take_bundles(*this, paths);
}

Result<nlohmann::json> LiveAccess::make_bundles(const BundleOrder& order) {
  return duhui::hub::make_bundles(*this, order, parts_.folder.path());
}

void LiveAccess::drop_device(const DeviceId& device, const std::string& why) {
  on_loop<bool>([&] { return drop(parts_.runner, device, why); });
}

}  // namespace duhui::hub

// Any bytes as a bundle file, and whole bundles that were bent: what is read is what was written,
// or nothing is believed; and any frames inside a properly sealed and signed one, to a device that
// takes them: nothing crashes, and nothing it has saved goes away. And photos that are carried both
// ways in bundles that somebody bends who can sign: no receipt and no file is ever a false one.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/bundle_delivery.h"
#include "agent/core/replica.h"
#include "shared/sync/bundle_format.h"
#include "shared/sync/bundle_limits.h"
#include "shared/sync/frame_codec.h"
#include "tests/fuzz/bundle_files.h"
#include "tests/fuzz/input.h"
#include "tests/support/memory_store.h"

namespace duhui {
namespace {

constexpr std::int64_t kNow = 1'760'000'000'000;
constexpr std::size_t kFramesMax = 32;

struct Keys {
  SeededRandom random{11};
  SigningKey hub = SigningKey::generate(random);
  SigningKey device = SigningKey::generate(random);
};

Keys& keys() {
  static Keys made;
  return made;
}

/// One file from the hub to the device with these frames.
std::string bundle_of(const std::vector<std::string>& frames) {
  sync::v1::BundleOpening opening;
  opening.set_public_key(keys().hub.public_key().str());
  sync::v1::BundleHeader head;
  head.set_direction(sync::v1::BUNDLE_DIRECTION_TO_DEVICE);
  head.set_bundle_id(std::string(16, 'b'));
  head.set_part(1);
  head.set_parts(1);
  head.set_device_id(std::string(16, 'd'));
  std::uint64_t bytes = bundle_item_bytes(opening.ByteSizeLong());
  for (const std::string& frame : frames) bytes += bundle_item_bytes(frame.size());
  head.set_bytes(bytes);
  auto writer =
      BundleWriter::begin(head, opening, keys().device.public_key(), keys().hub, keys().random);
  fuzz::require(writer.has_value(), "a bundle can be made");
  for (const std::string& frame : frames) (*writer)->add(frame);
  (*writer)->finish();
  return (*writer)->take();
}

/// Empty optional: not believed.
std::optional<std::vector<std::string>> read(std::string_view file, std::size_t step) {
  std::vector<std::string> frames;
  BundleReader reader(keys().device, sync::v1::BUNDLE_DIRECTION_TO_DEVICE);
  const auto keep = [&](std::string_view frame) -> Status {
    frames.emplace_back(frame);
    return Done{};
  };
  while (!file.empty()) {
    if (!reader.feed(file.substr(0, step), keep)) return std::nullopt;
    file.remove_prefix(std::min(step, file.size()));
  }
  if (!reader.end() || !reader.signed_by(keys().hub.public_key())) return std::nullopt;
  return frames;
}

std::vector<std::string> read_frames(fuzz::Input& input) {
  std::vector<std::string> frames;
  while (!input.empty() && frames.size() < kFramesMax) frames.emplace_back(input.part());
  return frames;
}

void any_bytes(fuzz::Input& input) {
  const std::size_t step = 1 + input.byte();
  std::string file = input.byte() % 2 == 0 ? "DUHUIB1\n" : "";
  file += input.rest();
  fuzz::require(!read(file, step), "nobody else can sign");
}

void bend(fuzz::Input& input) {
  const std::size_t step = 1 + input.byte();
  const auto how = input.byte();
  const std::size_t place = input.byte() + 256 * std::size_t{input.byte()};
  const auto with = static_cast<char>(input.byte());
  const std::vector<std::string> frames = read_frames(input);
  std::string file = bundle_of(frames);
  fuzz::require(read(file, step) == frames, "what was written is read");
  const std::string before = file;
  const std::size_t at = place % file.size();
  if (how % 3 == 0) {
    file[at] = with;
  } else if (how % 3 == 1) {
    file.resize(at);
  } else {
    file.insert(at, 1, with);
  }
  fuzz::require(file == before || !read(file, step), "every change is found");
}

struct Device {
  SeededRandom random{5};
  agent::MemoryDisk disk;
  agent::MemoryKvStore store{disk};
  agent::MemoryJournal journal{disk};
  std::unique_ptr<agent::Replica> replica;

  Device() {
    auto opened = agent::Replica::open(store, journal, random, clock(), false);
    fuzz::require(opened.has_value(), "the device opens");
    replica = std::move(*opened);
    Intent intent;
    intent.record.bytes.fill('r');
    intent.type = 1;
    intent.creates = true;
    intent.scope = "city/school";
    intent.person = "wang";
    intent.writes = {{{3, {}}, std::string("\x1a\x01x")}};
    const auto saved = replica->save({intent}, clock());
    fuzz::require(saved.has_value(), "the device saves");
  }
  static ClockReading clock() { return {.wall = {kNow}, .monotonic = {1000}, .boot = 1}; }
};

/// Frames that the hub itself would have signed: it may be an older or a broken one.
void deliver(fuzz::Input& input) {
  Device device;
  sync::v1::BundleOpening opening;
  opening.set_acknowledged(input.byte() % 2u);
  agent::BundleDelivery delivery(*device.replica, opening);
  sync::v1::Frame welcome;
  welcome.mutable_welcome()->set_version(1);
  welcome.mutable_welcome()->set_hub_id(std::string(16, 'h'));
  welcome.mutable_welcome()->set_epoch(1 + input.byte() % 2u);
  welcome.mutable_welcome()->set_hub_time_ms(kNow);
  auto* head = welcome.mutable_welcome()->mutable_hub_head();
  head->set_origin(device.replica->origin().str());
  head->set_seq(input.byte() % 3u);
  head->set_chain(device.replica->state().chain());
  Status taken = delivery.take(encode_frame(welcome));
  for (const std::string& frame : read_frames(input)) {
    if (!taken) break;
    taken = delivery.take(frame);
  }
  RecordId id;
  id.bytes.fill('r');
  const auto record = device.replica->record(id);
  fuzz::require(record && record->has_value(), "what was saved is there");
}

void run(fuzz::Input input) {
  switch (input.byte() % 4) {
    case 0:
      any_bytes(input);
      break;
    case 1:
      bend(input);
      break;
    case 2:
      deliver(input);
      break;
    case 3: {
      const bool files_only = input.byte() % 2 == 0;
      fuzz::FilesByStick world(files_only);
      world.exchange(input);
      if (files_only) world.finish();
      break;
    }
  }
}

}  // namespace
}  // namespace duhui

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  duhui::run(duhui::fuzz::Input(bytes, size));
  return 0;
}

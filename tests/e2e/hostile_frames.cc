#include "tests/e2e/hostile_frames.h"

#include <utility>

#include <zstd.h>

#include "shared/base/bytes.h"
#include "shared/sync/frame_codec.h"
#include "shared/sync/limits.h"
#include "shared/sync/op_columns.h"
#include "shared/sync/stream_chain.h"

namespace duhui::hostile {
namespace {

using sync::v1::Frame;

constexpr std::int64_t kNow = 1'760'000'000'000;
constexpr std::size_t kBombBytes = 64u << 20;
constexpr std::uint32_t kVisitRecord = 20;

std::string zstd(std::string_view raw) {
  std::string packed(ZSTD_compressBound(raw.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), raw.data(), raw.size(), 1));
  return packed;
}

const std::string& zstd_bomb() {
  static const std::string bomb = zstd(std::string(kBombBytes, '\0'));
  return bomb;
}

std::vector<std::string_view> views(const std::vector<std::string>& ops) {
  return {ops.begin(), ops.end()};
}

/// The payload of the columns encoding, whatever it says about itself.
std::string column_payload(std::string_view random, std::uint64_t announced, std::string packed) {
  std::string payload;
  append_varint(payload, random.size());
  payload += random;
  append_varint(payload, announced);
  return payload += packed;
}

}  // namespace

HostileDevice::HostileDevice(std::uint64_t seed,
                             std::uint64_t first,
                             std::string ticket,
                             std::string scope)
    : random_(seed),
      id_(DeviceId::random(random_)),
      key_(SigningKey::generate(random_)),
      ticket_(std::move(ticket)),
      scope_(std::move(scope)),
      origin_(Origin::random(random_)),
      turn_(first),
      counts_turn_(first) {}

std::string HostileDevice::hello(std::string_view channel_binding) {
  origin_ = Origin::random(random_);
  Frame frame;
  sync::v1::Hello& hello = *frame.mutable_hello();
  hello.set_version(1);
  hello.set_device_id(id_.str());
  hello.set_public_key(key_.public_key().str());
  hello.set_proof(key_.sign(device_statement(channel_binding, id_, key_.public_key().view())));
  hello.set_ticket(ticket_);
  hello.mutable_head()->set_origin(origin_.str());
  hello.mutable_head()->set_chain(empty_chain());
  hello.mutable_acknowledged()->set_origin(origin_.str());
  hello.mutable_acknowledged()->set_chain(empty_chain());
  hello.mutable_clock()->set_wall_ms(kNow);
  hello.set_credit(sync_limits::kDownstreamCredit);
  PayloadCodec::announce(&hello);
  hello.set_software("hostile");
  return encode_frame(frame);
}

Attack HostileDevice::next() {
  switch (turn_++ % kKinds) {
    case 0:
      return honest();
    case 1:
      return bomb(0);
    case 2:
      return bomb(1);
    case 3:
      return bomb(2);
    case 4:
      return columns(0);
    case 5:
      return columns(1);
    case 6:
      return columns(2);
    case 7:
      return columns(3);
    case 8:
      return columns(4);
    case 9:
      return counts();
    case 10:
      return cut(0);
    case 11:
      return cut(1);
    case 12:
      return cut(2);
    case 13:
      return forged();
    case 14:
      return flood(0);
    case 15:
      return flood(1);
    case 16:
      return flood(2);
    case 17:
      return questions();
    case 18:
      return far_ahead();
    default:
      return strange_ops();
  }
}

// --- payloads that unfold to more than they say ---

Attack HostileDevice::bomb(int kind) {
  Batch batch;
  batch.set_encoding(sync::v1::ENCODING_ZSTD);
  batch.set_payload(zstd_bomb());
  batch.set_count(1);
  if (kind == 0) {
    batch.set_raw_bytes(1000);
    return {.name = "bomb: a thousand bytes announced", .frames = {sealed(std::move(batch))}};
  }
  if (kind == 1) {
    batch.set_raw_bytes(coin() ? static_cast<std::uint32_t>(kBombBytes) : 0xFFFFFFFFu);
    return {.name = "bomb: its size announced", .frames = {sealed(std::move(batch))}};
  }
  batch.set_raw_bytes(static_cast<std::uint32_t>(sync_limits::kBatchRawBytesMax));
  batch.set_count(sync_limits::kBatchOpsMax);
  return {.name = "bomb: the most that is allowed announced", .frames = {sealed(std::move(batch))}};
}

Attack HostileDevice::columns(int kind) {
  std::vector<std::string> ops = some_ops(8 + random_.below(40), 60);
  Batch batch = packed(ops);
  batch.set_encoding(sync::v1::ENCODING_COLUMNS);
  batch.clear_dictionary();
  OpColumns cut = to_columns(views(ops)).value_or(OpColumns{});
  Attack attack;
  if (kind == 0) {
    attack.name = "columns: a bomb";
    const std::uint64_t announced[] = {100, sync_limits::kBatchRawBytesMax, kBombBytes, ~0ull >> 4};
    batch.set_payload(column_payload(cut.random, announced[random_.below(4)], zstd_bomb()));
    if (coin()) batch.set_raw_bytes(static_cast<std::uint32_t>(sync_limits::kBatchRawBytesMax));
    if (coin()) batch.set_count(sync_limits::kBatchOpsMax);
  } else if (kind == 1) {
    attack.name = "columns: garbage";
    const std::string fields = garbage(1 + random_.below(20'000));
    batch.set_payload(column_payload(garbage(random_.below(3000)), fields.size(), zstd(fields)));
    if (coin()) batch.set_count(sync_limits::kBatchOpsMax);
  } else if (kind == 2) {
    attack.name = "columns: some bytes changed";
    for (std::uint64_t n = 1 + random_.below(6); n > 0 && !cut.fields.empty(); --n) {
      const std::size_t at =
          random_.below(coin() ? cut.fields.size() : std::min<std::size_t>(40, cut.fields.size()));
      cut.fields[at] = static_cast<char>(cut.fields[at] ^ (1 + random_.below(255)));
    }
    batch.set_payload(column_payload(cut.random, cut.fields.size(), zstd(cut.fields)));
    batch.set_chain(garbage(32));  // also where the bytes do not matter
  } else if (kind == 3) {
    attack.name = "columns: cut off or drawn out";
    if (coin()) cut.fields.resize(random_.below(cut.fields.size()));
    if (coin()) cut.random.resize(random_.below(cut.random.size() + 1));
    if (coin()) cut.fields += garbage(1 + random_.below(50));
    batch.set_payload(column_payload(cut.random, cut.fields.size(), zstd(cut.fields)));
    batch.set_chain(garbage(32));
  } else {
    attack.name = "columns: other counts than inside";
    batch.set_payload(column_payload(cut.random, cut.fields.size(), zstd(cut.fields)));
    const std::uint32_t right = batch.count();
    const std::uint32_t wrong[] = {right - 1, right + 1, sync_limits::kBatchOpsMax, 0, 0xFFFFFFFFu};
    if (coin()) {
      batch.set_count(wrong[random_.below(5)]);
    } else {
      batch.set_raw_bytes(coin() ? batch.raw_bytes() - 1
                                 : static_cast<std::uint32_t>(sync_limits::kBatchRawBytesMax));
    }
  }
  attack.frames.push_back(sealed(std::move(batch)));
  return attack;
}

// --- batches whose numbers lie ---

Attack HostileDevice::counts() {
  Batch batch = packed(some_ops(5, 20));
  Attack attack{.name = "wrong counts"};
  const std::uint64_t kind = counts_turn_++ % 4;
  if (kind == 0) {
    batch.set_count(0);
  } else if (kind == 1) {
    batch.set_count(coin() ? 4 : 6);
  } else if (kind == 2) {
    batch.set_count(0xFFFFFFFFu);
  } else {
    batch.set_raw_bytes(batch.raw_bytes() + (coin() ? 1u : 100'000u));
  }
  attack.frames.push_back(sealed(std::move(batch)));
  return attack;
}

/// What lies before is not there; the last number may go round.
Attack HostileDevice::far_ahead() {
  Batch batch = packed(some_ops(5, 20));
  batch.set_first_seq(coin() ? 1000 : ~0ull - random_.below(10));
  Attack attack{.name = "from far ahead", .due = Due::silence};
  attack.frames.push_back(sealed(std::move(batch)));
  return attack;
}

Attack HostileDevice::cut(int kind) {
  const std::vector<std::string> ops = some_ops(30, 200);
  Batch batch = packed(ops);
  if (kind == 0) {
    std::string frame = sealed(std::move(batch));
    frame.resize(1 + random_.below(frame.size() - 1));
    return {.name = "a frame cut off", .frames = {std::move(frame)}};
  }
  if (kind == 1) {
    batch.mutable_payload()->resize(random_.below(batch.payload().size()));
    return {.name = "a payload cut off", .frames = {sealed(std::move(batch))}};
  }
  const std::size_t size = sync_limits::kFrameBytesMax + 1 + random_.below(3u << 20);
  return {.name = "a frame over the limit", .frames = {std::string(size, '\x1a')}};
}

Attack HostileDevice::forged() {
  Batch batch = packed(some_ops(3, 50));
  Attack attack{.name = "forged"};
  switch (random_.below(5)) {
    case 0:
      batch.set_chain(garbage(32));
      break;
    case 1:
      batch.set_encoding(static_cast<sync::v1::Encoding>(5 + random_.below(1000)));
      break;
    case 2:
      batch.set_encoding(sync::v1::ENCODING_ZSTD_DICTIONARY);
      batch.set_dictionary(static_cast<std::uint32_t>(2 + random_.below(1000)));
      break;
    case 3: {  // signed for another stream
      Frame frame;
      *frame.mutable_batch() = batch;
      frame.mutable_batch()->set_origin(garbage(16));
      frame.mutable_batch()->set_first_seq(1);
      frame.mutable_batch()->set_signature(garbage(64));
      attack.frames.push_back(encode_frame(frame));
      return attack;
    }
    default: {  // kinds that only hubs send
      Frame frame;
      if (coin()) {
        frame.mutable_ack()->set_through(~0ull);
      } else {
        frame.mutable_welcome()->set_credit(~0ull);
      }
      attack.frames.push_back(encode_frame(frame));
      return attack;
    }
  }
  attack.frames.push_back(sealed(std::move(batch)));
  return attack;
}

// --- more than was granted ---

Attack HostileDevice::flood(int kind) {
  Attack attack;
  if (kind == 0) {
    attack = {.name = "flood: more bytes than the credit", .before_welcome = true};
    Batch batch;
    batch.set_encoding(sync::v1::ENCODING_PLAIN);
    batch.set_count(1);
    batch.set_payload(garbage(sync_limits::kUpstreamCredit / 2));
    batch.set_raw_bytes(static_cast<std::uint32_t>(batch.payload().size()));
    attack.frames.assign(3, sealed(batch));
  } else if (kind == 1) {
    attack = {.name = "flood: batches before the welcome", .before_welcome = true};
    Batch batch = packed(some_ops(1, 10));
    batch.set_chain(garbage(32));
    attack.frames.assign(500, sealed(std::move(batch)));
  } else {
    attack = {.name = "flood: pings, no answer read", .due = Due::health, .deaf = true};
    Frame frame;
    frame.mutable_ping()->set_token(~0ull);
    attack.frames.assign(5000, encode_frame(frame));
  }
  return attack;
}

Attack HostileDevice::questions() {
  Attack attack{.name = "questions without end", .due = Due::health, .deaf = coin()};
  for (int n = 0; n < 300; ++n) {
    Frame frame;
    const std::uint64_t kind = random_.below(4);
    if (kind == 0) {
      sync::v1::RangeRequest& request = *frame.mutable_range_request();
      request.set_scope(scope_);
      request.set_low(std::string(16, '\0'));
      request.set_high(std::string(16, '\xff'));
      request.set_records(~0ull);
    } else if (kind == 1) {
      sync::v1::ForkProbe& probe = *frame.mutable_fork_probe();
      for (int point = 0; point < 20; ++point) {
        probe.add_points()->set_origin(garbage(16));
      }
    } else if (kind == 2) {
      frame.mutable_seen()->set_credit(~0ull);
      for (int cursor = 0; cursor < 10; ++cursor) {
        sync::v1::ScopeCursor& at = *frame.mutable_seen()->add_cursors();
        at.set_scope(scope_);
        at.set_through(random_.next());
      }
    } else {
      sync::v1::Refill& refill = *frame.mutable_refill();
      refill.set_scope(scope_);
      sync::v1::WalkedRecord& record = *refill.add_records();
      record.set_record_id(garbage(16));
      sync::v1::Batch& run = *record.add_runs();
      run.set_encoding(sync::v1::ENCODING_ZSTD);
      run.set_raw_bytes(static_cast<std::uint32_t>(sync_limits::kBatchRawBytesMax));
      run.set_count(1);
      run.set_origin(garbage(16));
      run.set_payload(zstd_bomb());
    }
    attack.frames.push_back(encode_frame(frame));
  }
  return attack;
}

// --- well-formed batches ---

Attack HostileDevice::strange_ops() {
  std::vector<std::string> ops;
  for (std::uint64_t n = 1 + random_.below(10); n > 0; --n) {
    if (coin()) {
      ops.push_back(garbage(random_.below(300)));
      continue;
    }
    sync::v1::Op op;
    op.ParseFromString(some_ops(1, 30).front());
    if (coin()) op.set_scope(coin() ? "" : std::string(600, '/'));
    if (coin()) op.set_record_type(static_cast<std::uint32_t>(random_.next()));
    if (coin()) op.set_record_id(garbage(random_.below(40)));
    if (coin()) op.mutable_time()->set_hlc(random_.next());
    if (coin()) op.mutable_writes(0)->set_field(static_cast<std::uint32_t>(random_.next()));
    if (coin()) op.mutable_writes(0)->set_value(garbage(100));
    if (coin()) op.set_rank(0xFFFFFFFFu);
    std::string bytes = op.SerializeAsString();
    if (coin()) bytes += "\x4a\x10" + garbage(16);  // a scope that is no text
    ops.push_back(std::move(bytes));
  }
  return {.name = "strange ops", .due = Due::health, .frames = {sealed(packed(ops))}};
}

Attack HostileDevice::honest() {
  return {.name = "honest ops",
          .due = Due::acknowledgement,
          .frames = {sealed(packed(some_ops(1 + random_.below(8), 40)))},
          .before_welcome = coin()};
}

std::vector<std::string> HostileDevice::some_ops(std::size_t count, std::size_t text_bytes) {
  std::vector<std::string> ops;
  for (std::size_t n = 0; n < count; ++n) {
    sync::v1::Op op;
    op.set_record_id(mint_record_id(WallTime{kNow}, random_).str());
    op.set_record_type(kVisitRecord);
    op.set_creates(true);
    op.set_scope(scope_);
    op.set_person("u-sup-001");
    op.set_rank(2);
    op.mutable_time()->set_hlc(static_cast<std::uint64_t>(kNow) << 16);
    sync::v1::Write* write = op.add_writes();
    write->set_field(2);
    std::string text = std::string(1, '\x12');
    append_varint(text, text_bytes);
    for (std::size_t at = 0; at < text_bytes; ++at) {
      text += static_cast<char>('a' + random_.below(26));
    }
    write->set_value(text);
    ops.push_back(op.SerializeAsString());
  }
  return ops;
}

HostileDevice::Batch HostileDevice::packed(const std::vector<std::string>& ops) {
  Batch batch;
  codec_.pack(views(ops), {.dictionary = coin(), .columns = coin()}, &batch);
  std::string chain = empty_chain();
  for (const std::string& op : ops) chain = extend_chain(chain, op);
  batch.set_chain(chain);
  return batch;
}

std::string HostileDevice::sealed(Batch batch) {
  Frame frame;
  if (batch.first_seq() == 0) batch.set_first_seq(1);
  if (batch.chain().empty()) batch.set_chain(garbage(32));
  batch.set_origin(origin_.str());
  const Dot last{origin_, batch.first_seq() + batch.count() - 1};
  batch.set_signature(key_.sign(batch_statement(last, batch.chain())));
  *frame.mutable_batch() = std::move(batch);
  return encode_frame(frame);
}

std::string HostileDevice::garbage(std::size_t bytes) {
  std::string out(bytes, '\0');
  random_.fill(out.data(), out.size());
  return out;
}

}  // namespace duhui::hostile

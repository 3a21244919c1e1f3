// Any bytes as a batch's payload, and any bytes as ops to be packed: what was packed comes back
// byte for byte, and a broken payload is refused or has the announced length.

#include <string>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/sync/limits.h"
#include "shared/sync/op_columns.h"
#include "shared/sync/payload_codec.h"
#include "tests/fuzz/input.h"

namespace duhui {
namespace {

std::string rows_of(const std::vector<std::string_view>& ops) {
  std::string rows;
  for (const std::string_view op : ops) {
    append_varint(rows, op.size());
    rows.append(op);
  }
  return rows;
}

std::vector<std::string_view> read_ops(fuzz::Input& input) {
  std::vector<std::string_view> ops;
  for (std::uint8_t count = 1 + input.byte() % 32; count > 0; --count) ops.push_back(input.part());
  return ops;
}

/// One change of `text` for every four bytes that are left.
void damage(std::string& text, fuzz::Input& input) {
  while (!input.empty() && !text.empty()) {
    const std::size_t at = (input.byte() + 256 * std::size_t{input.byte()}) % text.size();
    const std::uint8_t how = input.byte();
    const auto with = static_cast<char>(input.byte());
    if (how % 4 == 0) {
      text.erase(at, how / 4);
    } else {
      text[at] = with;
    }
  }
}

void run(fuzz::Input input) {
  static PayloadCodec codec;
  const std::uint8_t what = input.byte();
  if (what % 4 == 0) {
    PackedOps packed;
    packed.encoding = input.byte() % 6;
    packed.dictionary = input.byte() % 3u;
    packed.count = input.byte() + 256u * (input.byte() % 32u);
    packed.raw_bytes = input.byte() + 256u * input.byte();
    packed.payload = input.rest();
    const auto rows = codec.unpack(packed);
    fuzz::require(!rows || rows->size() == packed.raw_bytes, "the announced length");
    return;
  }
  const std::vector<std::string_view> ops = read_ops(input);
  const std::string rows = rows_of(ops);
  sync::v1::Batch batch;
  codec.pack(ops, {.dictionary = what % 8 < 4, .columns = what % 16 < 12}, &batch);
  const auto unpacked = codec.unpack(packed_ops(batch));
  fuzz::require(unpacked && *unpacked == rows, "what was packed comes back");

  auto columns = to_columns(ops);
  if (!columns) return;
  const auto count = static_cast<std::uint32_t>(ops.size());
  const auto raw_bytes = static_cast<std::uint32_t>(rows.size());
  const auto joined = from_columns(columns->fields, columns->random, count, raw_bytes);
  fuzz::require(joined && *joined == rows, "columns come back as rows");
  damage(columns->fields, input);
  const auto broken = from_columns(columns->fields, columns->random, count, raw_bytes);
  fuzz::require(!broken || broken->size() == raw_bytes, "the announced length");
}

}  // namespace
}  // namespace duhui

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  duhui::run(duhui::fuzz::Input(bytes, size));
  return 0;
}

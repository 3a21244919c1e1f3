// Any text as JSON of any record type: what can be read is written again as it was read, and what
// an edit makes of it are fragments that the merge takes.

#include <memory>
#include <optional>
#include <string>

#include <google/protobuf/message.h>
#include <google/protobuf/util/message_differencer.h>
#include <nlohmann/json.hpp>

#include "shared/merge/schema.h"
#include "shared/record/record_edit.h"
#include "shared/record/record_json.h"
#include "tests/fuzz/input.h"

namespace duhui {
namespace {

using Json = nlohmann::json;

const RecordSchema& pick(std::uint8_t number) {
  const auto& types = Schema::instance().types();
  auto at = types.begin();
  std::advance(at, number % types.size());
  return at->second;
}

void check_edit(const RecordSchema& schema, const Result<RecordEdit>& edit) {
  if (!edit) return;
  for (const RegisterEdit& write : edit->writes) {
    if (!write.value) continue;
    fuzz::require(check_fragment(schema, write.key, *write.value).has_value(),
                  "an edit writes fragments of its own register");
    static_cast<void>(fragment_json(schema, write.key, *write.value));
  }
}

void run(fuzz::Input input) {
  const RecordSchema& schema = pick(input.byte());
  const std::string_view path = input.part();
  const Json value = Json::parse(input.rest(), nullptr, false);
  if (value.is_discarded()) return;
  const RecordJson& json = RecordJson::instance();
  const auto message = new_message(*schema.descriptor);
  const bool whole = json.read(value, message.get()).has_value();
  if (whole) {
    const auto again = new_message(*schema.descriptor);
    const auto read = json.read(json.write(*message), again.get());
    fuzz::require(read.has_value(), "what was written can be read");
    fuzz::require(json.write(*again) == json.write(*message), "and is the same");
  }
  const EditAuthor author{.person = "u-sup-001", .at = "2025-10-09T11:40:00+08:00"};
  check_edit(schema, edit_create(schema, value, author));
  const auto shown = whole ? message->New() : new_message(*schema.descriptor).release();
  const std::unique_ptr<google::protobuf::Message> as_seen(shown);
  if (whole) as_seen->CopyFrom(*message);
  check_edit(schema, edit_set(schema, path, value, *as_seen, author));
  check_edit(schema, edit_add(schema, path, value));
  check_edit(schema, edit_remove(schema, path, value));
  check_edit(schema, edit_append(schema, path, value, author));
  check_edit(schema, edit_transition(schema, path, value, author));
}

}  // namespace
}  // namespace duhui

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  duhui::run(duhui::fuzz::Input(bytes, size));
  return 0;
}

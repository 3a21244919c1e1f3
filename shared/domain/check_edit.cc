#include "shared/domain/check_edit.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "duhui/record/v1/visit.pb.h"
#include "shared/domain/grants.h"
#include "shared/domain/record_events.h"
#include "shared/domain/visit_status.h"
#include "shared/domain/writers.h"
#include "shared/record/field_rule.h"
#include "shared/record/record_json.h"

namespace duhui {
namespace {

using record::v1::Writer;

constexpr std::size_t kThumbnailBytesMax = 8 * 1024;

Error refused(const std::string& rule, const std::string& what) {
  return {ErrorCode::refused, rule + ": " + what};
}

/// The office settles what two authors left open, also where it may not write otherwise.
bool settles_conflict(const Presented* before, const RegisterEdit& write, Writer role) {
  if (before == nullptr || role < record::v1::WRITER_DISTRICT) return false;
  const ShownRegister* shown = before->view.find(write.key);
  return shown != nullptr && shown->in_conflict();
}

bool is_hash(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Status check_files_in(const RecordSchema& schema, const RegisterEdit& write) {
  const FieldSchema* field = schema.find(write.key.field);
  if (field == nullptr || !write.value || !field->field->is_repeated()) return Done{};
  const auto* type = field->field->is_map() ? nullptr : field->field->message_type();
  const auto* thumbnail = type == nullptr ? nullptr : type->FindFieldByName("thumbnail");
  const auto* hash = type == nullptr ? nullptr : type->FindFieldByName("sha256");
  const auto message = new_message(*schema.descriptor);
  if (hash == nullptr || !message->ParseFromString(*write.value)) return Done{};
  const auto& all = *message->GetReflection();
  for (int at = 0; at < all.FieldSize(*message, field->field); ++at) {
    const auto& file = all.GetRepeatedMessage(*message, field->field, at);
    const auto& one = *file.GetReflection();
    const bool large =
        thumbnail != nullptr && one.GetString(file, thumbnail).size() > kThumbnailBytesMax;
    if (large) return refused("thumbnail", path_of(schema, write.key));
    const std::string named = one.GetString(file, hash);
    if (!named.empty() && !is_hash(named)) return refused("sha256", path_of(schema, write.key));
  }
  return Done{};
}

Status check_writer(const RecordSchema& schema,
                    const RegisterEdit& write,
                    Writer role,
                    const Presented* before = nullptr) {
  if (write.key.field == kDeletedField) return Done{};
  const FieldSchema* field = schema.find(write.key.field);
  if (field == nullptr) return refused("not_permitted", path_of(schema, write.key));
  if (settles_conflict(before, write, role)) return Done{};
  if (!may_write(field->rule, role)) return refused("not_permitted", path_of(schema, write.key));
  return Done{};
}

int state_number(const Presented& before) {
  const auto* field = before.schema->descriptor->FindFieldByName(before.schema->rule.state());
  const auto* value = find_identifier(*field->enum_type(), before.state);
  return value == nullptr ? 0 : value->number();
}

/// The targets of the events that `write` appends.
std::vector<int> targets(const RecordSchema& schema, const RegisterEdit& write) {
  std::vector<int> out;
  const auto message = new_message(*schema.descriptor);
  if (!write.value || !message->ParseFromString(*write.value)) return out;
  const auto* list = schema.descriptor->FindFieldByName(schema.rule.state_field());
  const auto* to = list->message_type()->FindFieldByName("to");
  if (to == nullptr) to = list->message_type()->FindFieldByName("event");
  for (int i = 0; i < message->GetReflection()->FieldSize(*message, list); ++i) {
    const auto& entry = message->GetReflection()->GetRepeatedMessage(*message, list, i);
    out.push_back(entry.GetReflection()->GetEnumValue(entry, to));
  }
  return out;
}

Status check_transition(const Presented& before, const RegisterEdit& write, Writer role) {
  const StateMachine& machine = machine_of(*before.schema);
  int state = state_number(before);
  for (const int to : targets(*before.schema, write)) {
    StateEvent event;
    event.to = to;
    event.rank = static_cast<std::uint32_t>(role);
    const std::string reason = machine.refusal(state, event);
    const std::string name = event_name(*before.schema, to);
    if (!reason.empty()) return refused(reason, before.state + " to " + name);
    const bool submits =
        before.schema->rule.name() == "visit_record" && to == record::v1::VISIT_STATUS_SUBMITTED;
    if (submits && !before.submit_blockers.empty()) {
      std::string all;
      for (const auto& blocker : before.submit_blockers) all += (all.empty() ? "" : ", ") + blocker;
      return refused(before.submit_blockers.front(), "cannot be submitted: " + all);
    }
    state = machine.next(state, event).value_or(state);
  }
  return Done{};
}

/// Only its author takes a photo out, and only while the sheet is a draft.
Status check_photo_removal(const Presented& before,
                           const RegisterEdit& write,
                           const std::string& person) {
  const std::string path = path_of(*before.schema, write.key);
  if (before.state != "draft" && before.state != "returned") return refused("not_draft", path);
  for (const auto& photo : before.record.value("attachments", nlohmann::json::array())) {
    if (photo.value("id", "") == write.key.key && photo.value("by", "") != person) {
      return refused("not_author", path + " is by " + photo.value("by", ""));
    }
  }
  return Done{};
}

/// The author named in the key of a `per_author` register.
std::string author_of(const FieldSchema& field, const std::string& key) {
  if (field.shape == FieldSchema::Shape::map) return key;
  return split_text(key, '/').back();
}

bool is_frozen(const Presented& before, const FieldSchema& field) {
  if (field.rule.open_when_frozen()) return false;
  const std::string& type = before.schema->rule.name();
  if (type == "rectification_notice") return before.state != "draft";
  if (type == "rectification_response") return before.state == "sent";
  if (type == "problem") {
    return before.state != "found" && before.state != "told_on_spot" &&
           before.state != "consulting";
  }
  return false;
}

/// Drafts go by the hand of who wrote them, or of the office; registries by nobody's.
Status check_deletion(const Presented& before, const std::string& person, Writer role) {
  const bool draft = before.state.empty() || before.state == "draft" || before.state == "found";
  if (!draft) return refused("not_draft", "only drafts are deleted");
  if (role == record::v1::WRITER_HUB) return Done{};
  if (is_made_at_hub(*before.schema)) return refused("not_writer", "registries stay");
  const auto by_person = [&](const ShownRegister& shown) {
    return std::ranges::all_of(shown.shown,
                               [&](const AuthoredValue& value) { return value.person == person; });
  };
  const bool own = std::ranges::all_of(before.view.registers, by_person);
  const bool has_draft = !before.state.empty() && role != record::v1::WRITER_SCHOOL;
  return own || has_draft || role >= record::v1::WRITER_DISTRICT
             ? Status(Done{})
             : refused("not_author", "somebody else wrote in it");
}

Status check_write(const Presented& before,
                   const RegisterEdit& write,
                   const std::string& person,
                   Writer role) {
  DUHUI_CHECK_OK(check_writer(*before.schema, write, role, &before));
  const std::string& type = before.schema->rule.name();
  if (write.key.field == kDeletedField) {
    return check_deletion(before, person, role);
  }
  const FieldSchema& field = *before.schema->find(write.key.field);
  const std::string path = path_of(*before.schema, write.key);
  if (field.field->name() == before.schema->rule.state_field()) {
    return check_transition(before, write, role);
  }
  if (before.state == "discarded" || before.view.deleted) return refused("not_draft", path);
  if (is_frozen(before, field)) return refused("frozen", path);
  const bool by_author = field.rule.policy() == record::v1::POLICY_PER_AUTHOR;
  if (by_author && role != record::v1::WRITER_HUB && author_of(field, write.key.key) != person) {
    return refused("not_author", path);
  }
  const bool photo = type == "visit_record" && field.field->name() == "attachments";
  if (photo && !write.value) return check_photo_removal(before, write, person);
  return Done{};
}

}  // namespace

Status check_edit(const Presented& before,
                  const RecordEdit& edit,
                  const std::string& person,
                  Writer role) {
  for (const RegisterEdit& write : edit.writes) {
    DUHUI_CHECK_OK(check_write(before, write, person, role));
  }
  return Done{};
}

Status check_create(const RecordSchema& schema, const RecordEdit& edit, Writer role) {
  for (const RegisterEdit& write : edit.writes) {
    DUHUI_CHECK_OK(check_writer(schema, write, role));
  }
  return Done{};
}

Status check_files(const RecordSchema& schema, const RecordEdit& edit) {
  for (const RegisterEdit& write : edit.writes) DUHUI_CHECK_OK(check_files_in(schema, write));
  return Done{};
}

}  // namespace duhui

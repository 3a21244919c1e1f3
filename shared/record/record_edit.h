#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "shared/base/result.h"
#include "shared/merge/record_state.h"
#include "shared/merge/schema.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace duhui {

/// One register's new value; the caller adds what it replaces.
struct RegisterEdit {
  RegisterKey key;
  std::optional<std::string> value;  // absent: cleared or removed
};

/// What a person's edit writes.
struct RecordEdit {
  std::vector<RegisterEdit> writes;
  /// The op names every live write the person saw (deletions, transitions, signatures).
  bool sees_all = false;
};

/// Who edits, and the time as people write it ("2025-10-09T11:40:00+08:00").
struct EditAuthor {
  std::string person;
  std::string at;
};

/// Paths are as in JSON, joined by '/': "item_answers/C6", "attachments/ph1/caption",
/// "participants/lead", "narrative/u-sup-001". All functions: `invalid_input` names what is wrong.

/// A new record from its whole JSON. A state without its list of events becomes the first event;
/// other derived fields say nothing new and are left out.
Result<RecordEdit> edit_create(const RecordSchema& schema,
                               const nlohmann::json& value,
                               const EditAuthor& author);

/// One field, map entry, element or part of one. `shown` is the record as the person saw it: the
/// unchanged parts of an element or group are taken from there. Null clears.
Result<RecordEdit> edit_set(const RecordSchema& schema,
                            std::string_view path,
                            const nlohmann::json& value,
                            const google::protobuf::Message& shown,
                            const EditAuthor& author);

/// Puts a member into a set; one with the same key is replaced.
Result<RecordEdit> edit_add(const RecordSchema& schema,
                            std::string_view path,
                            const nlohmann::json& value);

/// Takes a member out of a set, or an entry out of a map. `member`: its key, or the whole element.
Result<RecordEdit> edit_remove(const RecordSchema& schema,
                               std::string_view path,
                               const nlohmann::json& member);

/// Adds an entry to an append-only list; its author and time are filled in where it has none.
Result<RecordEdit> edit_append(const RecordSchema& schema,
                               std::string_view path,
                               const nlohmann::json& value,
                               const EditAuthor& author);

/// Moves the record's state. `details`: further fields of the event (reason, note ...), or null.
Result<RecordEdit> edit_transition(const RecordSchema& schema,
                                   std::string_view to,
                                   const nlohmann::json& details,
                                   const EditAuthor& author);

RecordEdit edit_delete();

/// "item_answers/C6"; a group is named by its first field.
std::string path_of(const RecordSchema& schema, const RegisterKey& key);

/// The register that holds `path`. Elements are named by their key as in JSON.
Result<RegisterKey> register_of(const RecordSchema& schema, std::string_view path);

/// A register's fragment as people see it: the value of a field or map entry, an element, the
/// entries of a list; a group as an object of its fields.
nlohmann::json fragment_json(const RecordSchema& schema,
                             const RegisterKey& key,
                             std::string_view fragment);

}  // namespace duhui

#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "duhui/sync/v1/op.pb.h"
#include "shared/api/record_source.h"
#include "shared/base/ids.h"
#include "shared/base/result.h"
#include "shared/domain/present.h"
#include "shared/merge/record_state.h"

namespace duhui::api {

/// GET /records/{id}
nlohmann::json record_answer(const RecordId& id,
                             const RecordState& state,
                             const Presented& shown,
                             const std::string& seen);
/// The same for a record of which the creating op, or the type, is not known here.
nlohmann::json unborn_answer(const RecordId& id, const RecordState& state, const std::string& seen);

/// GET /records/{id}/field: one register, or all registers of a map or set. `path` may go on inside
/// the value.
Result<nlohmann::json> field_answer(const RecordState& state,
                                    const Presented& shown,
                                    std::string_view path);

/// A line of GET /records.
nlohmann::json row_answer(const RecordRow& row, const std::string& id_text);

/// One entry of GET /conflicts for each field of the record that waits for a person.
nlohmann::json conflict_answers(const Presented& shown);

/// What a list needs of a record.
RecordRow row_of(const RecordId& id, const RecordState& state, const Presented& shown);

/// {"value","by","at","quality","reason","dot"}
nlohmann::json authored_answer(const RecordSchema& schema,
                               const RegisterKey& key,
                               const AuthoredValue& value);
/// The policy's identifier: "ask".
std::string policy_name(record::v1::Policy policy);

/// How the person behind an op or a session was known ("at_device"); "none": not said.
std::string_view sign_in_name(sync::v1::SignIn sign_in);

}  // namespace duhui::api

#pragma once

#include <string>

#include "duhui/record/v1/options.pb.h"
#include "shared/domain/present.h"
#include "shared/record/record_edit.h"

namespace duhui {

/// Whether a person may make this edit on a record as it is now. Asked before saving, where the
/// person still can change something; what has been saved elsewhere is never refused. `refused`,
/// with the rule's name first: "open_conflict: ...", "not_author: ...", "not_permitted: ...",
/// "not_from_this_state: ...", "frozen: ...", "not_draft: ...".
Status check_edit(const Presented& before,
                  const RecordEdit& edit,
                  const std::string& person,
                  record::v1::Writer role);

/// Whether a person may create a record of this type with these values.
Status check_create(const RecordSchema& schema, const RecordEdit& edit, record::v1::Writer role);

/// Whoever writes: files are named by their hash, and what goes with every op is small, since the
/// file itself follows. `refused`: "thumbnail: ..." (over 8 KiB), "sha256: ...".
Status check_files(const RecordSchema& schema, const RecordEdit& edit);

}  // namespace duhui

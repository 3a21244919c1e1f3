#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "shared/api/record_source.h"
#include "shared/base/result.h"
#include "shared/domain/authority.h"

namespace duhui::api {

/// What a record says of a file that it names. Written by whoever wrote the record: not trusted.
struct NamedFile {
  RecordId record{};
  std::string type{};        // of the record
  std::string restricted{};  // the field, where reading it is audited
  std::string name{};        // of the file
  std::string mime{};
  std::optional<std::string> thumbnail{};
};

/// The file of that hash in the record, as the subject may see the record now: knowing a hash gives
/// no right, and neither does a field that is hidden, a photo that was withheld, or an older
/// version. `not_found`, in the same words whatever the reason.
Result<NamedFile> find_named_file(RecordSource& source,
                                  const Subject& subject,
                                  std::string_view record,
                                  std::string_view type_name,
                                  std::string_view sha256);

}  // namespace duhui::api

#pragma once

#include <string_view>

#include "shared/base/ids.h"

namespace duhui {

/// The id of a registry record (school, user ...): UUID version 8 (RFC 9562) of the first 16 bytes
/// of SHA-256("<type name>:<readable id>"). The same everywhere, without asking anybody.
RecordId registry_record_id(std::string_view type_name, std::string_view readable_id);

}  // namespace duhui

#pragma once

#include "shared/domain/authority.h"

namespace duhui {

/// May do everything with records; for tests that are not about who may.
inline const Subject kHubOperator{.kind = Subject::Kind::operator_, .place = Subject::Place::hub};

}  // namespace duhui

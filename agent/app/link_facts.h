#pragma once

#include "agent/api/agent_api.h"
#include "agent/app/link.h"

namespace duhui::agent {

/// What the API tells of a link; the device's name and clock are for whoever knows them.
LinkFacts facts_of(const Link& link);

}  // namespace duhui::agent

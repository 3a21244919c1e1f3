#pragma once

#include <boost/asio/awaitable.hpp>

#include "agent/app/link.h"
#include "agent/core/file_collection.h"
#include "shared/net/system_clock.h"

namespace duhui::agent {

/// Clears up files that are there for nothing, now and then; until cancelled. All are passed by
/// reference and outlive it; on the loop that drives the replica.
boost::asio::awaitable<void> watch_files(FileCollection& files,
                                         Replica& replica,
                                         const Link& link,
                                         const net::SystemClock& clock);

}  // namespace duhui::agent

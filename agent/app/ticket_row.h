#pragma once

#include <string>
#include <string_view>

#include "shared/base/result.h"

namespace duhui::agent {

/// This machine's ticket out of a file for a whole district (`duhui-hub ticket create --out-csv`):
/// the text of the ticket in the one row whose column "host" is `host`, in whatever case.
/// `invalid_input`: no such column, no row or several, or what is in "ticket" is no base64.
Result<std::string> ticket_of_host(std::string_view csv, const std::string& host);

/// What the system calls this machine; empty: it does not say.
std::string host_name();

}  // namespace duhui::agent

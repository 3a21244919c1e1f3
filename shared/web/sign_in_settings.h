#pragma once

#include "shared/api/sign_in_desk.h"
#include "shared/cli/settings_file.h"

namespace duhui::web {

/// How long people stay signed in, between one minute and 24 hours:
///
///   [sign_in]
///   idle = "15m"               # nobody did anything: the session locks
///   life = "12h"               # then it ends, whatever was done; not shorter than idle
///
/// Adds each setting as `sign_in.*`. `limits` outlives the file.
void add_sign_in_settings(cli::SettingsFile* file, api::SignInLimits* limits);

/// `invalid_input`: a session would end before it locks.
Status check_sign_in(const api::SignInLimits& limits);

}  // namespace duhui::web

#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "shared/base/result.h"
#include "shared/cli/console.h"

namespace duhui::cli {

/// What became of the files of an import, one line each, with the reason where one was passed over.
/// {"files":[{"path","result","reason"?,...}]}
void write_carried(Console& console, const nlohmann::json& told);
/// The files of an export, one line each. {"files":[{"path","bytes","ops","attachments"}]}
void write_exported(Console& console, const nlohmann::json& told);
/// `done`, or `failed` where a file that should have been taken was not.
int exit_code_of(const nlohmann::json& told);
/// For the service, which works in another folder.
std::string whole_path(const std::string& path);

}  // namespace duhui::cli

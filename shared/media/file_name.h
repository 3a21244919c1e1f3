#pragma once

#include <string>
#include <string_view>

#include "shared/media/sniff.h"

namespace duhui::media {

/// A name to show and to propose for saving, from whatever somebody called a file: valid UTF-8, no
/// folders, nothing invisible or that turns the direction of writing, no name that a system keeps
/// for itself, at most kFileNameBytesMax with its ending kept. Never empty. No file here is ever
/// named so: they go by their hashes.
std::string safe_file_name(std::string_view untrusted);

/// The same with the ending that the content has: "report.pdf.exe" of a PDF is
/// "report.pdf.exe.pdf", "scan.PNG" that became a JPEG "scan.jpg".
std::string safe_file_name(std::string_view untrusted, const FileType& type);

/// A value of Content-Disposition (RFC 6266) with the name as ASCII and in RFC 8187's encoding.
std::string content_disposition(std::string_view name, bool show);

}  // namespace duhui::media

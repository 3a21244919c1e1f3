#pragma once

#include <optional>
#include <string_view>

#include "shared/media/sniff.h"

namespace duhui::media {

/// The type that sniff() calls so, "text/plain; charset=utf-8" too. Nothing: it calls none so,
/// whatever a record may say.
std::optional<FileType> known_type(std::string_view mime);

/// Whether a page may show it at once: pictures, sound and film. Everything else is to be saved.
bool shows(const FileType& type);

/// What goes into a record and into Content-Type: with the characters of text.
std::string full_mime(const FileType& type);

}  // namespace duhui::media

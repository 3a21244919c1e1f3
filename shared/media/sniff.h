#pragma once

#include <cstdint>
#include <string>

#include "shared/base/result.h"
#include "shared/media/source.h"

namespace duhui::media {

enum class Kind : std::uint8_t { photo, document, audio, video, archive };

/// What a file is by its content.
struct FileType {
  std::string mime{};       // "image/jpeg"
  std::string extension{};  // ".jpg"
  Kind kind = Kind::document;
  std::string charset{};  // of text: "utf-8", "gb18030"; empty: no text
  bool shrinks = false;   // shrink() takes it
};

/// The type of a file from its content alone; its name is not asked. Only what is known to be
/// harmless is taken, and only whole: a file that is one thing in front and another behind is
/// neither. Pictures that shrink() takes are judged there, where they are made anew.
///
/// `refused`, with the rule's name first: "file_type" (unknown), "file_active" (programs, pages,
/// scripts), "file_broken", "file_macros", "file_archive", "image_pixels"; `limit_exceeded`:
/// "file_size"; or whatever `source` fails with.
Result<FileType> sniff(const Source& source);

/// How long a file of this kind may be.
std::uint64_t bytes_max(Kind kind);

}  // namespace duhui::media

#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "shared/net/http.h"

namespace duhui::net {

/// Why a request is refused before anybody looks at what it asks.
struct HeadFault {
  int status;
  std::string_view why;
};

/// Where the head of a request ends in `bytes`, behind its empty line; npos: not yet.
std::size_t find_head_end(std::string_view bytes);

/// What no correct continuation can mend: a line that ends without CR, a NUL. So that nobody waits
/// for the rest of such a head.
std::optional<HeadFault> check_begun_head(std::string_view bytes);

/// Judges a whole head by its bytes, more strictly than a parser must: where two programs could
/// read a message differently (folded lines, blanks before a colon, two lengths), it is refused
/// rather than understood.
std::optional<HeadFault> check_head(std::string_view head, const HttpLimits& limits);

}  // namespace duhui::net

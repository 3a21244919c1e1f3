#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "shared/api/answer.h"
#include "shared/net/blocking_pool.h"
#include "shared/net/http.h"

namespace duhui::web {

/// A part of a file.
struct ByteRange {
  std::uint64_t from = 0;
  std::uint64_t size = 0;
};

/// What a header Range asks for of a file of `size` bytes.
struct RangeAsked {
  enum class What : std::uint8_t {
    whole,  // no range, several, or one that is not understood: RFC 9110 lets us send everything
    part,
    none  // behind the end
  };
  What what = What::whole;
  ByteRange range{};
};
RangeAsked parse_range(std::string_view header, std::uint64_t size);

/// The answer with a file: whole, the part that is asked for (206, 416), or that it has not changed
/// (304). It opens in no page: the browser neither guesses its type nor runs what is in it. Read on
/// `pool`, which outlives the answer.
net::HttpResponse file_response(const net::HttpRequest& request,
                                const api::FileAnswer& file,
                                net::BlockingPool& pool);

}  // namespace duhui::web

#include "shared/web/file_response.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <string>
#include <utility>

#include "shared/web/page_port.h"

namespace duhui::web {
namespace {

namespace asio = boost::asio;

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

/// Whether a list of tags ("a", W/"b", *) has this one.
bool names_tag(std::string_view list, std::string_view quoted) {
  return list == "*" || list.find(quoted) != std::string_view::npos;
}

/// Reads a part of the file, on the pool.
std::shared_ptr<net::HttpOutgoing> outgoing(const api::FileAnswer& file,
                                            ByteRange range,
                                            net::BlockingPool& pool) {
  auto body = std::make_shared<net::HttpOutgoing>();
  body->size = range.size;
  body->read = [read = file.read, from = range.from, &pool](
                   std::uint64_t offset, std::size_t size) -> asio::awaitable<Result<std::string>> {
    return net::run_blocking(pool, [read, at = from + offset, size] { return read(at, size); });
  };
  return body;
}

}  // namespace

RangeAsked parse_range(std::string_view header, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  using What = RangeAsked::What;
  if (!header.starts_with(kUnit)) return {};
  header.remove_prefix(kUnit.size());
  const std::size_t dash = header.find('-');
  if (dash == std::string_view::npos) return {};
  const std::string_view first = header.substr(0, dash);
  const std::string_view last = header.substr(dash + 1);
  if (first.empty()) {  // so many from the end
    const auto count = number(last);
    if (!count) return {};
    if (*count == 0 || size == 0) return {.what = What::none};
    const std::uint64_t taken = std::min(*count, size);
    return {.what = What::part, .range = {size - taken, taken}};
  }
  const auto from = number(first);
  const auto to = last.empty() ? std::optional(size) : number(last);
  if (!from || !to || (!last.empty() && *to < *from)) return {};
  if (*from >= size) return {.what = What::none};
  const std::uint64_t end = *to >= size ? size : *to + 1;
  return {.what = What::part, .range = {*from, end - *from}};
}

net::HttpResponse file_response(const net::HttpRequest& request,
                                const api::FileAnswer& file,
                                net::BlockingPool& pool) {
  const std::string tag = "\"" + file.tag + "\"";
  net::HttpResponse response{.content_type = file.content_type};
  response.headers = {{"ETag", tag},
                      {"Accept-Ranges", "bytes"},
                      {"Content-Disposition", file.disposition},
                      {"Content-Security-Policy", "default-src 'none'; sandbox"},
                      // Who may read it may change: it is asked again, and then costs nothing.
                      {"Cache-Control", "private, no-cache"}};
  const std::string_view known = request.header("if-none-match");
  if (!known.empty() && names_tag(known, tag)) {
    response.status = 304;
    return response;
  }
  const std::string_view only_if = request.header("if-range");
  const bool parts = only_if.empty() || only_if == tag;
  const RangeAsked asked = parse_range(parts ? request.header("range") : "", file.size);
  const std::string size = std::to_string(file.size);
  ByteRange range{0, file.size};
  switch (asked.what) {
    case RangeAsked::What::whole:
      break;
    case RangeAsked::What::none: {
      net::HttpResponse refusal = http_response(
          api::error_answer({ErrorCode::invalid_input, "range: the file has " + size + " bytes"}));
      refusal.status = 416;
      refusal.headers.emplace_back("Content-Range", "bytes */" + size);
      return refusal;
    }
    case RangeAsked::What::part:
      range = asked.range;
      response.status = 206;
      response.headers.emplace_back("Content-Range",
                                    "bytes " + std::to_string(range.from) + "-" +
                                        std::to_string(range.from + range.size - 1) + "/" + size);
      break;
  }
  response.outgoing = outgoing(file, range, pool);
  return response;
}

}  // namespace duhui::web

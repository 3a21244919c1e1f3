#include "agent/app/upload_stream.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace duhui::agent {
namespace {

namespace asio = boost::asio;

/// Each is synced: smaller ones would wait for the disk more often.
constexpr std::size_t kPieceBytes = 1 << 20;

std::string next_offset(const std::string& offset, std::size_t added) {
  std::uint64_t number = 0;
  std::from_chars(offset.data(), offset.data() + offset.size(), number);
  return std::to_string(number + added);
}

}  // namespace

bool is_upload(const net::HttpRequest& head) {
  return head.method == "PATCH" &&
         head.target.starts_with(std::string(api::kBasePath) + "/files/uploads/");
}

asio::awaitable<api::ApiResponse> take_pieces(net::HttpRequest& request,
                                              api::EdgeRequest asked,
                                              AskApi ask) {
  asked.body = {};
  api::ApiResponse answer = co_await ask(asked);
  while (answer.ok() && request.incoming->left() > 0) {
    const auto piece = co_await request.incoming->read(kPieceBytes);
    if (!piece) co_return api::error_answer(piece.error());
    asked.body = *piece;
    answer = co_await ask(asked);
    asked.upload_offset = next_offset(asked.upload_offset, piece->size());
  }
  co_return answer;
}

}  // namespace duhui::agent

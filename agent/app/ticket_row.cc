#include "agent/app/ticket_row.h"

#include <algorithm>
#include <array>
#include <utility>

#include <unistd.h>

#include "shared/cli/csv.h"
#include "shared/record/base64.h"

namespace duhui::agent {
namespace {

Error invalid(std::string detail) {
  return {ErrorCode::invalid_input, "init: " + std::move(detail)};
}

std::string folded(std::string_view text) {
  constexpr std::string_view kSpace = " \t";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  std::string name(text.substr(begin, text.find_last_not_of(kSpace) - begin + 1));
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return name;
}

}  // namespace

Result<std::string> ticket_of_host(std::string_view csv, const std::string& host) {
  const std::string wanted = folded(host);
  if (wanted.empty()) return invalid("this machine has no name: say which row with --host");
  DUHUI_TRY(table, cli::parse_csv_table(csv));
  for (const char* column : {"host", "ticket"}) {
    if (std::ranges::count(table.columns, column) == 0) {
      return invalid("the file has no column " + std::string(column));
    }
  }
  const cli::CsvRow* mine = nullptr;
  for (const cli::CsvRow& row : table.rows) {
    if (folded(row.cells.at("host")) != wanted) continue;
    if (mine != nullptr) {
      return invalid("host " + wanted + " is in line " + std::to_string(mine->line) +
                     " and in line " + std::to_string(row.line) + ": one must be another");
    }
    mine = &row;
  }
  if (mine == nullptr) {
    return invalid("no row for host " + wanted + ": add one, or say which with --host");
  }
  auto ticket = from_base64(mine->cells.at("ticket"));
  if (!ticket || ticket->empty()) {
    return invalid("line " + std::to_string(mine->line) + ": the column ticket is damaged");
  }
  return std::move(*ticket);
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return {};
  return name.data();
}

}  // namespace duhui::agent

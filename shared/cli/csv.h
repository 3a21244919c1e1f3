#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"

namespace duhui::cli {

/// A row by column name, and the line of the file it begins on.
struct CsvRow {
  std::size_t line = 0;
  std::map<std::string, std::string> cells{};
};

/// RFC 4180 with a header row; either line end, a byte order mark is skipped. `invalid_input` names
/// the line: a row of another length than the header, an open quote, a column named twice.
Result<std::vector<CsvRow>> parse_csv(std::string_view text);

struct CsvTable {
  std::vector<std::string> columns{};  // in their order
  std::vector<CsvRow> rows{};
};
/// The same with the header.
Result<CsvTable> parse_csv_table(std::string_view text);

/// One line, with its end; cells are quoted where they must be.
std::string csv_line(const std::vector<std::string>& cells);

}  // namespace duhui::cli

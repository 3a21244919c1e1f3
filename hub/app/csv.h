#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"

namespace duhui::hub {

/// A row by column name, and the line of the file it begins on.
struct CsvRow {
  std::size_t line = 0;
  std::map<std::string, std::string> cells{};
};

/// RFC 4180 with a header row; either line end, a byte order mark is skipped. `invalid_input` names
/// the line: a row of another length than the header, an open quote, a column named twice.
Result<std::vector<CsvRow>> parse_csv(std::string_view text);

}  // namespace duhui::hub

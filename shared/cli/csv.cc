#include "shared/cli/csv.h"

#include <set>
#include <utility>

namespace duhui::cli {
namespace {

struct Line {
  std::size_t number = 0;
  std::vector<std::string> cells;
};

Error at_line(std::size_t line, const std::string& what) {
  return {ErrorCode::invalid_input, "line " + std::to_string(line) + ": " + what};
}

/// Splits a text into rows of cells.
class Splitter {
 public:
  explicit Splitter(std::string_view text) : text_(text) {}

  Result<std::vector<Line>> run() {
    while (at_ < text_.size()) {
      Line row{line_, {}};
      for (bool more = true; more;) {
        auto cell = take_cell();
        if (!cell) return std::move(cell).error();
        row.cells.push_back(std::move(*cell));
        more = at_ < text_.size() && text_[at_] == ',';
        if (more) ++at_;
      }
      DUHUI_CHECK_OK(take_line_end());
      const bool blank = row.cells.size() == 1 && row.cells.front().empty();
      if (!blank) rows_.push_back(std::move(row));
    }
    return std::move(rows_);
  }

 private:
  Result<std::string> take_cell() {
    std::string cell;
    if (at_ >= text_.size() || text_[at_] != '"') {
      while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n' && text_[at_] != '\r') {
        cell += text_[at_++];
      }
      return cell;
    }
    const std::size_t opened = line_;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] != '"') {
        cell += text_[at_];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        cell += '"';
        ++at_;
      } else {
        ++at_;
        return cell;
      }
    }
    return at_line(opened, "a quote is not closed");
  }

  Status take_line_end() {
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] != '\n') {
      return at_line(line_, "something follows a closing quote");
    }
    ++at_;
    ++line_;
    return Done{};
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::vector<Line> rows_;
};

}  // namespace

Result<std::vector<CsvRow>> parse_csv(std::string_view text) {
  DUHUI_TRY(table, parse_csv_table(text));
  return std::move(table.rows);
}

Result<CsvTable> parse_csv_table(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  DUHUI_TRY(lines, Splitter(text).run());
  CsvTable table;
  if (lines.empty()) return table;
  const std::vector<std::string>& header = lines.front().cells;
  if (std::set<std::string>(header.begin(), header.end()).size() != header.size()) {
    return at_line(lines.front().number, "a column is named twice");
  }
  for (std::size_t n = 1; n < lines.size(); ++n) {
    if (lines[n].cells.size() != header.size()) {
      return at_line(lines[n].number, std::to_string(lines[n].cells.size()) +
                                          " cells, the header has " +
                                          std::to_string(header.size()));
    }
    CsvRow row{lines[n].number, {}};
    for (std::size_t c = 0; c < header.size(); ++c) {
      row.cells[header[c]] = std::move(lines[n].cells[c]);
    }
    table.rows.push_back(std::move(row));
  }
  table.columns = std::move(lines.front().cells);
  return table;
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t n = 0; n < cells.size(); ++n) {
    if (n > 0) line += ',';
    const std::string& cell = cells[n];
    if (cell.find_first_of(",\"\r\n") == std::string::npos) {
      line += cell;
      continue;
    }
    line += '"';
    for (const char c : cell) line.append(c == '"' ? 2 : 1, c);
    line += '"';
  }
  return line + "\n";
}

}  // namespace duhui::cli

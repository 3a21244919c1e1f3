#include "hub/app/ticket_sheet.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "shared/record/base64.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

constexpr std::uint32_t kHoursMax = 366 * 24;
constexpr std::uint32_t kUsesMax = 1000;

Error invalid(std::string detail) { return {ErrorCode::invalid_input, std::move(detail)}; }

Result<std::uint32_t> parse_count(std::string_view text) {
  std::uint32_t count = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failed != std::errc() || end != text.data() + text.size() || count == 0) {
    return invalid("not a number above zero: " + std::string(text));
  }
  return count;
}

std::string cell_of(const cli::CsvRow& row, const char* column) {
  const auto at = row.cells.find(column);
  return at == row.cells.end() ? std::string() : at->second;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

Result<Json> order_of(const cli::CsvRow& row, const TicketSheet::Defaults& defaults) {
  Json order = {{"school", cell_of(row, "school")},
                {"uses", defaults.uses},
                {"expires_hours", defaults.expires_hours}};
  if (order["school"] == "") return invalid("school: empty");
  if (const std::string uses = cell_of(row, "uses"); !uses.empty()) {
    DUHUI_TRY(count, parse_count(uses));
    if (count > kUsesMax) return invalid("uses: 1 to " + std::to_string(kUsesMax));
    order["uses"] = count;
  }
  if (const std::string expires = cell_of(row, "expires"); !expires.empty()) {
    DUHUI_TRY(asked_hours, parse_expiry(expires));
    order["expires_hours"] = asked_hours;
  }
  if (const std::string name = cell_of(row, "name"); !name.empty()) order["name"] = name;
  if (!defaults.address.empty()) order["address"] = defaults.address;
  return order;
}

}  // namespace

Result<std::uint32_t> parse_expiry(std::string_view text) {
  const Error wrong = invalid("expires: hours or days up to 366d, like 72h or 30d, not '" +
                              std::string(text) + "'");
  if (text.empty() || (text.back() != 'h' && text.back() != 'd')) return wrong;
  const auto count = parse_count(text.substr(0, text.size() - 1));
  if (!count || *count > kHoursMax) return wrong;
  const std::uint32_t asked_hours = text.back() == 'd' ? *count * 24 : *count;
  if (asked_hours > kHoursMax) return wrong;
  return asked_hours;
}

Result<TicketSheet> TicketSheet::read(std::string_view text, const Defaults& defaults) {
  TicketSheet sheet;
  DUHUI_TRY(table, cli::parse_csv_table(text));
  sheet.table_ = std::move(table);
  const std::vector<std::string>& columns = sheet.table_.columns;
  const auto has = [&](const char* name) { return std::ranges::count(columns, name) > 0; };
  if (!has("school")) return invalid("the column school is missing");
  for (const char* name : {"id", "ticket"}) {
    if (has(name)) return invalid("the column " + std::string(name) + " is for the result");
  }
  std::map<std::string, std::size_t> hosts;
  for (const cli::CsvRow& row : sheet.table_.rows) {
    const std::string line = "line " + std::to_string(row.line) + ": ";
    auto order = order_of(row, defaults);
    if (!order) return invalid(line + order.error().detail);
    const std::string host = lower(cell_of(row, "host"));
    if (!host.empty()) {
      const auto [earlier, added] = hosts.emplace(host, row.line);
      if (!added) {
        return invalid(line + "host " + host + " is in line " + std::to_string(earlier->second) +
                       " already");
      }
    }
    sheet.orders_.push_back(std::move(*order));
  }
  if (sheet.orders_.empty()) return invalid("no rows");
  return sheet;
}

Error TicketSheet::at(std::size_t n, Error error) const {
  error.detail = "line " + std::to_string(table_.rows[n].line) + ": " + error.detail;
  return error;
}

std::string TicketSheet::written(const std::vector<Json>& made) const {
  std::vector<std::string> cells = table_.columns;
  cells.insert(cells.end(), {"id", "ticket"});
  std::string text = cli::csv_line(cells);
  for (std::size_t n = 0; n < made.size(); ++n) {
    cells.clear();
    for (const std::string& column : table_.columns) {
      cells.push_back(table_.rows[n].cells.at(column));
    }
    cells.push_back(made[n].at("id").get<std::string>());
    cells.push_back(to_base64(made[n].at("file").get<std::string>()));
    text += cli::csv_line(cells);
  }
  return text;
}

}  // namespace duhui::hub

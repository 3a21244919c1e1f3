#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "shared/base/result.h"
#include "shared/cli/csv.h"

namespace duhui::hub {

/// "72h" or "30d" in hours. `invalid_input`: something else, zero, or more than 366 days.
Result<std::uint32_t> parse_expiry(std::string_view text);

/// Tickets for many schools in one go: a CSV file with a row for each device. Column "school" (id
/// or ten-digit code) must be there; "host", "name", "uses" and "expires" may; others are carried
/// along. What comes out has the same columns, then "id" and "ticket" (the ticket file's text in
/// base64).
class TicketSheet {
 public:
  struct Defaults {
    std::uint32_t uses = 1;
    std::uint32_t expires_hours = 72;
    std::string address{};
  };

  /// `invalid_input` names the line. Nothing was made then.
  static Result<TicketSheet> read(std::string_view text, const Defaults& defaults);

  std::size_t size() const { return orders_.size(); }
  /// The body of the request for row `n`.
  const nlohmann::json& order(std::size_t n) const { return orders_[n]; }
  /// The error of row `n` with its line.
  Error at(std::size_t n, Error error) const;
  /// The sheet with what the hub answered, in the order of the rows.
  std::string written(const std::vector<nlohmann::json>& made) const;

 private:
  cli::CsvTable table_;
  std::vector<nlohmann::json> orders_;
};

}  // namespace duhui::hub

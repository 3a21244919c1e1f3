#include <algorithm>
#include <string_view>
#include <utility>

#include "shared/cli/progress.h"
#include "shared/cli/record_commands.h"

namespace duhui::cli {
namespace {

using Json = nlohmann::json;

/// One request: small enough for the body limit, large enough that a commit is worth it.
constexpr std::size_t kRequestBytesAim = 1 << 20;
constexpr std::size_t kRequestRecordsMax = 200;

/// Where records name the person who made them.
const std::vector<std::string> kAuthorFields = {"created_by", "found_by",  "issued_by",
                                                "by",         "rater_ids", "handler"};

std::string author_of(const Json& record, const std::vector<std::string>& fields) {
  for (const std::string& field : fields) {
    const auto at = record.find(field);
    if (at == record.end()) continue;
    if (at->is_string()) return at->get<std::string>();
    if (at->is_array() && !at->empty() && at->front().is_string()) {
      return at->front().get<std::string>();
    }
  }
  return {};
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// Collects records and sends them when there are enough.
struct Sender {
  Caller& caller;
  const bool only_here;
  Progress progress;
  Json waiting = Json::array();
  std::size_t bytes = 0;
  std::size_t saved = 0;
  std::size_t skipped = 0;
  std::size_t elsewhere = 0;

  Status add(Json record, std::size_t size) {
    waiting.push_back(std::move(record));
    bytes += size;
    if (waiting.size() < kRequestRecordsMax && bytes < kRequestBytesAim) return Done{};
    return flush();
  }

  Status flush() {
    if (waiting.empty()) return Done{};
    const std::size_t count = waiting.size();
    const Json body = {{"records", std::exchange(waiting, Json::array())},
                       {"only_here", only_here}};
    DUHUI_TRY(answer, caller.post("/records", body));
    bytes = 0;
    saved += answer.value("saved", std::size_t{0});
    skipped += answer.value("skipped", std::size_t{0});
    elsewhere += answer.value("elsewhere", std::size_t{0});
    progress.advance(count);
    return Done{};
  }
};

}  // namespace

Result<Json> import_lines(Caller& caller, const std::string& text, const ImportOptions& import) {
  const auto lines = lines_of(text);
  const auto& fields = import.author_fields.empty() ? kAuthorFields : import.author_fields;
  Sender sender{caller, import.only_here, Progress(import.label, lines.size())};
  for (std::size_t n = 0; n < lines.size(); ++n) {
    const std::string place = "line " + std::to_string(n + 1);
    Json value = Json::parse(lines[n], nullptr, false);
    if (!value.is_object()) return Error{ErrorCode::invalid_input, place + ": not a JSON object"};
    std::string author = author_of(value, fields);
    if (author.empty()) author = import.person;
    if (author.empty()) {
      return Error{ErrorCode::invalid_input, place + ": names no author; use --as or --as-field"};
    }
    auto sent = sender.add(
        {{"type", import.type}, {"as", author}, {"value", std::move(value)}, {"import", true}},
        lines[n].size());
    if (!sent) {
      Error error = std::move(sent).error();
      error.detail = "up to " + place + ": " + error.detail;
      return error;
    }
  }
  DUHUI_CHECK_OK(sender.flush());
  return Json{{"lines", lines.size()},
              {"saved", sender.saved},
              {"skipped", sender.skipped},
              {"elsewhere", sender.elsewhere}};
}

}  // namespace duhui::cli

#include "shared/cli/record_text.h"

#include <string>

#include <nlohmann/json.hpp>

#include "shared/api/why_text.h"

namespace duhui::cli {
namespace {

using Json = nlohmann::json;

std::string text_at(const Json& object, const char* name) {
  const auto at = object.find(name);
  if (at == object.end() || at->is_null()) return {};
  return at->is_string() ? at->get<std::string>() : at->dump();
}

void write_siblings(Console& console, const Json& siblings, const char* indent) {
  for (const Json& sibling : siblings) {
    console.out() << indent << "- " << text_at(sibling, "by") << ", " << text_at(sibling, "at")
                  << ": " << api::short_value(sibling["value"]) << "\n";
  }
}

void write_list(Console& console, const std::string& label, const Json& list) {
  if (list.empty()) return;
  console.out() << label << ":";
  for (const Json& one : list)
    console.out() << " " << (one.is_string() ? one.get<std::string>() : one.dump());
  console.out() << "\n";
}

}  // namespace

void write_record(Console& console, const Json& record) {
  auto& out = console.out();
  out << text_at(record, "type") << " " << text_at(record, "id");
  if (!text_at(record, "state").empty()) out << "  [" << text_at(record, "state") << "]";
  if (record.value("deleted", false)) out << "  " << console("（已删除）", "(deleted)");
  if (!record.value("born", true)) out << "  " << console("（尚未收全）", "(not complete here)");
  out << "\n" << console("范围", "scope") << ": " << text_at(record, "scope") << "\n";
  write_list(console, console("标记", "flags"), record["flags"]);
  write_list(console, console("不能提交，因为", "cannot be submitted"), record["submit_blockers"]);
  for (const auto& [name, value] : record["value"].items()) {
    if (value.is_object() && !value.empty()) {
      out << "  " << name << ":\n";
      for (const auto& [part, inner] : value.items()) {
        out << "    " << part << ": " << api::short_value(inner) << "\n";
      }
    } else {
      out << "  " << name << ": " << api::short_value(value) << "\n";
    }
  }
  for (const Json& conflict : record["conflicts"]) {
    out << console("分歧", "conflict") << " " << text_at(conflict, "field") << ":\n";
    write_siblings(console, conflict["siblings"], "    ");
  }
  for (const Json& amendment : record["amendments"]) {
    out << console("待处理的补充", "waiting amendment") << ": " << text_at(amendment, "by") << ", "
        << text_at(amendment, "at") << " " << amendment["fields"].dump() << "\n";
  }
  for (const Json& proposal : record["proposals"]) {
    out << console("无权者的建议，等待决定", "proposal, waits for who may decide") << ": "
        << text_at(proposal, "field") << " = " << proposal["value"].dump() << "  "
        << text_at(proposal, "by") << ", " << text_at(proposal, "at") << "\n";
  }
  out << "seen: " << text_at(record, "seen") << std::endl;
}

void write_field(Console& console, const Json& field) {
  auto& out = console.out();
  out << text_at(field, "path") << " (" << text_at(field, "policy") << ")\n";
  if (field.value("conflict", false)) {
    out << console("分歧，等待决定：", "conflict, waits for a decision:") << "\n";
    write_siblings(console, field["siblings"], "  ");
  } else {
    out << "  " << field["shown"].dump(2) << "\n";
  }
  if (!field["history"].empty()) {
    out << console("以前的值：", "earlier values:") << "\n";
    write_siblings(console, field["history"], "  ");
  }
  if (!field["proposals"].empty()) {
    out << console("建议：", "proposals:") << "\n";
    write_siblings(console, field["proposals"], "  ");
  }
  out << std::flush;
}

void write_rows(Console& console, const Json& rows) {
  auto& out = console.out();
  for (const Json& row : rows) {
    out << text_at(row, "id") << "  " << text_at(row, "type") << "  " << text_at(row, "state")
        << "  " << text_at(row, "date") << "  " << text_at(row, "school_id");
    if (row.value("open_conflicts", 0) > 0) {
      out << "  " << console("分歧 ", "conflicts ") << row["open_conflicts"];
    }
    if (row.value("deleted", false)) out << "  " << console("已删除", "deleted");
    out << "\n";
  }
  out << console("共 ", "") << rows.size() << console(" 条", " record(s)") << std::endl;
}

void write_conflicts(Console& console, const Json& conflicts) {
  auto& out = console.out();
  for (const Json& conflict : conflicts) {
    out << text_at(conflict, "type") << " " << text_at(conflict, "record") << "  "
        << text_at(conflict, "field") << "\n";
    write_siblings(console, conflict["siblings"], "    ");
  }
  out << console("未处理的分歧：", "open conflicts: ") << conflicts.size() << std::endl;
}

}  // namespace duhui::cli

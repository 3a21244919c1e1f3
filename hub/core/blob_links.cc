#include "hub/core/blob_links.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include <google/protobuf/descriptor.h>

#include "shared/base/bytes.h"
#include "shared/merge/file_references.h"
#include "shared/merge/schema.h"

namespace duhui::hub {
namespace {

constexpr std::string_view kNames = "file";
constexpr std::string_view kBrought = "file_brought";

std::string sum_key(const DeviceId& device) { return "files/brought/" + to_hex(device.view()); }

/// The registers that may name files, by record type.
const std::map<std::uint32_t, std::set<std::uint32_t>>& file_fields() {
  static const auto fields = [] {
    std::map<std::uint32_t, std::set<std::uint32_t>> found;
    for (const auto& [type, record] : Schema::instance().types()) {
      for (const auto& [number, field] : record.fields) {
        const auto* message = field.field->message_type();
        if (message != nullptr && may_name_files(*message)) {
          found[type].insert(field.register_field);
        }
      }
    }
    return found;
  }();
  return fields;
}

Result<bool> is_linked(HubTransaction& tx,
                       std::string_view link,
                       const Digest& sha256,
                       const RecordId& record) {
  DUHUI_TRY(records, tx.records().linked_to(link, sha256.view()));
  return std::ranges::binary_search(records, record);
}

}  // namespace

Status link_files(HubTransaction& tx, const sync::v1::Op& op) {
  const auto& fields = file_fields();
  const auto of_type = fields.find(op.record_type());
  const auto record = RecordId::from_bytes(op.record_id());
  if (of_type == fields.end() || !record) return Done{};
  std::vector<FileReference> found;
  for (const sync::v1::Write& write : op.writes()) {
    if (!write.has_value() || !of_type->second.contains(write.field())) continue;
    append_file_references(*Schema::instance().find(op.record_type())->descriptor, write.value(),
                           &found);
  }
  for (const FileReference& one : found) {
    DUHUI_CHECK_OK(tx.records().link(*record, kNames, one.sha256));
  }
  return Done{};
}

Result<bool> is_named_by(HubTransaction& tx, const Digest& sha256, const RecordId& record) {
  return is_linked(tx, kNames, sha256, record);
}

Result<bool> was_brought_for(HubTransaction& tx, const Digest& sha256, const RecordId& record) {
  return is_linked(tx, kBrought, sha256, record);
}

Status note_brought(HubTransaction& tx, const BlobName& name, const DeviceId& by) {
  DUHUI_TRY(known, was_brought_for(tx, name.sha256, name.record));
  if (known) return Done{};
  DUHUI_TRY(sum, brought_by(tx, by));
  sum.set_files(sum.files() + 1);
  sum.set_bytes(sum.bytes() + name.size);
  DUHUI_CHECK_OK(tx.settings().put(sum_key(by), sum.SerializeAsString()));
  return tx.records().link(name.record, kBrought, name.sha256.view());
}

Result<bool> is_named(HubTransaction& tx, const Digest& sha256) {
  DUHUI_TRY(records, tx.records().linked_to(kNames, sha256.view()));
  return !records.empty();
}

Result<store::v1::BroughtFiles> brought_by(HubTransaction& tx, const DeviceId& device) {
  DUHUI_TRY(bytes, tx.settings().get(sum_key(device)));
  store::v1::BroughtFiles sum;
  if (bytes && !sum.ParseFromString(*bytes)) {
    return Error{ErrorCode::corrupt_data, "setting: " + sum_key(device)};
  }
  return sum;
}

}  // namespace duhui::hub

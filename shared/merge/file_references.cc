#include "shared/merge/file_references.h"

#include <set>

#include <google/protobuf/descriptor.h>

#include "shared/base/bytes.h"
#include "shared/merge/wire_field.h"

namespace duhui {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

/// The schema nests messages a few levels deep; what nests deeper is nothing of ours.
constexpr int kDepthMax = 8;
constexpr std::string_view kOriginal = "OriginalFile";

bool names_a_file(const Descriptor& type) {
  const FieldDescriptor* hash = type.FindFieldByName("sha256");
  const FieldDescriptor* size = type.FindFieldByName("size");
  return hash != nullptr && size != nullptr && hash->type() == FieldDescriptor::TYPE_STRING &&
         size->type() == FieldDescriptor::TYPE_UINT64;
}

bool may_name(const Descriptor& type, std::set<const Descriptor*>& looked_at) {
  if (!looked_at.insert(&type).second) return false;
  if (names_a_file(type)) return true;
  for (int n = 0; n < type.field_count(); ++n) {
    const Descriptor* inner = type.field(n)->message_type();
    if (inner != nullptr && may_name(*inner, looked_at)) return true;
  }
  return false;
}

void append(const Descriptor& type,
            std::string_view message,
            int depth,
            std::vector<FileReference>* out) {
  if (depth > kDepthMax) return;
  FileReference found;
  const bool is_file = names_a_file(type);
  found.original = type.name() == kOriginal;
  while (!message.empty()) {
    const auto field = take_field(message);
    if (!field) return;
    const FieldDescriptor* of = type.FindFieldByNumber(static_cast<int>(field->number));
    if (of == nullptr) continue;
    if (is_file && of->name() == "sha256" && field->type == WireField::Type::bytes) {
      found.sha256 = from_hex(field->payload).value_or(std::string());
    } else if (is_file && of->name() == "size" && field->type == WireField::Type::varint) {
      found.size = field->value;
    } else if (of->message_type() != nullptr && field->type == WireField::Type::bytes) {
      append(*of->message_type(), field->payload, depth + 1, out);
    }
  }
  if (found.sha256.size() == 32 && found.size > 0) out->push_back(std::move(found));
}

std::uint64_t count_thumbnails(const Descriptor& type, std::string_view message, int depth) {
  if (depth > kDepthMax) return 0;
  std::uint64_t sum = 0;
  while (!message.empty()) {
    const auto field = take_field(message);
    if (!field) return sum;
    const FieldDescriptor* of = type.FindFieldByNumber(static_cast<int>(field->number));
    if (of == nullptr || field->type != WireField::Type::bytes) continue;
    if (of->message_type() != nullptr) {
      sum += count_thumbnails(*of->message_type(), field->payload, depth + 1);
    } else if (of->name() == "thumbnail") {
      sum += field->payload.size();
    }
  }
  return sum;
}

}  // namespace

bool may_name_files(const Descriptor& type) {
  std::set<const Descriptor*> looked_at;
  return may_name(type, looked_at);
}

void append_file_references(const Descriptor& type,
                            std::string_view message,
                            std::vector<FileReference>* out) {
  append(type, message, 0, out);
}

std::uint64_t thumbnail_bytes(const Descriptor& type, std::string_view message) {
  return count_thumbnails(type, message, 0);
}

}  // namespace duhui

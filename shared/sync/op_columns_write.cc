#include <algorithm>
#include <unordered_map>
#include <utility>

#include <google/protobuf/descriptor.h>

#include "duhui/sync/v1/op.pb.h"
#include "shared/merge/schema.h"
#include "shared/sync/column_paths.h"
#include "shared/sync/limits.h"
#include "shared/sync/op_columns.h"

namespace duhui {
namespace {

using columns::Mode;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

/// Values of one place, as they come.
struct Collected {
  std::uint32_t type = 0;
  std::vector<std::uint64_t> numbers;
  std::vector<std::string_view> texts;  // into the ops
};

/// A column as it stands in the payload; numbers use `first` only.
struct Written {
  Mode mode = Mode::plain;
  std::string first;
  std::string second;
};

Written write_numbers(const Collected& column) {
  std::string plain;
  std::string deltas;
  std::uint64_t previous = 0;
  for (const std::uint64_t value : column.numbers) {
    if (column.type == columns::kVarint) {
      append_varint(plain, value);
    } else {
      columns::append_little_endian(plain, value, columns::fixed_size(column.type));
    }
    append_varint(deltas, columns::zigzag(value - previous));
    previous = value;
  }
  if (deltas.size() < plain.size()) return {Mode::deltas, std::move(deltas), {}};
  return {Mode::plain, std::move(plain), {}};
}

Written write_ids(const Collected& column, std::string& random) {
  Written out{.mode = Mode::ids, .first = {}, .second = {}};
  std::unordered_map<std::string_view, std::size_t> known;
  std::uint64_t previous = 0;
  for (const std::string_view id : column.texts) {
    const auto [at, fresh] = known.try_emplace(id, known.size());
    append_varint(out.first, fresh ? 0 : known.size() - at->second);
    if (!fresh) continue;
    std::uint64_t time = 0;
    for (std::size_t n = 0; n < columns::kIdTimeBytes; ++n)
      time = time << 8 | static_cast<unsigned char>(id[n]);
    append_varint(out.second, columns::zigzag(time - previous));
    previous = time;
    random.append(id.substr(columns::kIdTimeBytes));
  }
  return out;
}

Written write_texts(const Collected& column, std::string& random) {
  bool ids = true;
  for (const std::string_view text : column.texts) ids = ids && text.size() == columns::kIdBytes;
  if (ids) return write_ids(column, random);
  Written out;
  for (const std::string_view text : column.texts) {
    append_varint(out.first, text.size());
    out.second.append(text);
  }
  return out;
}

/// Takes ops apart. What is a message inside an op is known from the descriptors; a reader needs
/// none, it finds it in the shapes. So both ends may know different versions of the schema.
class Splitter {
 public:
  /// False: the op has to travel as a row.
  bool add(std::string_view op) {
    shape_.clear();
    record_ = nullptr;
    if (!walk(op, sync::v1::Op::descriptor(), columns::Paths::kRoot, 0)) return false;
    const auto [at, fresh] = shapes_.try_emplace(shape_, shapes_.size());
    append_varint(numbers_, at->second);
    if (!fresh) return true;
    in_order_.push_back(shape_);
    tokens_ += shape_.size();  // at least as many bytes as tags
    return tokens_ <= columns::kTokensMax;
  }

  OpColumns finish() const {
    OpColumns out;
    append_varint(out.fields, in_order_.size());
    for (const std::string& shape : in_order_) {
      append_varint(out.fields, shape.size());
      out.fields += shape;
    }
    out.fields += numbers_;
    std::string contents;
    for (const Collected& column : collected_) {
      const bool texts = column.type == columns::kBytes;
      const Written written = texts ? write_texts(column, out.random) : write_numbers(column);
      out.fields.push_back(static_cast<char>(written.mode));
      append_varint(out.fields, written.first.size());
      if (texts) append_varint(out.fields, written.second.size());
      contents += written.first;
      contents += written.second;
    }
    out.fields += contents;
    return out;
  }

 private:
  /// A field seen in some place, so that the next op need not look it up again.
  struct Field {
    const Descriptor* message = nullptr;  // what the place was taken for
    std::uint32_t tag = 0;
    const Descriptor* inner = nullptr;  // what the field is taken for; null: a value
    std::uint32_t target = 0;           // its node or column
  };
  struct Place {
    std::vector<Field> fields;
    std::size_t expected = 0;  // fields mostly come in the order of the op before
  };

  const Descriptor* message_in(const Descriptor* at, std::uint32_t tag) const {
    if (at == nullptr || columns::type_of(tag) != columns::kBytes) return nullptr;
    const FieldDescriptor* field = at->FindFieldByNumber(static_cast<int>(tag >> 3));
    if (field == nullptr) return nullptr;
    if (at == write_ && field->number() == sync::v1::Write::kValueFieldNumber) return record_;
    return field->type() == FieldDescriptor::TYPE_MESSAGE ? field->message_type() : nullptr;
  }

  /// Null: more different fields than a place may have.
  const Field* find(std::uint32_t node, const Descriptor* message, std::uint32_t tag) {
    const bool depends = message == write_ && tag >> 3 == sync::v1::Write::kValueFieldNumber;
    const Descriptor* taken_for = depends ? record_ : message;
    const auto same = [tag, taken_for](const Field& field) {
      return field.tag == tag && field.message == taken_for;
    };
    std::size_t at = places_[node].expected;
    if (at >= places_[node].fields.size() || !same(places_[node].fields[at])) {
      const std::vector<Field>& fields = places_[node].fields;
      const auto found = std::find_if(fields.begin(), fields.end(), same);
      at = static_cast<std::size_t>(found - fields.begin());
      if (found == fields.end()) {
        if (at == columns::kFieldsMax) return nullptr;
        const Field field = new_field(node, message, taken_for, tag);  // may add a place
        places_[node].fields.push_back(field);
      }
    }
    Place& place = places_[node];
    place.expected = at + 1 == place.fields.size() ? 0 : at + 1;
    return &place.fields[at];
  }

  Field new_field(std::uint32_t node,
                  const Descriptor* message,
                  const Descriptor* taken_for,
                  std::uint32_t tag) {
    Field field{.message = taken_for, .tag = tag, .inner = message_in(message, tag), .target = 0};
    if (field.inner != nullptr) {
      field.target = paths_.inner(node, columns::tag_of(tag >> 3, columns::kBegin));
      if (field.target == places_.size()) places_.emplace_back();
      return field;
    }
    field.target = paths_.column(node, tag);
    if (field.target == collected_.size()) collected_.emplace_back().type = columns::type_of(tag);
    return field;
  }

  void put(std::uint32_t tag) {
    if (tag < 0x80) {
      shape_.push_back(static_cast<char>(tag));
    } else {
      append_varint(shape_, tag);
    }
  }

  bool walk(std::string_view bytes,
            const Descriptor* message,
            std::uint32_t node,
            std::size_t depth) {
    while (!bytes.empty()) {
      const auto read = columns::take_shortest(bytes);
      if (!read || *read > UINT32_MAX || *read >> 3 == 0) return false;
      const auto tag = static_cast<std::uint32_t>(*read);
      const std::uint32_t type = columns::type_of(tag);
      if (type == columns::kBegin || type == columns::kEnd || type > columns::kFixed32)
        return false;
      const Field* field = find(node, message, tag);
      if (field == nullptr || !take_value(bytes, *field, depth)) return false;
      if (shape_.size() > columns::kTokensMax) return false;
    }
    return true;
  }

  bool take_value(std::string_view& bytes, const Field& field, std::size_t depth) {
    if (field.inner != nullptr) return take_message(bytes, field, depth);
    put(field.tag);
    Collected& column = collected_[field.target];
    if (column.type == columns::kVarint || column.type == columns::kBytes) {
      const auto value = columns::take_shortest(bytes);
      if (!value) return false;
      if (column.type == columns::kVarint) {
        column.numbers.push_back(*value);
        if (depth == 0 && field.tag >> 3 == sync::v1::Op::kRecordTypeFieldNumber)
          open_record(*value);
        return true;
      }
      if (*value > bytes.size()) return false;
      column.texts.push_back(bytes.substr(0, static_cast<std::size_t>(*value)));
      bytes.remove_prefix(column.texts.back().size());
      return true;
    }
    const std::size_t size = columns::fixed_size(column.type);
    if (bytes.size() < size) return false;
    column.numbers.push_back(columns::read_little_endian(bytes.substr(0, size)));
    bytes.remove_prefix(size);
    return true;
  }

  bool take_message(std::string_view& bytes, const Field& field, std::size_t depth) {
    const auto size = columns::take_shortest(bytes);
    if (!size || *size > bytes.size() || depth + 1 >= columns::kDepthMax) return false;
    const std::string_view content = bytes.substr(0, static_cast<std::size_t>(*size));
    bytes.remove_prefix(content.size());
    put(columns::tag_of(field.tag >> 3, columns::kBegin));
    if (!walk(content, field.inner, field.target, depth + 1)) return false;
    put(columns::kEnd);
    return true;
  }

  void open_record(std::uint64_t type) {
    const RecordSchema* schema =
        type > UINT32_MAX ? nullptr : Schema::instance().find(static_cast<std::uint32_t>(type));
    record_ = schema == nullptr ? nullptr : schema->descriptor;
  }

  const Descriptor* const write_ = sync::v1::Write::descriptor();
  columns::Paths paths_;
  std::vector<Place> places_{1};
  std::vector<Collected> collected_;
  std::unordered_map<std::string, std::size_t> shapes_;
  std::vector<std::string> in_order_;
  std::string numbers_;  // the ops' shapes
  std::size_t tokens_ = 0;

  std::string shape_;                   // of the op at hand
  const Descriptor* record_ = nullptr;  // its record's type
};

}  // namespace

std::optional<OpColumns> to_columns(const std::vector<std::string_view>& ops) {
  Splitter splitter;
  for (const std::string_view op : ops) {
    if (!splitter.add(op)) return std::nullopt;
  }
  OpColumns out = splitter.finish();
  if (out.fields.size() > sync_limits::kBatchRawBytesMax) return std::nullopt;
  return out;
}

}  // namespace duhui

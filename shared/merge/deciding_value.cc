#include "shared/merge/deciding_value.h"

#include <bit>
#include <cmath>
#include <memory>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>
#include <google/protobuf/wire_format_lite.h>

#include "duhui/record/v1/common.pb.h"
#include "shared/merge/wire_field.h"

namespace duhui {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;
using Kind = DecidingValue::Kind;

DecidingValue number(long double value) {
  if (std::isnan(value)) return {};
  return {Kind::number, value, {}};
}

DecidingValue text(std::string value) {
  if (value.empty()) return {};
  return {Kind::text, 0, std::move(value)};
}

/// The same message always in the same bytes, whatever the order its writer chose.
std::string canonical(const Descriptor& descriptor, std::string_view bytes) {
  const auto* prototype =
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(&descriptor);
  if (prototype == nullptr) return std::string(bytes);
  const std::unique_ptr<google::protobuf::Message> message(prototype->New());
  if (!message->ParsePartialFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return std::string(bytes);
  }
  std::string out;
  {
    google::protobuf::io::StringOutputStream stream(&out);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    if (!message->SerializePartialToCodedStream(&coded)) return std::string(bytes);
  }
  return out;
}

DecidingValue of_scalar(std::string_view payload) {
  record::v1::Scalar scalar;
  if (!scalar.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return text(std::string(payload));
  }
  switch (scalar.kind_case()) {
    case record::v1::Scalar::kText:
      return text(scalar.text());
    case record::v1::Scalar::kNumber:
      return number(scalar.number());
    case record::v1::Scalar::kInteger:
      return number(static_cast<long double>(scalar.integer()));
    case record::v1::Scalar::kTruth:
      return {Kind::truth, scalar.truth() ? 1.0L : 0.0L, {}};
    case record::v1::Scalar::KIND_NOT_SET:
      break;
  }
  // A kind of a newer version: told apart by its bytes.
  return text(std::string(payload));
}

DecidingValue of_field(const FieldDescriptor& declared, const WireField& wire) {
  switch (declared.type()) {
    case FieldDescriptor::TYPE_STRING:
    case FieldDescriptor::TYPE_BYTES:
      return text(std::string(wire.payload));
    case FieldDescriptor::TYPE_MESSAGE:
      if (declared.message_type() == record::v1::Scalar::descriptor()) {
        return of_scalar(wire.payload);
      }
      return text(canonical(*declared.message_type(), wire.payload));
    case FieldDescriptor::TYPE_GROUP:
      return text(std::string(wire.raw));
    case FieldDescriptor::TYPE_BOOL:
      return {Kind::truth, wire.value != 0 ? 1.0L : 0.0L, {}};
    case FieldDescriptor::TYPE_DOUBLE:
      return number(std::bit_cast<double>(wire.value));
    case FieldDescriptor::TYPE_FLOAT:
      return number(std::bit_cast<float>(static_cast<std::uint32_t>(wire.value)));
    case FieldDescriptor::TYPE_SINT32:
    case FieldDescriptor::TYPE_SINT64:
      return number(static_cast<long double>(WireFormatLite::ZigZagDecode64(wire.value)));
    case FieldDescriptor::TYPE_UINT32:
    case FieldDescriptor::TYPE_UINT64:
    case FieldDescriptor::TYPE_FIXED32:
    case FieldDescriptor::TYPE_FIXED64:
      return number(static_cast<long double>(wire.value));
    case FieldDescriptor::TYPE_SFIXED32:
    case FieldDescriptor::TYPE_INT32:
    case FieldDescriptor::TYPE_ENUM:
      return number(static_cast<long double>(static_cast<std::int32_t>(wire.value)));
    case FieldDescriptor::TYPE_INT64:
    case FieldDescriptor::TYPE_SFIXED64:
      return number(static_cast<long double>(static_cast<std::int64_t>(wire.value)));
  }
  return {};
}

DecidingValue of_part(const FieldDescriptor& declared, std::string_view message) {
  const auto wire = last_field(message, static_cast<std::uint32_t>(declared.number()));
  return wire ? of_field(declared, *wire) : DecidingValue{};
}

}  // namespace

DecidingValue deciding_value(const RecordSchema& schema,
                             const FieldSchema* field,
                             std::string_view fragment) {
  if (field == nullptr) return text(std::string(fragment));
  const bool whole_list = field->shape == FieldSchema::Shape::single && field->field->is_repeated();
  if (field->grouped || whole_list || field->shape == FieldSchema::Shape::list) {
    if (field->decides != nullptr && field->decides->containing_type() == schema.descriptor) {
      return of_part(*field->decides, fragment);
    }
    return text(canonical(*schema.descriptor, fragment));
  }

  auto wire = last_field(fragment, static_cast<std::uint32_t>(field->field->number()));
  if (wire && field->field->is_map()) {
    wire = last_field(wire->payload, static_cast<std::uint32_t>(field->value->number()));
  }
  if (!wire) return {};
  if (field->decides != nullptr) return of_part(*field->decides, wire->payload);
  return of_field(*field->value, *wire);
}

}  // namespace duhui

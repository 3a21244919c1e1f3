#include "shared/record/scalar_json.h"

#include <limits>

#include <nlohmann/json.hpp>

#include "shared/record/limits.h"

namespace duhui {
namespace {

using Json = nlohmann::json;

/// The kinds that Scalar and Value have in common. False: `value` is none of them.
template <typename Message>
bool read_plain(const Json& value, Message* out) {
  if (value.is_string()) {
    out->set_text(value.get_ref<const std::string&>());
  } else if (value.is_boolean()) {
    out->set_truth(value.get<bool>());
  } else if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (number > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
      out->set_number(static_cast<double>(number));
    } else {
      out->set_integer(static_cast<std::int64_t>(number));
    }
  } else if (value.is_number_integer()) {
    out->set_integer(value.get<std::int64_t>());
  } else if (value.is_number_float()) {
    out->set_number(value.get<double>());
  } else {
    return value.is_null();
  }
  return true;
}

}  // namespace

Status read_scalar(const Json& value, record::v1::Scalar* out) {
  if (value.is_string() && value.get_ref<const std::string&>().size() > kJsonStringBytesMax) {
    return Error{ErrorCode::limit_exceeded, "text too long"};
  }
  if (read_plain(value, out)) return Done{};
  return Error{ErrorCode::invalid_input, "wants text or a number"};
}

Json write_scalar(const record::v1::Scalar& value) {
  switch (value.kind_case()) {
    case record::v1::Scalar::kText:
      return value.text();
    case record::v1::Scalar::kNumber:
      return value.number();
    case record::v1::Scalar::kInteger:
      return value.integer();
    case record::v1::Scalar::kTruth:
      return value.truth();
    case record::v1::Scalar::KIND_NOT_SET:
      return nullptr;
  }
  return nullptr;
}

Status read_value(const Json& value, record::v1::Value* out, int depth) {
  if (depth > static_cast<int>(kJsonDepthMax)) {
    return Error{ErrorCode::limit_exceeded, "nested too deeply"};
  }
  if (value.is_string() && value.get_ref<const std::string&>().size() > kJsonStringBytesMax) {
    return Error{ErrorCode::limit_exceeded, "text too long"};
  }
  if (read_plain(value, out)) return Done{};
  if (value.is_array()) {
    auto* list = out->mutable_list();
    for (const Json& item : value) DUHUI_CHECK_OK(read_value(item, list->add_items(), depth + 1));
    return Done{};
  }
  auto& fields = *out->mutable_object()->mutable_fields();
  for (const auto& [name, item] : value.items()) {
    DUHUI_CHECK_OK(read_value(item, &fields[name], depth + 1));
  }
  return Done{};
}

Json write_value(const record::v1::Value& value) {
  switch (value.kind_case()) {
    case record::v1::Value::kText:
      return value.text();
    case record::v1::Value::kNumber:
      return value.number();
    case record::v1::Value::kInteger:
      return value.integer();
    case record::v1::Value::kTruth:
      return value.truth();
    case record::v1::Value::kList: {
      Json list = Json::array();
      for (const auto& item : value.list().items()) list.push_back(write_value(item));
      return list;
    }
    case record::v1::Value::kObject: {
      Json object = Json::object();
      for (const auto& [name, item] : value.object().fields()) object[name] = write_value(item);
      return object;
    }
    case record::v1::Value::KIND_NOT_SET:
      return nullptr;
  }
  return nullptr;
}

}  // namespace duhui

#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace duhui::scenarios {

using Json = nlohmann::json;

/// Whether `got` says at least what `expected` says: an object may have further keys, a list may
/// not have further elements. What is not set equals null, an empty text, list or object.
bool says(const Json& got, const Json& expected);

/// The same for two lists without order.
bool says_in_any_order(const Json& got, const Json& expected);

/// Whether every element of `expected` is said by an element of `got`, each by another one.
bool contains_all(const Json& got, const Json& expected);

/// For messages: shortened.
std::string brief(const Json& value);

}  // namespace duhui::scenarios

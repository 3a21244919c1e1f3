#pragma once

#include <cstddef>
#include <string_view>

/// Scopes: places in the organisation tree, "city/district/zone/school".
namespace duhui {

inline constexpr std::size_t kScopeBytesMax = 512;

/// Whether a device that holds `granted` may read `scope`: the scope itself, what lies below it,
/// and its ancestors (where the registries of the district and the city are).
bool scope_readable(std::string_view granted, std::string_view scope);
/// Whether a device that holds `granted` may create records in `scope`.
bool scope_writable(std::string_view granted, std::string_view scope);
/// "city/district/school": no empty part, no control characters, within the limit.
bool is_scope(std::string_view scope);

}  // namespace duhui

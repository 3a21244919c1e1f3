#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"
#include "shared/base/time.h"

namespace duhui {

inline constexpr std::string_view kBundleSuffix = ".dhb";
/// Files looked at in one import; a stick with more is asked for folder by folder.
inline constexpr std::size_t kBundleFilesMax = 4'096;

/// The bundle files that `paths` name: files as they are, of a folder those that end in ".dhb" (not
/// those in folders below it), by name. not_found: a path leads nowhere; refused: it may not be
/// read; limit_exceeded: kBundleFilesMax.
Result<std::vector<std::string>> find_bundles(const std::vector<std::string>& paths);

/// Where the parts of a bundle go. `target`: a folder, which then holds
/// "duhui-<name>-<date>-<id>-p1of3.dhb", or a file, "x.dhb" and, of several parts, "x-p2of3.dhb".
struct BundleNames {
  std::string target{};
  std::string name{};  // of the device; what no file system takes becomes "_"
  WallTime made_at{};
  std::string bundle_id{};

  std::string of_part(std::size_t part, std::size_t parts) const;
  bool is_folder() const;
};

/// Removes what an interrupted export of this device left in the folder: never a finished part.
void remove_unfinished(const BundleNames& names);

}  // namespace duhui

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "duhui/sync/v1/bundle.pb.h"
#include "shared/base/result.h"
#include "shared/crypto/signing.h"

namespace duhui {

/// A file that may be a bundle for us, as far as its beginning tells.
struct CarriedCandidate {
  std::string path{};
  sync::v1::BundleHeader header{};  // not proven by anything
  std::optional<Error> skipped{};   // it is none: why
};

/// The bundles that `paths` name (see find_bundles), those for `receiver` in the order they were
/// made, part after part; before them the others, each with the reason.
Result<std::vector<CarriedCandidate>> list_carried(const std::vector<std::string>& paths,
                                                   const PublicKey& receiver,
                                                   sync::v1::BundleDirection direction);

}  // namespace duhui

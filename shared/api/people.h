#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "duhui/record/v1/org.pb.h"
#include "shared/api/record_source.h"
#include "shared/base/result.h"
#include "shared/sync/op_builder.h"

namespace duhui::api {

/// Of intents about to be saved together: `conflict` "taken: ..." if one gives a person a login
/// that is somebody else's login or id, or makes a person whose id is somebody's login. A name that
/// could mean two people would let one of them in as the other.
Status check_names(RecordSource& source, const std::vector<Intent>& intents);

/// Looks people up among the records; remembers them. Lives for one request.
class People {
 public:
  explicit People(RecordSource& source) : source_(source) {}

  /// duhui.record.v1.Writer of the person's role; 0: not known here.
  Result<std::uint32_t> rank_of(const std::string& person);
  /// "王样例 (u-sup-001)", or the id alone.
  std::string name_of(const std::string& person);

 private:
  Result<const record::v1::User*> find(const std::string& person);

  RecordSource& source_;
  std::map<std::string, std::optional<record::v1::User>> found_;
};

}  // namespace duhui::api

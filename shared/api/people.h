#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "duhui/record/v1/org.pb.h"
#include "shared/api/record_source.h"
#include "shared/base/result.h"

namespace duhui::api {

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

#include "shared/merge/record_files.h"

#include "duhui/record/v1/visit.pb.h"

namespace duhui {

std::vector<const google::protobuf::FileDescriptor*> record_files() {
  return {
      record::v1::VisitRecord::descriptor()->file(),
  };
}

}  // namespace duhui

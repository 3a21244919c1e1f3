#pragma once

#include <vector>

namespace google::protobuf {
class FileDescriptor;
}  // namespace google::protobuf

namespace duhui {

/// Every .proto file that declares record types. A new file is added here and in
/// proto/CMakeLists.txt.
std::vector<const google::protobuf::FileDescriptor*> record_files();

}  // namespace duhui

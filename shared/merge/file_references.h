#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class Descriptor;
}

namespace duhui {

/// A file that a record names by its content: a message with the fields `sha256` (64 hexadecimal
/// digits) and `size`, wherever in the record it stands.
struct FileReference {
  std::string sha256;  // 32 bytes
  std::uint64_t size = 0;
  bool original = false;  // of a photo that was made smaller: it need not travel
};

/// Whether a message of this type can name one.
bool may_name_files(const google::protobuf::Descriptor& type);

/// Those that `message`, of type `type`, names; names without a hash or a size are none.
void append_file_references(const google::protobuf::Descriptor& type,
                            std::string_view message,
                            std::vector<FileReference>* out);

/// Bytes of the thumbnails in `message`: fields of that name.
std::uint64_t thumbnail_bytes(const google::protobuf::Descriptor& type, std::string_view message);

}  // namespace duhui

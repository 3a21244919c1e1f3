#include "shared/crypto/registry_id.h"

#include <cstring>
#include <string>

#include "shared/crypto/digest.h"

namespace duhui {

RecordId registry_record_id(std::string_view type_name, std::string_view readable_id) {
  std::string name(type_name);
  name += ':';
  const Digest digest = sha256(name, readable_id);
  RecordId id;
  std::memcpy(id.bytes.data(), digest.bytes.data(), id.bytes.size());
  id.bytes[6] = static_cast<char>((id.bytes[6] & 0x0f) | 0x80);
  id.bytes[8] = static_cast<char>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

}  // namespace duhui

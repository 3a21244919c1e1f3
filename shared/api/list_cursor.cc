#include "shared/api/list_cursor.h"

#include "shared/crypto/sealing.h"
#include "shared/crypto/system_random.h"
#include "shared/crypto/text.h"

namespace duhui::api {
namespace {

SigningKey fresh_key() {
  SystemRandom random;
  return SigningKey::generate(random);
}

}  // namespace

ListCursor::ListCursor() : key_(fresh_key()) {}

std::string ListCursor::text(const RecordId& after) const {
  const auto sealed = seal(key_.public_key(), after.view());
  return sealed ? kMark + to_base64url(*sealed) : std::string();
}

Result<RecordId> ListCursor::after(std::string_view text) const {
  const Error stale{ErrorCode::invalid_input, "after: ask for the first page again"};
  const auto sealed = from_base64url(text.substr(1));
  if (!sealed) return stale;
  const auto bytes = unseal(key_, *sealed);
  const auto id = bytes ? RecordId::from_bytes(*bytes) : std::nullopt;
  if (!id) return stale;
  return *id;
}

}  // namespace duhui::api

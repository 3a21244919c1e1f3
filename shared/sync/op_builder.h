#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "duhui/sync/v1/op.pb.h"
#include "shared/base/ids.h"
#include "shared/base/result.h"
#include "shared/merge/record_state.h"

namespace duhui {

/// One register's intended new value.
struct IntendedWrite {
  RegisterKey key;
  std::optional<std::string> value;  // fragment; absent: clear or remove
};

/// What a person wants to save on one record, before it is an op.
struct Intent {
  RecordId record;
  std::uint32_t type = 0;
  bool creates = false;
  std::string scope;  // creating only
  std::vector<IntendedWrite> writes;
  std::string person;
  std::uint32_t rank = 0;
  std::string reason;
  /// What the person had on screen (a seen token); empty: the record as it is now.
  std::string seen;
  /// The op is a deletion or a state transition: it names everything the person saw.
  bool sees_all = false;
  sync::v1::SignIn sign_in = sync::v1::SIGN_IN_UNSPECIFIED;
};

/// The opaque token that says what a reader of `state` saw (base64url of duhui.store.v1.SeenToken).
/// `own`: the reader's stream and its newest seq.
std::string make_seen_token(const RecordId& record, const RecordState& state, const Dot& own);

/// The registers that changed since the token of `intent` was given out, each with the value the
/// person had on screen (absent: none; where several were live: the newest). Empty without a token.
/// `own`: the stream that build_op will be given. `invalid_input`: a token that is malformed or of
/// another record.
Result<std::map<RegisterKey, std::optional<std::string>>> changed_since_seen(
    const Intent& intent, const RecordState& state, const Origin& own);

/// Builds the op for `intent` on `state` as dot `own`: names in `replaces` exactly those live
/// writes that the person saw, plus that person's own later edits on the same device. The time
/// evidence is the caller's. `invalid_input`: a token that is malformed or of another record.
Result<sync::v1::Op> build_op(const Intent& intent, const RecordState& state, const Dot& own);

}  // namespace duhui

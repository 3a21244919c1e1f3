#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "duhui/record/v1/org.pb.h"
#include "shared/domain/authority.h"

namespace duhui {

/// A role, where and when it holds. Days are written "2025-10-09", inclusive; empty: open.
struct DatedGrant {
  Grant grant{};
  std::string from{};
  std::string to{};

  bool holds_on(std::string_view day) const {
    return (from.empty() || from <= day) && (to.empty() || day <= to);
  }
};

/// The organisation tree: what stands above an organisation (its parent) or a school (its zone,
/// else its district). Empty: unknown, or the top.
using ParentOf = std::function<std::string(const std::string& id)>;

/// "org-430200/org-430202/zone-430202-1/sch-001" of an organisation or a school below `root` ("the
/// city"); of what stands above the root, the root. Empty: not in this tree.
std::string place_in_tree(const std::string& id, const std::string& root, const ParentOf& parent);

/// All roles of an account that is active, whenever they hold.
std::vector<DatedGrant> grants_of(const record::v1::User& user,
                                  const std::string& root,
                                  const ParentOf& parent);

/// Where a role writes. Supervisors of a zone help out in the whole district (domain.md, story 10
/// marks it), a section works for its district.
std::string_view writing_scope(const Grant& grant);

/// What the hub thinks of an op.
struct OpRuling {
  bool allowed = false;
  /// The highest kind of people the person is where the record lives; `WRITER_UNSPECIFIED`: none.
  record::v1::Writer writer = record::v1::WRITER_UNSPECIFIED;
};

/// Whether a person with these roles may have written `op` on `day`, in a record in `scope` (empty:
/// not known yet). What a device could not know or did not want to is caught here, at the hub.
/// `schema` null: a type of a newer program, of which only the reach is judged.
OpRuling authorize_op(const std::vector<DatedGrant>& grants,
                      std::string_view day,
                      std::string_view scope,
                      const RecordSchema* schema,
                      const sync::v1::Op& op);

/// Types that are kept by the office at the hub: no device makes such a record.
bool is_made_at_hub(const RecordSchema& schema);

}  // namespace duhui

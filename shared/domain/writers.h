#pragma once

#include "duhui/record/v1/options.pb.h"
#include "duhui/record/v1/org.pb.h"
#include "shared/merge/schema.h"

namespace duhui {

/// The kind of people a role belongs to; WRITER_UNSPECIFIED: none that writes records.
record::v1::Writer writer_of(record::v1::Role role);

/// Whether people of this kind may write the field at all.
bool may_write(const record::v1::FieldRule& rule, record::v1::Writer role);

/// The field that a record of this type begins with: what it is about. Null: only programs write
/// it.
const FieldSchema* naming_field(const RecordSchema& schema);

/// Whether they may make a record of this type: write the field it begins with.
bool may_create(const RecordSchema& schema, record::v1::Writer role);

}  // namespace duhui

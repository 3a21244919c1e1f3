#pragma once

#include "duhui/record/v1/options.pb.h"
#include "duhui/record/v1/org.pb.h"

namespace duhui {

/// The kind of people a role belongs to; WRITER_UNSPECIFIED: none that writes records.
record::v1::Writer writer_of(record::v1::Role role);

}  // namespace duhui

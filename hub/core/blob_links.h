#pragma once

#include "duhui/store/v1/store.pb.h"
#include "duhui/sync/v1/op.pb.h"
#include "hub/ports/store.h"
#include "shared/sync/blob_receiving.h"

namespace duhui::hub {

/// Which records name a file, and for which of them somebody brought it. Knowing a hash gives no
/// right to read the file: a record that only names it shows nothing until one of its own people
/// has sent every byte.

/// Keeps which files `op` names, whatever becomes of its writes.
Status link_files(HubTransaction& tx, const sync::v1::Op& op);

Result<bool> is_named_by(HubTransaction& tx, const Digest& sha256, const RecordId& record);
Result<bool> was_brought_for(HubTransaction& tx, const Digest& sha256, const RecordId& record);
Status note_brought(HubTransaction& tx, const BlobName& name, const DeviceId& by);
/// Whether any record names it.
Result<bool> is_named(HubTransaction& tx, const Digest& sha256);

/// What a device has brought so far, each file once for each record.
Result<store::v1::BroughtFiles> brought_by(HubTransaction& tx, const DeviceId& device);

}  // namespace duhui::hub

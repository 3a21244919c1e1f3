#include "hub/core/proof_writer.h"

#include "shared/base/bytes.h"

namespace duhui::hub {

using store::v1::ProofFrame;
using store::v1::ProofManifest;

std::string proof_statement(std::string_view manifest) {
  return "duhui proof v1\n" + std::string(manifest);
}

ProofWriter::ProofWriter(const store::v1::ProofHead& head, const SigningKey& key)
    : key_(key), head_(head) {
  manifest_.set_hub_id(head.hub_id());
  manifest_.set_made_at_ms(head.made_at_ms());
  manifest_.set_record_id(head.record_id());
}

std::string ProofWriter::frame(const ProofFrame& part, const ProofManifest::Frame& told) {
  const std::string bytes = part.SerializeAsString();
  ProofManifest::Frame* listed = manifest_.add_frames();
  *listed = told;
  listed->set_sha256(sha256(bytes).str());
  std::string out;
  append_big_endian_32(out, static_cast<std::uint32_t>(bytes.size()));
  return out + bytes;
}

std::string ProofWriter::begin() {
  ProofFrame part;
  *part.mutable_head() = head_;
  return std::string(kProofStart) + frame(part, {});
}

std::string ProofWriter::add(const store::v1::ProofStream& stream) {
  ProofFrame part;
  *part.mutable_stream() = stream;
  ProofManifest::Frame told;
  told.set_origin(stream.origin());
  manifest_.set_streams(manifest_.streams() + 1);
  return frame(part, told);
}

std::string ProofWriter::add(const store::v1::ProofBatch& batch,
                             const std::vector<Digest>& ops,
                             std::uint64_t shown) {
  ProofFrame part;
  *part.mutable_batch() = batch;
  ProofManifest::Frame told;
  told.set_origin(batch.origin());
  told.set_first_seq(batch.first_seq());
  for (const Digest& op : ops) told.mutable_op_marks()->append(op.view().substr(0, kOpMarkBytes));
  manifest_.set_batches(manifest_.batches() + 1);
  manifest_.set_ops(manifest_.ops() + shown);
  return frame(part, told);
}

std::string ProofWriter::finish(std::uint64_t records) {
  manifest_.set_records(records);
  store::v1::ProofEnd end;
  end.set_manifest(manifest_.SerializeAsString());
  end.set_signature(key_.sign(proof_statement(end.manifest())));
  std::string out = end.SerializeAsString();
  append_big_endian_32(out, static_cast<std::uint32_t>(out.size()));
  return out + std::string(kProofEnd);
}

}  // namespace duhui::hub

#include "shared/sync/stream_chain.h"

#include "shared/base/bytes.h"

namespace duhui {
namespace {

constexpr std::size_t kChainBytes = 32;

}  // namespace

std::string empty_chain() { return std::string(kChainBytes, '\0'); }

std::string extend_chain(std::string_view chain, std::string_view op_bytes) {
  return extend_chain(chain, sha256(op_bytes));
}

std::string extend_chain(std::string_view chain, const Digest& op_digest) {
  return sha256(chain, op_digest.view()).str();
}

std::uint64_t op_checksum(std::string_view op_bytes) { return op_checksum(sha256(op_bytes)); }

std::uint64_t op_checksum(const Digest& op_digest) { return read_big_endian_64(op_digest.view()); }

std::string batch_statement(const Dot& last, std::string_view chain) {
  std::string bytes = "duhui batch v1\n";
  bytes.append(last.origin.view());
  append_big_endian_64(bytes, last.seq);
  bytes.append(chain);
  return bytes;
}

std::string device_statement(std::string_view channel_binding,
                             const DeviceId& device,
                             std::string_view public_key) {
  std::string bytes = "duhui device v1\n";
  bytes.append(channel_binding);
  bytes.append(device.view());
  bytes.append(public_key);
  return bytes;
}

std::string seal_statement(const Dot& dot, std::string_view op_bytes) {
  std::string bytes = "duhui hub op v1\n";
  bytes.append(dot.origin.view());
  append_big_endian_64(bytes, dot.seq);
  bytes.append(sha256(op_bytes).view());
  return bytes;
}

std::string receipt_statement(const HubId& hub,
                              const Dot& last,
                              std::string_view chain,
                              std::int64_t hub_time_ms) {
  std::string bytes = "duhui receipt v1\n";
  bytes.append(hub.view());
  bytes.append(last.origin.view());
  append_big_endian_64(bytes, last.seq);
  bytes.append(chain);
  append_big_endian_64(bytes, static_cast<std::uint64_t>(hub_time_ms));
  return bytes;
}

}  // namespace duhui

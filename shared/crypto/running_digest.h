#pragma once

#include <memory>
#include <string_view>

#include "shared/crypto/digest.h"

namespace duhui {

/// SHA-256 of bytes that come in pieces.
class RunningDigest {
 public:
  RunningDigest();
  ~RunningDigest();
  RunningDigest(const RunningDigest&) = delete;
  RunningDigest& operator=(const RunningDigest&) = delete;

  void add(std::string_view bytes);
  /// Once, in the end.
  Digest take();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace duhui

#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "agent/ports/blob_shelf.h"
#include "shared/base/bytes.h"
#include "shared/crypto/digest.h"

namespace duhui::agent {

/// A shelf in memory.
class MemoryShelf final : public BlobShelf {
 public:
  std::uint64_t room = ~0ull;
  bool hides = false;
  std::set<std::string> hidden_tokens{};  // tokens
  std::map<std::string, std::string> begun{};
  std::map<std::string, std::string> shelved{};

  bool can_hide() const override { return hides; }
  Result<std::string> lock_note(const std::string&, std::string_view note) override {
    if (!hides) return Error{ErrorCode::unavailable, "locked"};
    std::string locked(note);
    for (char& c : locked) c = static_cast<char>(c ^ 0x55);
    return locked;
  }
  Result<std::string> open_note(const std::string& token, std::string_view locked) override {
    return lock_note(token, locked);
  }
  Status begin(const std::string& token, std::uint64_t size, bool hidden) override {
    if (hidden && !hides) return Error{ErrorCode::unavailable, "locked"};
    if (!is_hex(token, 32)) return Error{ErrorCode::invalid_input, "token"};
    if (begun.contains(token)) return Error{ErrorCode::conflict, "token"};
    if (size > room) return Error{ErrorCode::limit_exceeded, "file_disk: full"};
    begun[token];
    if (hidden) hidden_tokens.insert(token);
    return Done{};
  }
  Status append(const std::string& token, std::string_view bytes) override {
    if (!begun.contains(token)) return Error{ErrorCode::not_found, "token"};
    const std::size_t taken = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), room));
    begun[token] += bytes.substr(0, taken);
    room -= taken;
    return taken == bytes.size() ? Status(Done{}) : Error{ErrorCode::limit_exceeded, "full"};
  }
  Result<std::unique_ptr<BlobReader>> look(const std::string& token) override {
    const auto found = begun.find(token);
    if (found == begun.end()) return Error{ErrorCode::not_found, "token"};
    return std::unique_ptr<BlobReader>(std::make_unique<Reader>(found->second));
  }
  Result<ShelvedBlob> finish(const std::string& token) override {
    const auto found = begun.find(token);
    if (found == begun.end()) return Error{ErrorCode::not_found, "token"};
    ShelvedBlob blob{to_hex(sha256(found->second).view()), found->second.size()};
    shelved[blob.sha256] = std::move(found->second);
    begun.erase(found);
    return blob;
  }
  Result<std::unique_ptr<BlobReader>> open(const std::string& sha256) override {
    if (!is_hex(sha256, 64)) return Error{ErrorCode::invalid_input, "hash"};
    const auto found = shelved.find(sha256);
    if (found == shelved.end()) return Error{ErrorCode::not_found, "hash"};
    return std::unique_ptr<BlobReader>(std::make_unique<Reader>(found->second));
  }
  Status drop(const std::string& token) override {
    if (!is_hex(token, 32)) return Error{ErrorCode::invalid_input, "token"};
    begun.erase(token);
    return Done{};
  }

 private:
  class Reader final : public BlobReader {
   public:
    explicit Reader(std::string bytes) : bytes_(std::move(bytes)) {}
    std::uint64_t size() const override { return bytes_.size(); }
    Result<std::string> read(std::uint64_t offset, std::size_t size) override {
      return offset < bytes_.size() ? bytes_.substr(offset, size) : std::string();
    }

   private:
    const std::string bytes_;
  };

  static bool is_hex(std::string_view text, std::size_t digits) {
    return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
  }
};

}  // namespace duhui::agent

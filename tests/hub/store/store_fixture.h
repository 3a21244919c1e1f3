#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <unistd.h>

#include "hub/ports/store.h"
#include "shared/base/bytes.h"

namespace duhui::hub {

/// A folder of its own for one test, gone with it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hub_store_XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

template <typename T>
T value(Result<T> result) {
  EXPECT_TRUE(result) << (result ? "" : to_string(result.error()));
  return result ? std::move(*result) : T{};
}

template <typename Id>
Id numbered(std::uint32_t number) {
  Id id;
  std::string bytes;
  append_big_endian_32(bytes, number);
  bytes.copy(id.bytes.data() + 12, 4);
  return id;
}

inline Origin origin(std::uint32_t number) { return numbered<Origin>(number); }
inline DeviceId device(std::uint32_t number) { return numbered<DeviceId>(number); }

/// Ordered by number.
inline RecordId record_id(std::uint32_t number) { return numbered<RecordId>(number); }

inline RecordRow record(std::uint32_t number, std::string scope) {
  RecordRow row;
  row.id = record_id(number);
  row.type = 1;
  row.scope = std::move(scope);
  row.school_id = "s1";
  row.state = "draft";
  row.ops.push_back({{origin(1), number}, {1'757'000'000'000, sync::v1::TIME_QUALITY_GOOD, 2}});
  return row;
}

inline BatchRow batch(const Origin& stream, std::uint64_t first, std::uint32_t count) {
  return {.origin = stream,
          .first_seq = first,
          .count = count,
          .encoding = sync::v1::ENCODING_ZSTD_DICTIONARY,
          .dictionary = 3,
          .raw_bytes = 4'000'000'000,
          .payload = "payload " + std::to_string(first),
          .chain = std::string(32, 'h'),
          .signature = std::string(64, 's'),
          .stamps = std::string("\0stamps", 7),
          .received_at = WallTime{1'757'000'000'123}};
}

inline FeedRow run(std::string scope,
                   std::uint64_t first,
                   std::uint32_t count,
                   std::uint64_t first_seq) {
  return {.scope = std::move(scope),
          .first = first,
          .count = count,
          .origin = origin(4),
          .first_seq = first_seq,
          .checksum_after = ~first};
}

inline ConflictRow conflict(std::uint32_t number,
                            std::uint32_t field,
                            std::string key,
                            std::string scope,
                            std::int64_t opened_ms) {
  return {.record = record_id(number),
          .record_type = 3,
          .field = field,
          .key = std::move(key),
          .scope = std::move(scope),
          .opened_at = WallTime{opened_ms}};
}

}  // namespace duhui::hub

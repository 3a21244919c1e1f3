#pragma once

#include <cstdint>
#include <map>

#include "duhui/store/v1/store.pb.h"
#include "shared/base/time.h"

namespace duhui::agent {

/// What travels, in the order in which it may: text always, thumbnails inside it, files last.
enum class ByteKind : std::uint8_t { text, thumbnail, file, carrying };

/// How many bytes a device may send and receive in a month before its files wait.
///
/// Text is never kept back: it counts, and so what is left for files is what text leaves.
/// Thumbnails are inside text and go with it. A month is one of the hub's clock, by Chinese time
/// (UTC+8); each has its own sum, so a clock that jumps away and comes back takes nothing and gives
/// nothing. Driven by time and bytes; reads no clock, keeps nothing by itself.
class ByteBudget {
 public:
  struct Bytes {
    std::uint64_t text = 0;
    std::uint64_t thumbnails = 0;
    std::uint64_t files = 0;
    std::uint64_t carrying = 0;  // TLS, HTTP and WebSocket around them

    std::uint64_t total() const { return text + thumbnails + files + carrying; }
  };

  /// 0: none.
  void set_limit(std::uint64_t monthly_bytes) { limit_ = monthly_bytes; }
  std::uint64_t limit() const { return limit_; }
  /// Whether the present road costs nothing; then nothing is counted.
  void set_free(bool free) { free_ = free; }
  bool is_free() const { return free_; }

  /// What the hub's clock shows now. Before the first time everything counts for whatever month
  /// that will be.
  void hub_time(WallTime now);
  void count(ByteKind kind, std::uint64_t bytes);

  /// Whether a file may travel now.
  bool files_may_go() const { return free_ || limit_ == 0 || used().total() < limit_; }
  /// 202511; 0: the hub has never been heard.
  std::uint32_t month() const { return month_; }
  const Bytes& used() const { return months_.at(month_); }
  /// On roads that cost nothing, since the start.
  const Bytes& free_bytes() const { return free_bytes_; }
  /// Counted since the last save(), any kind.
  std::uint64_t unsaved() const { return unsaved_; }

  /// What an earlier run counted; the month it was in goes on until the hub says otherwise.
  void load(const store::v1::Traffic& kept);
  /// `ahead`: counted by load() unless another save() follows: a crash forgets no byte.
  store::v1::Traffic save(std::uint64_t ahead);

  static constexpr std::size_t kMonthsMax = 24;
  static std::uint32_t month_of(WallTime time);

 private:
  std::uint64_t limit_ = 0;
  bool free_ = false;
  std::uint32_t month_ = 0;
  std::map<std::uint32_t, Bytes> months_{{0, {}}};
  Bytes free_bytes_;
  std::uint64_t unsaved_ = 0;
};

}  // namespace duhui::agent

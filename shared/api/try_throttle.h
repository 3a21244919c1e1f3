#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "shared/api/kept_text.h"
#include "shared/base/result.h"
#include "shared/base/time.h"

namespace duhui::api {

/// Makes guessing passwords slow: after kFreeTries wrong ones each further try of an account waits
/// twice as long as the one before, and all accounts together may fail only so often.
///
/// Waits count down on the monotonic clock and what is left of them is kept, so that neither a
/// restart nor setting the clock skips one.
class TryThrottle {
 public:
  static constexpr std::uint32_t kFreeTries = 5;
  static constexpr Duration kFirstWait = seconds(30);
  static constexpr Duration kWaitMax = hours(1);
  /// Failures of everybody together: so many at once, then one each kOverallPause.
  static constexpr std::uint32_t kOverallMax = 60;
  static constexpr Duration kOverallPause = seconds(2);
  static constexpr std::size_t kAccountsMax = 1000;

  /// `kept` outlives this.
  explicit TryThrottle(KeptText& kept) : kept_(kept) {}

  /// Reads what earlier runs kept. A text that cannot be read counts as none.
  void load(MonotonicTime now);

  /// How long `account` has to wait before the next try; zero: it may try.
  Duration wait(const std::string& account, MonotonicTime now);
  /// A try has begun; until it succeeds it counts as a wrong one, so that many at once are no
  /// faster than one after another.
  void begun(const std::string& account, MonotonicTime now);
  /// It was wrong.
  void failed(const std::string& account, MonotonicTime now);
  void succeeded(const std::string& account, MonotonicTime now);
  /// It could not be judged.
  void undone(const std::string& account);

 private:
  struct Tries {
    std::uint32_t wrong = 0;
    MonotonicTime last{};
    MonotonicTime until{};
    bool kept = false;
  };
  void refill(MonotonicTime now);
  void make_room();
  void keep(MonotonicTime now);

  KeptText& kept_;
  std::map<std::string, Tries> tries_;
  std::uint32_t overall_left_ = kOverallMax;
  MonotonicTime refilled_{};
};

}  // namespace duhui::api

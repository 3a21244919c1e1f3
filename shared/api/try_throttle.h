#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "shared/api/kept_text.h"
#include "shared/base/result.h"
#include "shared/base/time.h"

namespace duhui::api {

/// For whom a password is tried, and from where.
struct TryOf {
  std::string account{};  // id; what begins with '?' stands for a name nobody has
  std::string peer{};     // see EdgeRequest::peer; empty: this machine
};

/// So many at once, then one each pause; by name. At most kNamesMax are told apart: the rest share.
class TryBudgets {
 public:
  static constexpr std::size_t kNamesMax = 4000;

  TryBudgets(std::uint32_t at_once, Duration pause)
      : at_once_(at_once), pause_(pause), rest_{.left = at_once} {}

  Duration wait(const std::string& name, MonotonicTime now);
  void take(const std::string& name, MonotonicTime now);
  void give_back(const std::string& name, MonotonicTime now);

 private:
  struct Budget {
    std::uint32_t left = 0;
    MonotonicTime refilled{};
  };
  Budget& of(const std::string& name, MonotonicTime now);
  void refill(Budget& budget, MonotonicTime now) const;

  const std::uint32_t at_once_;
  const Duration pause_;
  std::map<std::string, Budget> budgets_;
  Budget rest_;
};

/// Makes guessing passwords slow, and nothing else:
///
/// - After kFreeTries wrong ones each further try of an account from the same peer waits twice as
///   long as the one before. Waits count down on the monotonic clock and what is left of them is
///   kept, so that neither a restart nor setting the clock skips one.
/// - All peers together, where the person never signed in from, may be wrong about an account only
///   so often: guessing from many addresses is as slow. Who sits where they have signed in before
///   is not kept out by strangers.
/// - One peer may be wrong only so often, whatever the names.
class TryThrottle {
 public:
  static constexpr std::uint32_t kFreeTries = 5;
  static constexpr Duration kFirstWait = seconds(30);
  static constexpr Duration kWaitMax = hours(1);
  static constexpr std::uint32_t kStrangerTries = 20;
  static constexpr Duration kStrangerPause = minutes(2);
  static constexpr std::uint32_t kPeerTries = 60;
  static constexpr Duration kPeerPause = seconds(2);
  /// Counters of accounts; a counter that makes somebody wait is never given up for another.
  static constexpr std::size_t kCountersMax = 1000;
  /// Counters of names nobody has; further ones share one.
  static constexpr std::size_t kNobodyMax = 200;
  /// Peers remembered as an account's own.
  static constexpr std::size_t kOwnPeersMax = 4;

  /// `kept` outlives this.
  explicit TryThrottle(KeptText& kept) : kept_(kept) {}

  /// Reads what earlier runs kept. A text that cannot be read counts as none.
  void load(MonotonicTime now);

  /// How long to wait before such a try; zero: now.
  Duration wait(const TryOf& what, MonotonicTime now);
  /// A try has begun; until it succeeds it counts as a wrong one, so that many at once are no
  /// faster than one after another.
  void begun(const TryOf& what, MonotonicTime now);
  /// It was wrong.
  void failed(const TryOf& what, MonotonicTime now);
  void succeeded(const TryOf& what, MonotonicTime now);
  /// It could not be judged.
  void undone(const TryOf& what, MonotonicTime now);

 private:
  using Key = std::pair<std::string, std::string>;  // account, peer
  struct Tries {
    std::uint32_t wrong = 0;
    MonotonicTime last{};
    MonotonicTime until{};
    bool kept = false;
  };
  using Counters = std::map<Key, Tries>;

  /// The counter of such a try, whether or not it exists; account "": there is no room for one.
  Key key_of(const TryOf& what, MonotonicTime now);
  void erase(Counters::iterator at);
  Counters::iterator evictable(bool of_nobody, MonotonicTime now);
  bool is_stranger(const TryOf& what) const;
  bool learn_peer(const TryOf& what);
  void keep(MonotonicTime now);

  KeptText& kept_;
  Counters counters_;
  std::size_t nobodies_ = 0;  // of `counters_`, those of names nobody has
  std::map<std::string, std::vector<std::string>> own_peers_;  // of an account, the newest last
  TryBudgets peers_{kPeerTries, kPeerPause};
  TryBudgets strangers_{kStrangerTries, kStrangerPause};
};

}  // namespace duhui::api

#pragma once

#include <compare>
#include <cstdint>

namespace duhui {

/// Milliseconds between two readings of the same clock.
struct Duration {
  std::int64_t ms = 0;

  friend constexpr auto operator<=>(Duration, Duration) = default;
  friend constexpr Duration operator+(Duration a, Duration b) { return {a.ms + b.ms}; }
  friend constexpr Duration operator-(Duration a, Duration b) { return {a.ms - b.ms}; }
  friend constexpr Duration operator*(Duration a, std::int64_t n) { return {a.ms * n}; }
};

constexpr Duration milliseconds(std::int64_t n) { return {n}; }
constexpr Duration seconds(std::int64_t n) { return {n * 1000}; }
constexpr Duration minutes(std::int64_t n) { return {n * 60'000}; }
constexpr Duration hours(std::int64_t n) { return {n * 3'600'000}; }
constexpr Duration days(std::int64_t n) { return {n * 86'400'000}; }

/// What a wall clock shows: milliseconds since 1970-01-01 UTC. May be years wrong and may jump.
/// Never converts to MonotonicTime.
struct WallTime {
  std::int64_t ms = 0;

  friend constexpr auto operator<=>(WallTime, WallTime) = default;
  friend constexpr WallTime operator+(WallTime a, Duration b) { return {a.ms + b.ms}; }
  friend constexpr WallTime operator-(WallTime a, Duration b) { return {a.ms - b.ms}; }
  friend constexpr Duration operator-(WallTime a, WallTime b) { return {a.ms - b.ms}; }
};

/// Milliseconds since this start of the operating system; never goes back, means nothing elsewhere.
struct MonotonicTime {
  std::int64_t ms = 0;

  friend constexpr auto operator<=>(MonotonicTime, MonotonicTime) = default;
  friend constexpr MonotonicTime operator+(MonotonicTime a, Duration b) { return {a.ms + b.ms}; }
  friend constexpr Duration operator-(MonotonicTime a, MonotonicTime b) { return {a.ms - b.ms}; }
};

/// Both clocks of a device at one moment, and which start of the system the second belongs to.
struct ClockReading {
  WallTime wall;
  MonotonicTime monotonic;
  std::uint32_t boot = 0;
};

}  // namespace duhui

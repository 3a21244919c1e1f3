#pragma once

#include <cassert>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace duhui {

/// One code per reaction a caller can have; everything else is `detail`.
enum class ErrorCode : std::uint8_t {
  invalid_input,   // the caller's data is wrong: tell them, change nothing
  not_found,       // the named thing does not exist
  refused,         // a domain rule or a permission forbids it; `detail` begins with the rule's name
  conflict,        // somebody else changed it first: read again
  corrupt_data,    // stored or received bytes are damaged: set aside, repair, report
  storage_failed,  // the storage handle is dead: close, reopen, verify
  unavailable,     // try again later: peer gone, queue full, shutting down
  limit_exceeded,  // over an explicit limit
  unauthenticated,  // nobody is signed in
  forbidden,        // whoever is signed in may not do this; `detail` begins with why
  throttled,        // too many tries: later
};
inline constexpr ErrorCode kLastErrorCode = ErrorCode::throttled;

/// The identifier of `code`, as used in JSON answers.
std::string_view to_string(ErrorCode code);

/// `detail` is for people and logs ("what we did: what they said"), never parsed.
struct Error {
  ErrorCode code;
  std::string detail;
};

/// "code: detail".
std::string to_string(const Error& error);

/// A value or an Error, with the names of std::expected so that it can be replaced by it.
template <typename T>
class [[nodiscard]] Result {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// Precondition: has_value().
  T& value() & {
    assert(has_value());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    assert(has_value());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    assert(has_value());
    return std::move(*std::get_if<0>(&state_));
  }

  /// Precondition: !has_value().
  const Error& error() const& {
    assert(!has_value());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    assert(!has_value());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

struct Done {};

/// Success without a value: `return Done{};`.
using Status = Result<Done>;

/// Declares `name` from the Result of `expression`, or returns its error.
#define DUHUI_TRY(name, expression)                            \
  auto name##_result = (expression);                           \
  if (!name##_result) return std::move(name##_result).error(); \
  auto name = std::move(name##_result).value()

/// Returns the error of a Status, if it has one.
#define DUHUI_CHECK_OK(expression)                                                \
  do {                                                                            \
    if (auto status_ = (expression); !status_) return std::move(status_).error(); \
  } while (false)

}  // namespace duhui

#pragma once

namespace duhui {

/// Prints the failed condition and aborts. For what must hold even in release builds: before
/// something is written to disk and after it is read. Never for a peer's or a person's input.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

#define DUHUI_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::duhui::check_failed(#condition, __FILE__, __LINE__))

}  // namespace duhui

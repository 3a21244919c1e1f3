#include "shared/cli/private_process.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace duhui::cli {

void make_process_private() {
  ::umask(077);
  const struct rlimit none { 0, 0 };
  ::setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // A limit of 0 does not keep a core from a program that collects them. The sanitizers look at
  // their own process as a debugger does, which this forbids.
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

}  // namespace duhui::cli

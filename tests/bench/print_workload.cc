// Prints records of workload W, one JSON document a line, for looking at them and for feeding them
// to other systems.
//
//   print_workload [records] [seed]

#include <cstdio>
#include <cstdlib>

#include "tests/bench/workload.h"

int main(int argc, char** argv) {
  const long records = argc > 1 ? std::atol(argv[1]) : 100;
  duhui::bench::Workload workload(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
  for (long n = 0; n < records; ++n) {
    std::printf("%s\n", workload.record(0).value.dump().c_str());
  }
  return 0;
}

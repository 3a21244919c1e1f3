#include <csignal>
#include <iostream>

#include <sys/stat.h>

#include "agent/app/agent_program.h"

int main(int argc, char** argv) {
  // Keys, records and the socket are their owner's alone.
  ::umask(077);
  std::signal(SIGPIPE, SIG_IGN);
  duhui::cli::Console console(duhui::cli::choose_language(argc, argv), std::cout, std::cerr);
  duhui::agent::AgentProgram program(console);
  return program.run(argc, argv);
}

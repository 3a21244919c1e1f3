#include <csignal>
#include <iostream>

#include "agent/app/agent_program.h"
#include "shared/cli/private_process.h"

int main(int argc, char** argv) {
  duhui::cli::make_process_private();
  std::signal(SIGPIPE, SIG_IGN);
  duhui::cli::Console console(duhui::cli::choose_language(argc, argv), std::cout, std::cerr);
  duhui::agent::AgentProgram program(console);
  return program.run(argc, argv);
}

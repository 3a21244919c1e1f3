#pragma once

namespace duhui::cli {

/// Keys, records and sockets are their owner's alone: files are made for the owner only whatever
/// umask the program was started with, and no crash writes memory, with keys and passwords in it,
/// to a disk. First thing in main().
void make_process_private();

}  // namespace duhui::cli

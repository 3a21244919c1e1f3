// Files beside the records on the same link.

#include <utility>

#include "agent/core/sync_session.h"
#include "shared/sync/frame_codec.h"

namespace duhui::agent {

void SyncSession::perform(Status done, BlobExchange::Out out, std::vector<Effect>& effects) {
  for (const sync::v1::Frame& frame : out.frames) {
    effects.push_back(Send{encode_frame(frame), true});
  }
  for (auto& [name, how] : out.fetched) effects.push_back(FileFetched{name, std::move(how)});
  if (!done) close(to_string(done.error()), effects);
}

void SyncSession::on_file_frame(const sync::v1::Frame& frame,
                                MonotonicTime now,
                                std::vector<Effect>& effects) {
  if (state_ != State::live || !exchange_) return;
  BlobExchange::Out out;
  Status done = exchange_->received(frame, now, out);
  perform(std::move(done), std::move(out), effects);
}

void SyncSession::pump_files(MonotonicTime now, std::vector<Effect>& effects) {
  if (state_ != State::live || !exchange_) return;
  BlobExchange::Out out;
  Status done = exchange_->pump(replica_.unacknowledged() != 0, now, out);
  perform(std::move(done), std::move(out), effects);
}

bool SyncSession::fetch(const BlobName& name, std::vector<Effect>& effects) {
  if (state_ != State::live || !exchange_) return false;
  BlobExchange::Out out;
  Status done = exchange_->fetch(name, out);
  perform(std::move(done), std::move(out), effects);
  return true;
}

std::vector<Effect> SyncSession::link_down() {
  std::vector<Effect> effects;
  if (!exchange_) return effects;
  BlobExchange::Out out;
  // What could not be kept comes again.
  const Status saved = exchange_->closed(out);
  static_cast<void>(saved);
  for (auto& [name, how] : out.fetched) effects.push_back(FileFetched{name, std::move(how)});
  exchange_.reset();
  return effects;
}

}  // namespace duhui::agent

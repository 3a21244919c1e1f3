// The invariants of docs/protocol.md ("What must hold"), asked of stores, not of the code that
// keeps them.

#include <algorithm>

#include "agent/core/file_collection.h"
#include "agent/core/keys.h"
#include "duhui/record/v1/visit.pb.h"
#include "hub/core/ingest.h"
#include "shared/base/bytes.h"
#include "shared/domain/school_part.h"
#include "shared/sync/locked_op.h"
#include "tests/sim/world.h"

namespace duhui::sim {
namespace {

void collect_texts(std::string_view bytes, std::set<std::string>& texts) {
  for (std::size_t at = bytes.find("text#"); at != std::string_view::npos;
       at = bytes.find("text#", at + 5)) {
    const std::size_t end = bytes.find('#', at + 5);
    if (end == std::string_view::npos) return;
    texts.insert(std::string(bytes.substr(at, end - at + 1)));
  }
}

/// Everything that anybody wrote, without the notes beside the steps of a record's life, which
/// are not for the school.
std::string dump_values(const RecordState& state) {
  std::string text;
  for (const auto& [key, reg] : state.registers()) {
    if (key.field == record::v1::VisitRecord::kStatusEventsFieldNumber) continue;
    for (const RegisterWrite& write : reg.live) text += write.value.value_or("") + "\n";
    for (const RegisterWrite& write : reg.history) text += write.value.value_or("") + "\n";
  }
  return text;
}

std::string dump(const RecordState& state) {
  std::string text = std::to_string(static_cast<int>(state.stage())) + state.scope() + "\n";
  const auto add = [&](const char* kind, const RegisterWrite& write) {
    text +=
        std::string(kind) + to_string(write.dot) + "=" + to_hex(write.value.value_or("-")) + "\n";
  };
  for (const auto& [key, reg] : state.registers()) {
    text += std::to_string(key.field) + "/" + key.key + "\n";
    for (const RegisterWrite& write : reg.live) add(" live ", write);
    for (const RegisterWrite& write : reg.history) add(" past ", write);
  }
  for (const auto& [key, write] : state.proposals()) {
    add((" proposed " + std::to_string(key.field) + "/" + key.key + " ").c_str(), write);
  }
  for (const auto& [dot, facts] : state.ops()) {
    text += to_string(dot) + " " + facts.person + " " + std::to_string(facts.stamp.effective_ms) +
            " " + std::to_string(facts.stamp.rank) + " " + std::to_string(facts.stamp.at_hub) +
            "\n";
  }
  return text;
}

}  // namespace

void World::check_watermarks() {
  for (const auto& agent : agents_) {
    if (!agent->replica) continue;
    const store::v1::AgentState& state = agent->replica->state();
    if (state.acknowledged() > state.head()) breach("acknowledged more than was saved");
    check_receipt(*agent);
    Watermark& last = watermarks_[agent->number];
    const Watermark now{agent->replica->origin(), state.epoch(), state.acknowledged()};
    if (last.origin == now.origin && last.epoch == now.epoch &&
        now.acknowledged < last.acknowledged) {
      breach("agent " + std::to_string(agent->number) + ": its watermark went back");
    }
    last = now;
    // Acknowledged means: on the hub's disk. An older copy put in its place has another epoch as
    // soon as anybody notices; until then the question has no answer.
    if (options_.faults.hub_restored) continue;
    const auto origin = agent->replica->origin();
    const auto& streams = hub_store_.state().streams;
    const auto at = streams.find(origin);
    const std::uint64_t durable = at == streams.end() ? 0 : at->second.head;
    if (state.acknowledged() > durable) {
      breach("agent " + std::to_string(agent->number) + ": acknowledged " +
             std::to_string(state.acknowledged()) + ", durable " + std::to_string(durable));
    }
  }
}

void World::check_receipt(SimAgent& agent) {
  // A receipt is never false: the hub's disk has that very chain (unless it was put back since).
  const store::v1::AgentState& state = agent.replica->state();
  if (!state.has_receipt() || options_.faults.hub_restored) return;
  const auto& batches = hub_store_.state().batches;
  const auto origin = Origin::from_bytes(state.receipt().origin());
  const auto at = batches.upper_bound({*origin, state.receipt().seq()});
  const bool found =
      at != batches.begin() && std::prev(at)->second.origin == *origin &&
      std::prev(at)->second.first_seq + std::prev(at)->second.count > state.receipt().seq();
  if (!found) breach("agent " + std::to_string(agent.number) + " holds a false receipt");
}

void World::check_saved(SimAgent& agent) {
  std::set<std::string> held;
  const VaultKey key = VaultKey::of_device(hub_key_, agent.identity.id);
  for (const auto& [name, value] : agent.disk.values) {
    store::v1::StoredRecord record;
    if (!name.starts_with("r/") || !record.ParseFromString(value)) continue;
    for (const store::v1::StoredOp& one : record.ops()) {
      const auto exact = open_op(key, one.op());
      if (!exact) return breach("agent " + std::to_string(agent.number) + ": cannot be opened");
      collect_texts(*exact, held);
    }
  }
  for (const std::string& text : agent.saved) {
    if (!held.contains(text)) {
      return breach("agent " + std::to_string(agent.number) + " lost " + text + " at a restart");
    }
  }
}

bool World::reads(const SimAgent& agent, const std::string& scope) const {
  return scope.starts_with("city/zone2") || scope.starts_with(agent.zone);
}

bool World::quiet() {
  if (!hub_ || !hub_->idle()) return false;
  return std::all_of(agents_.begin(), agents_.end(), [&](const auto& agent) {
    if (!agent->replica || !agent->session || !agent->session->caught_up()) return false;
    if (auto next = agent->replica->blobs().next({}); !next || *next) return false;
    // Pages may still be on their way: nothing is quiet before every cursor stands at its head.
    for (const auto& [scope, head] : hub_store_.state().feed_heads) {
      if (!reads(*agent, scope) || head.through == 0) continue;
      const auto at = agent->replica->scopes().find(scope);
      if (at == agent->replica->scopes().end() || at->second.through() != head.through ||
          at->second.checksum() != head.checksum) {
        return false;
      }
    }
    return true;
  });
}

void World::check_locked_photos(SimAgent& agent, const std::set<RecordId>& open) {
  note_shown_photos(agent);
  std::set<Digest> shown = agent.taken_in_the_open;
  for (const BlobName& photo : agent.photos) {
    if (open.contains(photo.record)) shown.insert(photo.sha256);
  }
  for (const BlobName& photo : agent.fetched) shown.insert(photo.sha256);
  for (const BlobName& photo : agent.photos) {
    if (!shown.contains(photo.sha256) && agent.files.whole.contains(photo.sha256)) {
      return breach("agent " + std::to_string(agent.number) +
                    " has a photo on its disk for the school to see");
    }
  }
}

void World::check_locked(SimAgent& agent) {
  const std::string name = "agent " + std::to_string(agent.number);
  if (agent.replica->vault_state() != agent::Vault::State::open) {
    return breach(name + ": the supervisor cannot open the vault");
  }
  std::set<std::string> closed;  // texts
  std::set<std::string> readable;
  std::set<RecordId> open;
  const RecordSchema& schema = *Schema::instance().find("visit_record");
  auto ids = agent.replica->find(schema.rule.type(), {}, 100'000);
  if (!ids) return breach(name + ": " + to_string(ids.error()));
  for (const RecordId& id : *ids) {
    auto state = agent.replica->record(id);
    if (!state || !*state) return breach(name + ": a record cannot be read");
    // Submitted without the authority for it: open here until the hub said so.
    const bool withdrawn = std::ranges::any_of((*state)->proposals(), [](const auto& write) {
      return write.first.field == record::v1::VisitRecord::kStatusEventsFieldNumber;
    });
    if (withdrawn) {
      open.insert(id);
      continue;
    }
    const bool shown = open_to_school(schema, **state);
    if (shown) open.insert(id);
    collect_texts(dump_values(**state), shown ? readable : closed);
  }
  check_locked_photos(agent, open);
  std::set<std::string> on_disk;
  for (const auto& [key, value] : agent.disk.values) {
    if (key.starts_with("r/") || key.starts_with("o/")) collect_texts(value, on_disk);
  }
  for (const std::string& text : closed) {
    if (on_disk.contains(text) && !agent.typed_in_the_open.contains(text)) {
      return breach(name + " has " + text + " on its disk for the school to read");
    }
  }
  // And what it may read is not locked away from it.
  agent.replica->lock_vault();
  std::set<std::string> shown;
  for (const RecordId& id : *ids) {
    auto state = agent.replica->record(id);
    if (state && *state) collect_texts(dump_values(**state), shown);
  }
  for (const std::string& text : readable) {
    if (!shown.contains(text)) {
      return breach(name + " keeps " + text + " from the school, which may read it");
    }
  }
}

void World::check_photos(SimAgent& agent) {
  const std::string who = "agent " + std::to_string(agent.number);
  for (const BlobName& photo : agent.photos) {
    const auto at = hub_files_.whole.find(photo.sha256);
    if (at == hub_files_.whole.end() || at->second != photos_.at(photo.sha256)) {
      return breach("the hub lacks a photo of " + who);
    }
    auto known = agent.replica->blobs().find(photo.sha256, photo.record);
    if (!known || !*known || !(*known)->has_receipt()) {
      return breach(who + " has no receipt for a photo");
    }
  }
  // What nobody attached goes, sooner or later; the same content may have been taken as a photo.
  for (int round = 0; round < 2; ++round) {
    agent::FileCollection collection({*agent.replica, *agent.store, agent.files, agent.files,
                                      agent.locked_files, agent.locked_files});
    const WallTime day{now_ + days(2 * round).ms};
    if (!collection.collect_parts() || !collection.collect_unnamed(day, days(1))) {
      return breach(who + " cannot clear up");
    }
  }
  for (const Digest& left : agent.left) {
    if (agent.files.whole.contains(left)) return breach(who + " keeps what nobody attached");
  }
  std::set<BlobName> held = agent.fetched;
  held.insert(agent.photos.begin(), agent.photos.end());
  for (const BlobName& name : held) {
    // The supervisor is here: locked or not, it can be seen.
    const auto content = agent.replica->files()->read(name.sha256, 0, name.size + 1);
    if (!content || *content != photos_.at(name.sha256)) {
      return breach(who + " cannot show a photo that is there");
    }
  }
}

std::set<std::string> World::texts_that_must_survive() {
  std::set<std::string> texts = hub_saved_;
  for (const auto& agent : agents_) texts.insert(agent->saved.begin(), agent->saved.end());
  return texts;
}

std::map<RecordId, std::string> World::dump_agent(SimAgent& agent) {
  std::map<RecordId, std::string> all;
  auto ids = agent.replica->find(0, {}, 100'000);
  if (!ids) return all;
  for (const RecordId& id : *ids) {
    auto state = agent.replica->record(id);
    if (state && *state) all[id] = dump(**state);
  }
  return all;
}

std::map<RecordId, std::string> World::dump_hub() {
  std::map<RecordId, std::string> all;
  const auto read = hub_store_.read([&](hub::HubTransaction& tx) -> Status {
    for (const auto& [id, row] : hub_store_.state().records) {
      DUHUI_TRY(state, hub_ops_->load(tx, row));
      all[id] = dump(state);
    }
    return Done{};
  });
  if (!read) breach("hub read: " + to_string(read.error()));
  return all;
}

void World::check_converged() {
  const std::map<RecordId, std::string> hub = dump_hub();
  std::set<std::string> at_hub;
  for (const auto& [key, batch] : hub_store_.state().batches) {
    auto raw = hub_ops_->codec().unpack(
        {batch.encoding, batch.dictionary, batch.count, batch.raw_bytes, batch.payload});
    if (!raw) return breach("hub batch: " + to_string(raw.error()));
    collect_texts(*raw, at_hub);
  }
  for (const std::string& text : texts_that_must_survive()) {
    if (!at_hub.contains(text)) return breach("the hub lacks " + text);
  }
  for (const auto& agent : agents_) {
    if (agent->replica->vault_state() == agent::Vault::State::locked) come_or_go(*agent);
    const std::map<RecordId, std::string> device = dump_agent(*agent);
    const std::string name = "agent " + std::to_string(agent->number) + " (" +
                             to_hex(agent->replica->origin().view()) + ")";
    for (const auto& [id, text] : device) {
      const auto at = hub.find(id);
      if (at == hub.end())
        return breach(name + " has a record the hub lacks: " + to_uuid_text(id.view()));
      if (at->second != text) {
        return breach(name + " differs from the hub in " + to_uuid_text(id.view()) + "\n--- hub\n" +
                      at->second + "--- " + name + "\n" + text);
      }
    }
    for (const auto& [id, row] : hub_store_.state().records) {
      if (reads(*agent, row.scope) && !device.contains(id)) {
        return breach(name + " lacks " + to_uuid_text(id.view()));
      }
      if (!row.scope.empty() && !reads(*agent, row.scope) && device.contains(id)) {
        return breach(name + " holds what is none of its business: " + to_uuid_text(id.view()));
      }
    }
    if (options_.files) check_photos(*agent);
    if (options_.vault) check_locked(*agent);
    if (agent->replica->quarantine() && !agent->replica->quarantine()->empty()) {
      return breach(name + " quarantined an honest op");
    }
  }
  for (const auto& [dot, row] : hub_store_.state().quarantine) {
    if (row.kind == hub::kProposalKind) continue;
    return breach("the hub quarantined an honest op: " + row.kind + " " + row.detail);
  }
}

}  // namespace duhui::sim

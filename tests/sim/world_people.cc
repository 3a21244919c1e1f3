// What people do: create visits, answer items, write paragraphs, add and remove photos, submit,
// delete.

#include "agent/core/file_collection.h"
#include "duhui/record/v1/org.pb.h"
#include "duhui/record/v1/visit.pb.h"
#include "shared/base/bytes.h"
#include "shared/crypto/registry_id.h"
#include "shared/domain/school_part.h"
#include "shared/merge/file_references.h"
#include "shared/merge/schema.h"
#include "shared/sync/credentials.h"
#include "tests/sim/world.h"

namespace duhui::sim {
namespace {

using record::v1::VisitRecord;

const RecordSchema& visit_schema() {
  static const RecordSchema* schema = Schema::instance().find("visit_record");
  return *schema;
}

std::vector<IntendedWrite> writes_of(const VisitRecord& part) {
  std::vector<IntendedWrite> writes;
  auto fragments = split(visit_schema(), part);
  if (!fragments) return writes;
  for (Fragment& fragment : *fragments) writes.push_back({fragment.key, std::move(fragment.value)});
  return writes;
}

}  // namespace

std::string World::new_text() { return "text#" + std::to_string(++texts_) + "#"; }

std::vector<IntendedWrite> World::draw_writes(const RecordState* state,
                                              const std::string& person,
                                              const std::string& text,
                                              bool& sees_all) {
  VisitRecord part;
  sees_all = false;
  switch (state == nullptr ? 0 : 1 + random_.below(7)) {
    case 0:
      part.set_school_id("sch-001");
      part.set_visit_date("2025-10-09");
      (*part.mutable_summary())[person] = text;
      break;
    case 1:
    case 2: {
      auto& answer = (*part.mutable_item_answers())["R" + std::to_string(1 + random_.below(4))];
      answer.mutable_value()->set_text(random_.below(2) == 0 ? "good" : "poor");
      answer.set_remark(text);
      answer.set_by(person);
      break;
    }
    case 3:
      (*part.mutable_narrative())[person] = text;
      break;
    case 4: {
      auto* photo = part.add_attachments();
      photo->set_id("ph" + std::to_string(random_.below(5)));
      photo->set_caption(text);
      break;
    }
    case 5:
      part.set_unsigned_reason(text);
      break;
    case 6: {
      auto* change = part.add_status_events();
      change->set_reason(text);
      if (random_.below(2) == 0) change->set_to(record::v1::VISIT_STATUS_SUBMITTED);
      sees_all = true;
      break;
    }
    case 7: {
      std::vector<IntendedWrite> writes{{{kDeletedField, {}}, std::string("\x08\x01")}};
      (*part.mutable_narrative())[person] = text;
      for (IntendedWrite& write : writes_of(part)) writes.push_back(std::move(write));
      sees_all = true;
      return writes;
    }
    default:
      break;
  }
  return writes_of(part);
}

void World::someone_edits() {
  if (hub_ && random_.below(6) == 0) return edit_at_hub();
  SimAgent& agent = *agents_[random_.below(agents_.size())];
  if (options_.files && random_.below(4) == 0) look_at_photo(agent);
  if (options_.files && random_.below(8) == 0) leave_upload(agent);
  if (options_.files && random_.below(4) == 0) collect_files(agent);
  if (agent.replica) edit_at_agent(agent);
}

void World::edit_at_agent(SimAgent& agent) {
  if (options_.vault && random_.below(2) == 0) come_or_go(agent);
  auto known = agent.replica->find(visit_schema().rule.type(), {}, 1000);
  if (!known) return;  // the disk says no
  Intent intent;
  intent.type = visit_schema().rule.type();
  intent.person = "u-" + std::string(1 + random_.below(3), 'x');
  intent.rank = 4;
  std::optional<RecordState> state;
  if (!known->empty() && random_.below(4) != 0) {
    intent.record = (*known)[random_.below(known->size())];
    auto found = agent.replica->record(intent.record);
    if (!found) return;
    state = std::move(*found);
    if (state && state->stage() != RecordState::Stage::born) return;
  }
  if (!state) {
    intent.record = mint_record_id({now_}, agent.random);
    intent.creates = true;
    intent.scope = random_.below(3) == 0 ? "city/zone2/school" : agent.zone + "/school";
  }
  const std::string text = new_text();
  intent.writes = draw_writes(state ? &*state : nullptr, intent.person, text, intent.sees_all);
  std::optional<BlobName> photo;
  if (options_.files && state && random_.below(3) == 0) {
    VisitRecord part;
    photo = take_photo(agent, intent.record, part.add_attachments());
    part.mutable_attachments(0)->set_caption(text);
    intent.writes = writes_of(part);
    intent.sees_all = false;
  }
  // Also what is refused: a disk that fails may have kept it all the same.
  if (agent.replica->vault_state() != agent::Vault::State::open) {
    agent.typed_in_the_open.insert(text);
    if (photo) agent.taken_in_the_open.insert(photo->sha256);
  }
  auto saved = agent.replica->save({intent}, agent.clock(now_));
  note("agent " + std::to_string(agent.number) + " saves " + text + (saved ? "" : " (refused)"));
  if (!saved) {
    if (saved.error().code != ErrorCode::storage_failed)
      breach("save: " + to_string(saved.error()));
    return;
  }
  ++verdict_.saved;
  agent.saved.insert(text);
  if (photo) agent.photos.insert(*photo);
  note_shown_photos(agent);
  if (agent.session) perform(agent, agent.session->saved(agent.clock(now_)));
}

BlobName World::take_photo(SimAgent& agent,
                           const RecordId& record,
                           record::v1::Attachment* attachment) {
  std::string content;
  if (!photos_.empty() && random_.below(4) == 0) {
    auto at = photos_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_.below(photos_.size())));
    content = at->second;  // the same picture in two records
  } else {
    constexpr std::uint64_t kSizes[] = {1, 3'000, 70'000, 200'000};
    content.resize(1 + random_.below(kSizes[random_.below(4)]));
    random_.fill(content.data(), content.size());
  }
  const BlobName name{sha256(content), content.size(), record};
  photos_[name.sha256] = content;
  agent.files.whole[name.sha256] = content;
  // Until its record is saved nobody knows whose it is.
  const bool open = agent.replica->vault_state() == agent::Vault::State::open;
  if (!open || !agent.replica->files()->lock(name.sha256)) {
    agent.taken_in_the_open.insert(name.sha256);
  }
  attachment->set_id("ph" + std::to_string(random_.below(50)));
  attachment->set_sha256(to_hex(name.sha256.view()));
  attachment->set_size(name.size);
  return name;
}

void World::look_at_photo(SimAgent& agent) {
  std::vector<BlobName> all;
  for (const auto& other : agents_)
    all.insert(all.end(), other->photos.begin(), other->photos.end());
  if (all.empty() || !agent.session) return;
  const BlobName name = all[random_.below(all.size())];
  if (agent.files.whole.contains(name.sha256)) return;
  std::vector<agent::Effect> effects;
  static_cast<void>(agent.session->fetch(name, effects));
  perform(agent, std::move(effects));
}

void World::leave_upload(SimAgent& agent) {
  std::string content(1 + random_.below(3'000), '\0');
  random_.fill(content.data(), content.size());
  const Digest name = sha256(content);
  agent.files.whole[name] = std::move(content);
  agent.left.insert(name);
}

void World::collect_files(SimAgent& agent) {
  if (hub_ && random_.below(2) == 0) perform_hub(hub_->collect_files());
  if (!agent.replica) return;
  agent::FileCollection collection({*agent.replica, *agent.store, agent.files, agent.files,
                                    agent.locked_files, agent.locked_files});
  const auto report = [&](const Status& done) {
    if (!done && done.error().code != ErrorCode::storage_failed) {
      breach("collection: " + to_string(done.error()));
    }
  };
  const auto parts = collection.collect_parts();
  if (!parts) report(parts.error());
  const auto now = agent.replica->traffic().clock().beyond_doubt(agent.clock(now_));
  if (!now || !agent.session || !agent.session->caught_up()) return;
  // A universe lasts days, not months.
  const auto files = collection.collect_unnamed(*now, minutes(20));
  if (!files) return report(files.error());
  if (files->files.files > 0) note("agent " + std::to_string(agent.number) + " clears up");
}

void World::come_or_go(SimAgent& agent) {
  if (agent.replica->vault_state() == agent::Vault::State::open) {
    note("agent " + std::to_string(agent.number) + " is left");
    return agent.replica->lock_vault();
  }
  // The disk may refuse, and nobody may have told this device yet.
  const bool in = agent.replica->unlock_vault(supervisor_).has_value();
  note("agent " + std::to_string(agent.number) + (in ? " is opened" : " is not opened"));
  note_shown_photos(agent);
}

void World::note_shown_photos(SimAgent& agent) {
  // By any record, whoever named the photo there.
  auto ids = agent.replica->find(visit_schema().rule.type(), {}, 1000);
  if (!ids) return;
  std::vector<FileReference> shown;
  for (const RecordId& id : *ids) {
    auto state = agent.replica->record(id);
    if (!state || !*state || !open_to_school(visit_schema(), **state)) continue;
    for (const auto& [key, reg] : (*state)->registers()) {
      for (const auto* writes : {&reg.live, &reg.history}) {
        for (const RegisterWrite& write : *writes) {
          append_file_references(*visit_schema().descriptor, write.value.value_or(""), &shown);
        }
      }
    }
  }
  for (const FileReference& one : shown) {
    agent.taken_in_the_open.insert(*Digest::from_bytes(one.sha256));
  }
}

void World::employ_supervisor() {
  record::v1::User user;
  user.set_id("u-supervisor");
  user.set_role(record::v1::ROLE_RESPONSIBLE_SUPERVISOR);
  const RecordSchema& schema = *Schema::instance().find("user");
  Intent intent;
  intent.record = registry_record_id("user", user.id());
  intent.type = schema.rule.type();
  intent.creates = true;
  intent.scope = "city/zone2";  // everybody reads it
  auto fragments = split(schema, user);
  if (!fragments) return breach("user: " + to_string(fragments.error()));
  for (Fragment& one : *fragments) intent.writes.push_back({one.key, std::move(one.value)});
  std::vector<Intent> intents{std::move(intent)};
  for (const char* place : {"city/zone0/school", "city/zone1/school", "city/zone2/school"}) {
    intents.push_back(create_credential(
        user.id(), place, {.key = supervisor_.public_key(), .disabled = {}, .secret = {}}));
  }
  for (Intent& one : intents) one.person = "u-office";
  auto job = hub_->save(std::move(intents), {now_});
  hub::StorageContext context = hub_context();
  job->run(context);
  if (job->failed) return breach("hub save: " + to_string(*job->failed));
  perform_hub(hub_->job_done(std::move(job), {now_}, {now_}));
}

void World::edit_at_hub() {
  std::vector<RecordId> known;
  for (const auto& [id, row] : hub_store_.state().records) {
    if (row.born && row.type == visit_schema().rule.type()) known.push_back(id);
  }
  if (known.empty()) return;
  Intent intent;
  intent.type = visit_schema().rule.type();
  intent.person = "u-office";
  intent.rank = 4;
  intent.record = known[random_.below(known.size())];
  const hub::RecordRow row = hub_store_.state().records.at(intent.record);
  std::optional<RecordState> state;
  const auto read = hub_store_.read([&](hub::HubTransaction& tx) -> Status {
    DUHUI_TRY(loaded, hub_ops_->load(tx, row));
    state = std::move(loaded);
    return Done{};
  });
  if (!read) return breach("hub read: " + to_string(read.error()));
  const std::string text = new_text();
  intent.writes = draw_writes(&*state, intent.person, text, intent.sees_all);
  auto job = hub_->save({intent}, {now_});
  hub::StorageContext context = hub_context();
  job->run(context);
  if (job->failed && !faults_.commit_fails) {
    return breach("hub save: " + to_string(*job->failed));
  }
  if (job->failed) {
    note("hub refuses " + text);  // and says so
  } else {
    note("hub saves " + text);
    ++verdict_.saved;
    hub_saved_.insert(text);
  }
  perform_hub(hub_->job_done(std::move(job), {now_}, {now_}));
}

}  // namespace duhui::sim

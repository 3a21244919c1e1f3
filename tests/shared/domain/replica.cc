#include "tests/shared/domain/replica.h"

#include <google/protobuf/message.h>
#include <gtest/gtest.h>

namespace duhui::testing {

Replica::Replica(const char* type, char name) : schema_(*Schema::instance().find(type)) {
  origin_.bytes.fill(name);
}

void Replica::create(const Author& author, const nlohmann::json& value) {
  const auto edit =
      edit_create(schema_, value, {.person = author.person, .at = "2025-10-09T08:35"});
  ASSERT_TRUE(edit) << to_string(edit.error());
  add(state_, author, *edit, true);
}

void Replica::save(const Author& author, const Result<RecordEdit>& edit) {
  save_having_seen(*this, author, edit);
}

void Replica::save_having_seen(const Replica& seen,
                               const Author& author,
                               const Result<RecordEdit>& edit) {
  ASSERT_TRUE(edit) << to_string(edit.error());
  add(RecordState(seen.state_), author, *edit, false);
}

void Replica::set(const Author& author, const char* path, const nlohmann::json& value) {
  set_having_seen(*this, author, path, value);
}

void Replica::set_having_seen(const Replica& seen,
                              const Author& author,
                              const char* path,
                              const nlohmann::json& value) {
  save_having_seen(seen, author,
                   edit_set(schema_, path, value, *seen.presented().message,
                            {.person = author.person, .at = "2025-10-09T10:00"}));
}

void Replica::add(const RecordState& seen,
                  const Author& author,
                  const RecordEdit& edit,
                  bool creates) {
  const Dot dot{.origin = origin_, .seq = ++seq_};
  sync::v1::Op op;
  op.set_record_id(std::string(16, 'r'));
  op.set_record_type(schema_.rule.type());
  op.set_person(author.person);
  op.set_creates(creates);
  if (creates) op.set_scope("city/district/zone/school");
  if (!creates) write_dot(*state_.born(), origin_, op.mutable_born());
  for (const RegisterEdit& write : edit.writes) {
    auto* out = op.add_writes();
    out->set_field(write.key.field);
    out->set_key(write.key.key);
    if (write.value) out->set_value(*write.value);
    const Register* reg = seen.find(write.key);
    if (reg == nullptr) continue;
    for (const auto& live : reg->live) write_dot(live.dot, origin_, out->add_replaces());
  }
  if (edit.sees_all) {
    for (const Dot& each : seen.frontier()) write_dot(each, origin_, op.add_sees());
  }
  OpStamp stamp;
  stamp.effective_ms = static_cast<std::int64_t>(dot.seq);
  stamp.quality = sync::v1::TIME_QUALITY_GOOD;
  stamp.rank = static_cast<std::uint32_t>(author.rank);
  stamp.at_hub = author.at_hub;
  const auto applied = state_.apply(dot, op, stamp);
  ASSERT_TRUE(applied) << to_string(applied.error());
  log_.push_back({dot, op, stamp});
}

void Replica::take(const Replica& other) {
  for (const Saved& saved : other.log_) {
    const auto applied = state_.apply(saved.dot, saved.op, saved.stamp);
    ASSERT_TRUE(applied);
    if (*applied == RecordState::Applied::applied) log_.push_back(saved);
  }
}

}  // namespace duhui::testing

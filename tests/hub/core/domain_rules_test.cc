#include "hub/core/domain_rules.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "duhui/record/v1/visit.pb.h"
#include "shared/crypto/registry_id.h"
#include "shared/merge/view.h"
#include "shared/record/record_edit.h"
#include "shared/sync/op_builder.h"

namespace duhui::hub {
namespace {

using Json = nlohmann::json;

constexpr WallTime kNow{1'760'000'000'000};
constexpr const char* kSchoolScope = "org-430200/org-430202/zone-430202-1/sch-001";

/// Some records, edited by people, as a transaction would see them.
class World final : public RecordLookup {
 public:
  /// Applies an edit and tells the op.
  sync::v1::Op apply(const RecordId& id,
                     const std::string& type,
                     RecordEdit edit,
                     const std::string& person,
                     bool creates,
                     const std::string& seen = {}) {
    const Dot dot{origin_, ++seq_};
    Intent intent;
    intent.record = id;
    intent.type = Schema::instance().find(type)->rule.type();
    intent.creates = creates;
    if (creates) intent.scope = kSchoolScope;
    intent.person = person;
    intent.rank = person == kHubPerson ? record::v1::WRITER_HUB : record::v1::WRITER_SUPERVISOR;
    intent.seen = seen;
    intent.sees_all = edit.sees_all;
    for (RegisterEdit& write : edit.writes) {
      intent.writes.push_back({std::move(write.key), std::move(write.value)});
    }
    auto op = build_op(intent, states_[id], dot);
    EXPECT_TRUE(op) << op.error().detail;
    const OpStamp stamp{.effective_ms = kNow.ms + static_cast<std::int64_t>(seq_),
                        .quality = sync::v1::TIME_QUALITY_GOOD,
                        .rank = intent.rank,
                        .at_hub = person == kHubPerson || person == "import"};
    EXPECT_TRUE(states_[id].apply(dot, *op, stamp));
    last_dot_ = dot;
    return *op;
  }

  sync::v1::Op create(const RecordId& id,
                      const std::string& type,
                      const Json& value,
                      const std::string& person = "u-sup-001") {
    const auto edit = edit_create(*Schema::instance().find(type), value,
                                  {.person = person, .at = "2025-10-09T11:00:00+08:00"});
    EXPECT_TRUE(edit) << edit.error().detail;
    return apply(id, type, *edit, person, true);
  }

  void go_to(const RecordId& id, const std::string& type, const std::string& state) {
    const auto edit = edit_transition(*Schema::instance().find(type), state, nullptr,
                                      {.person = "u-sup-001", .at = "2025-10-09T12:00:00+08:00"});
    ASSERT_TRUE(edit);
    apply(id, type, *edit, "u-sup-001", false);
  }

  void answer(const RecordId& id,
              const std::string& value,
              const std::string& person,
              const std::string& seen) {
    const auto empty = std::unique_ptr<google::protobuf::Message>(new record::v1::VisitRecord);
    const auto edit = edit_set(*Schema::instance().find("visit_record"), "item_answers/C6",
                               {{"value", value}}, *empty, {.person = person, .at = ""});
    ASSERT_TRUE(edit) << edit.error().detail;
    apply(id, "visit_record", *edit, person, false, seen);
  }

  std::string seen(const RecordId& id) const {
    return make_seen_token(id, states_.at(id), Dot{origin_, seq_});
  }
  const RecordState& of(const RecordId& id) const { return states_.at(id); }
  const Dot& last_dot() const { return last_dot_; }
  void link(const std::string& name, const std::string& to, const RecordId& from) {
    links_[{name, to}].push_back(from);
  }
  /// Saves what the hub's rules want; returns how many intents there were.
  std::size_t follow(DomainRules& rules, const std::vector<RecordId>& changed) {
    auto intents = rules.follow_ups(*this, changed, kNow);
    EXPECT_TRUE(intents) << intents.error().detail;
    if (!intents) return 0;
    for (Intent& intent : *intents) {
      EXPECT_EQ(intent.rank, static_cast<std::uint32_t>(record::v1::WRITER_HUB));
      RecordEdit edit;
      edit.sees_all = intent.sees_all;
      for (IntendedWrite& write : intent.writes) edit.writes.push_back({write.key, write.value});
      const RecordSchema* schema = Schema::instance().find(intent.type);
      apply(intent.record, schema->rule.name(), std::move(edit), intent.person, false);
    }
    return intents->size();
  }
  Json field(const RecordId& id, const std::string& path) const {
    const RecordSchema& schema = *Schema::instance().find(of(id).type());
    const auto key = register_of(schema, path);
    const RecordView shown = view(schema, of(id), {});
    const ShownRegister* reg = key ? shown.find(*key) : nullptr;
    if (reg == nullptr || reg->shown.empty()) return nullptr;
    return fragment_json(schema, *key, reg->shown.back().value.value_or(""));
  }

  Result<const RecordState*> state(const RecordId& id) override {
    const auto at = states_.find(id);
    return at == states_.end() ? nullptr : &at->second;
  }
  Result<std::vector<RecordId>> linked_to(std::string_view name, std::string_view to) override {
    return links_[{std::string(name), std::string(to)}];
  }
  Result<std::optional<std::string>> setting(std::string_view key) override {
    const auto at = settings_.find(std::string(key));
    return at == settings_.end() ? std::optional<std::string>() : at->second;
  }
  Status set(std::string_view key, std::string_view value) override {
    settings_[std::string(key)] = std::string(value);
    return Done{};
  }

 private:
  const Origin origin_{{'o'}};
  std::uint64_t seq_ = 0;
  Dot last_dot_;
  std::map<RecordId, RecordState> states_;
  std::map<std::pair<std::string, std::string>, std::vector<RecordId>> links_;
  std::map<std::string, std::string> settings_;
};

RecordId id_of(char name) { return RecordId{{name}}; }
std::string text_of(const RecordId& id) { return to_uuid_text(id.view()); }

Json visit_value() {
  return {{"school_id", "sch-001"}, {"visit_date", "2025-10-09"}, {"status", "draft"}};
}

using Links = std::vector<std::pair<std::string, std::string>>;

TEST(DomainRules, ReadsANewVisitOffItsCreatingOp) {
  World world;
  DomainRules rules;
  const auto op = world.create(id_of('v'), "visit_record", visit_value());
  const RecordSummary summary = rules.summarize_new(world.last_dot(), op);
  EXPECT_EQ(summary.school_id, "sch-001");
  EXPECT_EQ(summary.date, "2025-10-09");
  EXPECT_EQ(summary.state, "draft");
  EXPECT_FALSE(summary.deleted);
  EXPECT_FALSE(summary.follow_up);
  EXPECT_TRUE(summary.conflicts.empty());
}

TEST(DomainRules, SaysTheSameOfANewRecordWithAndWithoutMergingIt) {
  World world;
  DomainRules rules;
  const std::vector<std::pair<std::string, Json>> records = {
      {"visit_record", visit_value()},
      {"problem",
       {{"school_id", "sch-001"},
        {"visit_id", "0199027c-d700-7867-b438-4bb4a48f4cf7"},
        {"found_at", "2025-10-09T10:00:00+08:00"},
        {"state", "found"}}},
      {"rectification_notice",
       {{"school_id", "sch-001"}, {"problem_ids", {"a", "b"}}, {"state", "draft"}}},
      {"rectification_response", {{"notice_id", "n"}, {"state", "sent"}}},
      {"recheck",
       {{"problem_id", "p"}, {"at", "2025-10-09T10:30:00+08:00"}, {"verdict", "passed"}}},
      {"escalation", {{"problem_ids", {"p"}}, {"state", "open"}, {"at", "2025-10-16"}}},
      {"comment", {{"target_type", "problem"}, {"target_id", "p"}}}};
  char name = 'a';
  for (const auto& [type, value] : records) {
    const auto op = world.create(id_of(name), type, value);
    const RecordSummary fast = rules.summarize_new(world.last_dot(), op);
    const RecordSummary merged = rules.summarize(world.of(id_of(name)));
    EXPECT_EQ(fast.school_id, merged.school_id) << type;
    EXPECT_EQ(fast.date, merged.date) << type;
    EXPECT_EQ(fast.state, merged.state) << type;
    EXPECT_EQ(fast.links, merged.links) << type;
    EXPECT_EQ(fast.follow_up, merged.follow_up) << type;
    ++name;
  }
}

TEST(DomainRules, LinksARecordToThoseItNames) {
  World world;
  DomainRules rules;
  const auto op = world.create(id_of('n'), "rectification_notice",
                               {{"school_id", "sch-001"}, {"problem_ids", {"p1", "p2"}}});
  EXPECT_EQ(rules.summarize_new(world.last_dot(), op).links,
            (Links{{"problem_ids", "p1"}, {"problem_ids", "p2"}}));
}

TEST(DomainRules, TakesTheSchoolOfAnAnswerFromItsScope) {
  World world;
  DomainRules rules;
  const auto op = world.create(id_of('r'), "rectification_response", {{"notice_id", "n"}});
  EXPECT_EQ(rules.summarize_new(world.last_dot(), op).school_id, "sch-001");
}

TEST(DomainRules, FoldsTheStepsThatAnImportBringsAtOnce) {
  World world;
  DomainRules rules;
  Json value = visit_value();
  value["status"] = "accepted";
  value["status_log"] = {{{"status", "draft"}, {"by", "u-sup-001"}},
                         {{"status", "submitted"}, {"by", "u-sup-001"}},
                         {{"status", "accepted"}, {"by", "u-off-1"}}};
  const auto op = world.create(id_of('v'), "visit_record", value);
  EXPECT_EQ(rules.summarize_new(world.last_dot(), op).state, "accepted");
  EXPECT_EQ(rules.summarize(world.of(id_of('v'))).state, "accepted");
}

TEST(DomainRules, ReportsAConflictOfTwoAuthorsAndNoneOfOne) {
  World world;
  DomainRules rules;
  const RecordId visit = id_of('v');
  world.create(visit, "visit_record", visit_value());
  const std::string seen = world.seen(visit);
  world.answer(visit, "yes", "u-sup-001", seen);
  EXPECT_TRUE(rules.summarize(world.of(visit)).conflicts.empty());
  world.answer(visit, "no", "u-sup-002", seen);
  const RecordSummary summary = rules.summarize(world.of(visit));
  ASSERT_EQ(summary.conflicts.size(), 1u);
  EXPECT_EQ(summary.conflicts[0].key, "C6");
}

TEST(DomainRules, MergesAnAnswerAsItsTemplateSays) {
  World world;
  DomainRules rules;
  record::v1::Template form;
  form.set_id("TPL_X");
  form.set_version(1);
  auto* item = form.add_items();
  item->set_code("C6");
  item->set_merge("latest");
  rules.learn(form);
  const RecordId visit = id_of('v');
  Json value = visit_value();
  value["template_id"] = "TPL_X";
  value["template_version"] = 1;
  world.create(visit, "visit_record", value);
  const std::string seen = world.seen(visit);
  world.answer(visit, "yes", "u-sup-001", seen);
  world.answer(visit, "no", "u-sup-002", seen);
  EXPECT_TRUE(rules.summarize(world.of(visit)).conflicts.empty());
}

TEST(DomainRules, KeepsASubmittedVisitAsItWasSubmitted) {
  World world;
  DomainRules rules;
  const RecordId visit = id_of('v');
  world.create(visit, "visit_record", visit_value());
  const std::string seen = world.seen(visit);
  world.go_to(visit, "visit_record", "submitted");
  const auto empty = std::unique_ptr<google::protobuf::Message>(new record::v1::VisitRecord);
  const auto edit = edit_set(*Schema::instance().find("visit_record"), "visit_date", "2025-10-10",
                             *empty, {.person = "u-sup-002", .at = ""});
  ASSERT_TRUE(edit);
  world.apply(visit, "visit_record", *edit, "u-sup-002", false, seen);
  const RecordSummary summary = rules.summarize(world.of(visit));
  EXPECT_EQ(summary.state, "submitted");
  EXPECT_EQ(summary.date, "2025-10-09");
}

/// A world with a city, two districts, a school in each and the people of `role`.
struct RoleWorld {
  RoleWorld() {
    EXPECT_TRUE(world.set(kRootScopeKey, "city"));
    add("org", {{"id", "city"}, {"kind", "city"}});
    for (const std::string n : {"1", "2"}) {
      add("org", {{"id", "d" + n}, {"parent_id", "city"}, {"kind", "district"}});
      add("org", {{"id", "z" + n}, {"parent_id", "d" + n}, {"kind", "zone"}});
      add("school", {{"id", "s" + n}, {"district_id", "d" + n}, {"zone_id", "z" + n}});
    }
  }
  void add(const std::string& type, const nlohmann::json& value) {
    world.create(registry_record_id(type, value["id"].get<std::string>()), type, value, "import");
  }
  void person(const std::string& id,
              const std::string& role,
              const std::string& org,
              const std::string& to = {}) {
    nlohmann::json value{{"id", id}, {"role", role}, {"scope_org_id", org}, {"status", "active"}};
    if (!to.empty()) value["valid_to"] = to;
    add("user", value);
  }
  /// Whether an edit of `field` of a visit in `scope` counts.
  bool may(const std::string& person, const std::string& scope, std::uint32_t field) {
    sync::v1::Op op;
    op.set_record_type(20);
    op.add_writes()->set_field(field);
    const auto standing = rules.standing_of(world, person);
    EXPECT_TRUE(standing);
    return !rules.judge(*standing, {"city"}, WallTime{1'760'000'000'000}, scope, op).proposal;
  }
  World world;
  DomainRules rules;
};

TEST(DomainRules, TakesAnEditOnlyFromWhoHasTheAuthority) {
  using record::v1::VisitRecord;
  constexpr std::uint32_t kAnswers = VisitRecord::kItemAnswersFieldNumber;
  constexpr std::uint32_t kSignatures = VisitRecord::kSignaturesFieldNumber;
  RoleWorld roles;
  roles.person("u-sup", "responsible_supervisor", "z1");
  roles.person("u-off", "district_officer", "d1");
  roles.person("u-city", "city_officer", "city");
  roles.person("u-con", "school_contact", "s1");
  roles.person("u-it", "it_admin", "city");
  roles.person("u-gone", "responsible_supervisor", "z1", "2025-09-30");
  EXPECT_TRUE(roles.may("u-sup", "city/d1/z1/s1", kAnswers));
  EXPECT_TRUE(roles.may("u-sup", "city/d1/z9/s7", kAnswers)) << "helps out in the district";
  EXPECT_FALSE(roles.may("u-sup", "city/d2/z2/s2", kAnswers));
  EXPECT_TRUE(roles.may("u-con", "city/d1/z1/s1", kSignatures));
  EXPECT_FALSE(roles.may("u-con", "city/d1/z1/s1", kAnswers));
  EXPECT_FALSE(roles.may("u-con", "city/d2/z2/s2", kSignatures));
  EXPECT_TRUE(roles.may("u-off", "city/d1/z1/s1", VisitRecord::kVisitDateFieldNumber));
  EXPECT_FALSE(roles.may("u-off", "city/d2/z2/s2", VisitRecord::kVisitDateFieldNumber));
  EXPECT_TRUE(roles.may("u-city", "city/d2/z2/s2", VisitRecord::kVisitDateFieldNumber));
  EXPECT_FALSE(roles.may("u-it", "city/d1/z1/s1", kSignatures));
  EXPECT_FALSE(roles.may("u-gone", "city/d1/z1/s1", kAnswers)) << "the term has ended";
  EXPECT_FALSE(roles.may("u-nobody", "city/d1/z1/s1", kAnswers));
}

TEST(DomainRules, SeesADeletion) {
  World world;
  DomainRules rules;
  world.create(id_of('v'), "visit_record", visit_value());
  world.apply(id_of('v'), "visit_record", edit_delete(), "u-sup-001", false);
  EXPECT_TRUE(rules.summarize(world.of(id_of('v'))).deleted);
}

TEST(DomainRules, NumbersIssuedNoticesConsecutivelyAndOnce) {
  World world;
  DomainRules rules;
  world.create(registry_record_id("org", "org-430202"), "org",
               {{"id", "org-430202"}, {"kind", "district"}, {"name", "荷塘区"}}, "import");
  for (const char name : {'a', 'b'}) {
    const auto op = world.create(id_of(name), "rectification_notice",
                                 {{"school_id", "sch-001"}, {"state", "draft"}});
    EXPECT_FALSE(rules.summarize_new(world.last_dot(), op).follow_up);
    EXPECT_EQ(world.follow(rules, {id_of(name)}), 0u);
    world.go_to(id_of(name), "rectification_notice", "issued");
    EXPECT_TRUE(rules.summarize(world.of(id_of(name))).follow_up);
    EXPECT_EQ(world.follow(rules, {id_of(name)}), 1u);
    EXPECT_FALSE(rules.summarize(world.of(id_of(name))).follow_up);
    EXPECT_EQ(world.follow(rules, {id_of(name)}), 0u);
  }
  EXPECT_EQ(world.field(id_of('a'), "number"), "荷督整〔2025〕第1号");
  EXPECT_EQ(world.field(id_of('b'), "number"), "荷督整〔2025〕第2号");
}

TEST(DomainRules, CancelsAnEscalationThatWasNotNeeded) {
  World world;
  DomainRules rules;
  const RecordId problem = id_of('p');
  const RecordId escalation = id_of('e');
  world.create(problem, "problem",
               {{"school_id", "sch-001"}, {"severity", "general"}, {"state", "answered"}});
  world.create(escalation, "escalation",
               {{"problem_ids", {text_of(problem)}},
                {"kind", "escalation"},
                {"state", "open"},
                {"at", "2025-10-16T09:00:00+08:00"}});
  world.link("problem_ids", text_of(problem), escalation);
  const auto edit =
      edit_transition(*Schema::instance().find("problem"), "closed",
                      {{"at", "2025-10-09T10:30:00+08:00"}, {"effective_on", "2025-10-09"}},
                      {.person = "u-sup-001", .at = "2025-10-09T10:30:00+08:00"});
  ASSERT_TRUE(edit);
  world.apply(problem, "problem", *edit, "u-sup-001", false);
  EXPECT_TRUE(rules.summarize(world.of(problem)).follow_up);
  EXPECT_EQ(world.follow(rules, {problem}), 1u);
  EXPECT_EQ(rules.summarize(world.of(escalation)).state, "cancelled");
  EXPECT_EQ(world.follow(rules, {problem}), 0u);
}

TEST(DomainRules, WritesTimesInTheOneZoneOfChina) {
  EXPECT_EQ(china_time({0}), "1970-01-01T08:00:00+08:00");
  EXPECT_EQ(china_time(kNow), "2025-10-09T16:53:20+08:00");
}

}  // namespace
}  // namespace duhui::hub

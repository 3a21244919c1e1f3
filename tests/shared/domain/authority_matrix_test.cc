// Every type of record and every thing x every role x inside and outside its reach, against the
// tables of docs/authority.md.
#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "shared/domain/authority.h"
#include "shared/record/field_rule.h"

namespace duhui {
namespace {

using Cells = std::map<std::string, std::string>;  // by column
using Table = std::map<std::string, Cells>;        // by first column

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::stringstream stream(line.substr(1));
  for (std::string cell; std::getline(stream, cell, '|');) {
    const auto begin = cell.find_first_not_of(' ');
    cells.push_back(begin == std::string::npos
                        ? std::string()
                        : cell.substr(begin, cell.find_last_not_of(' ') - begin + 1));
  }
  return cells;
}

/// The table of the page whose header begins with these cells.
Table table_of(const std::string& first, const std::string& second) {
  std::ifstream page(std::string(DUHUI_TEST_DATA) + "/../../docs/authority.md");
  EXPECT_TRUE(page);
  Table table;
  std::vector<std::string> header;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("|")) {
      header.clear();
      continue;
    }
    const std::vector<std::string> cells = cells_of(line);
    if (cells.size() > 1 && cells[0].starts_with(first) && cells[1].starts_with(second)) {
      header = cells;
      continue;
    }
    if (header.empty() || cells[0].starts_with("---")) continue;
    for (std::size_t at = 1; at < std::min(cells.size(), header.size()); ++at) {
      table[cells[0]][header[at]] = cells[at];
    }
  }
  EXPECT_FALSE(table.empty()) << first;
  return table;
}

std::set<std::string> words_of(const std::string& list) {
  std::set<std::string> words;
  std::stringstream stream(list);
  for (std::string word; std::getline(stream, word, ',');) {
    words.insert(word.substr(word.find_first_not_of(' ')));
  }
  return words;
}

/// Group of every role of the schema.
std::map<record::v1::Role, std::string> groups() {
  std::map<record::v1::Role, std::string> out;
  const Table table = table_of("组 group", "角色 roles");
  for (const auto& [group, cells] : table) {
    for (const std::string& name : words_of(cells.at("角色 roles"))) {
      std::string upper = "ROLE_" + name;
      std::ranges::transform(upper, upper.begin(), [](char c) { return std::toupper(c); });
      record::v1::Role role{};
      EXPECT_TRUE(record::v1::Role_Parse(upper, &role)) << name;
      out[role] = group;
    }
  }
  return out;
}

Subject subject_in(const std::string& group, record::v1::Role role) {
  static const std::map<std::string, std::string> kScopes = {{"school", "city/d1/z1/sch-1"},
                                                             {"posted", "city/d1/z1"},
                                                             {"area", "city/d1/z1"},
                                                             {"chief", "city/d1"},
                                                             {"office", "city/d1"},
                                                             {"leader", "city/d1"},
                                                             {"upper", "city"},
                                                             {"section", "city/d1/sec-1"},
                                                             {"admin", "city"}};
  Subject subject{.kind = Subject::Kind::person,
                  .place = Subject::Place::hub,
                  .person = "u-1",
                  .grants = {{role, kScopes.at(group)}},
                  .today = "2025-10-09"};
  if (group == "school") subject.school_id = "sch-1";
  if (group == "posted") {
    subject.supervisor_id = "sup-1";
    subject.postings = {{"sch-1", "2025-09-01", ""}};
  }
  return subject;
}

bool is_of_school(const RecordSchema& schema) {
  static const std::set<std::string> kByLink = {"school",
                                                "comment",
                                                "conflict_note",
                                                "recheck",
                                                "rectification_response",
                                                "consultation_letter",
                                                "indicator_value"};
  return schema.descriptor->FindFieldByName("school_id") != nullptr ||
         kByLink.contains(schema.rule.name());
}

RecordFacts facts_of(const RecordSchema& schema, const std::string& group, bool inside) {
  RecordFacts facts{.schema = &schema};
  if (is_of_school(schema)) {
    facts.school_id = inside ? "sch-1" : "sch-9";
    facts.scope = inside ? "city/d1/z1/sch-1" : "city/d2/z9/sch-9";
    // Registries of schools stand with their district.
    const std::string& name = schema.rule.name();
    if (name == "school" || name == "assignment") facts.scope = inside ? "city/d1" : "city/d2";
    if (group == "upper" && !inside) facts.scope = "other/d2/z9/sch-9";
  } else {
    facts.scope = inside ? "city/d1" : "other/d9";
  }
  return facts;
}

std::vector<std::string> states_of(const RecordSchema& schema) {
  if (schema.rule.state().empty()) return {""};
  std::vector<std::string> states;
  const auto* values = schema.descriptor->FindFieldByName(schema.rule.state())->enum_type();
  for (int n = 1; n < values->value_count(); ++n) {
    states.push_back(identifier_of(*values->value(n)));
  }
  return states;
}

bool has(const std::string& cell, char letter) { return cell.find(letter) != std::string::npos; }

class Matrix : public testing::Test {
 protected:
  void check_inside(const RecordSchema& schema,
                    const std::string& group,
                    const Subject& subject,
                    const std::string& cell) {
    const std::string& name = schema.rule.name();
    for (const std::string& state : states_of(schema)) {
      for (const bool unannounced : {false, true}) {
        RecordFacts facts = facts_of(schema, group, true);
        facts.state = state;
        facts.unannounced = unannounced;
        const bool told = !told_.contains(name)
                              ? !unannounced || state == "done" || state == "confirmed"
                              : words_of(told_.at(name).at("states")).contains(state);
        const bool reads = has(cell, 'r') || (has(cell, 't') && told);
        judge(subject, Verb::read, facts, reads);
        judge(subject, Verb::edit, facts, reads && has(cell, 'e'));
        facts.people = {"u-1"};
        const bool named = reads || has(cell, 'n');
        judge(subject, Verb::read, facts, named);
        judge(subject, Verb::edit, facts, named && (has(cell, 'e') || has(cell, 'o')));
        if (group != "section") continue;
        facts.people.clear();
        facts.sections = {"sec-1"};
        judge(subject, Verb::read, facts, named);
      }
    }
    judge(subject, Verb::create, facts_of(schema, group, true), has(cell, 'c'));
  }

  void check_outside(const RecordSchema& schema, const std::string& group, const Subject& subject) {
    for (const std::string& state : states_of(schema)) {
      RecordFacts facts = facts_of(schema, group, false);
      facts.state = state;
      for (const Verb verb : {Verb::read, Verb::edit, Verb::decide, Verb::export_}) {
        judge(subject, verb, facts, false);
      }
    }
    judge(subject, Verb::create, facts_of(schema, group, false), false);
  }

  void judge(const Subject& subject, Verb verb, const RecordFacts& facts, bool expected) {
    ++judged_;
    const Ruling ruling = authorize(subject, verb, facts);
    EXPECT_EQ(ruling.allowed, expected)
        << to_string(verb) << " " << facts.schema->rule.name() << " by "
        << record::v1::Role_Name(subject.grants[0].role) << " in state '" << facts.state
        << "' scope " << facts.scope << (facts.people.empty() ? "" : " named") << ": "
        << ruling.reason;
    EXPECT_EQ(ruling.allowed, ruling.reason.empty());
  }

  const Table told_ = table_of("record", "states");
  int judged_ = 0;
};

TEST_F(Matrix, EveryTypeOfRecordForEveryRoleInsideAndOutside) {
  const Table table = table_of("record", "school");
  const auto group_of = groups();
  for (const auto& [number, schema] : Schema::instance().types()) {
    const auto row = table.find(schema.rule.name());
    ASSERT_TRUE(row != table.end()) << "docs/authority.md lacks " << schema.rule.name();
    EXPECT_NE(schema.rule.audience(), record::v1::AUDIENCE_UNSPECIFIED) << row->first;
    EXPECT_NE(schema.rule.school_sight(), record::v1::SCHOOL_SIGHT_UNSPECIFIED) << row->first;
    for (int n = 1; n < record::v1::Role_descriptor()->value_count(); ++n) {
      const auto role =
          static_cast<record::v1::Role>(record::v1::Role_descriptor()->value(n)->number());
      const auto group = group_of.find(role);
      ASSERT_TRUE(group != group_of.end()) << "docs/authority.md lacks a role: " << n;
      const Subject subject = subject_in(group->second, role);
      check_inside(schema, group->second, subject, row->second.at(group->second));
      check_outside(schema, group->second, subject);
    }
  }
  EXPECT_EQ(table.size(), Schema::instance().types().size()) << "a row for a type that is gone";
  EXPECT_GT(judged_, 10'000);
  RecordProperty("judged", judged_);
}

TEST_F(Matrix, TheStatesASchoolMayReadAreThoseOfThePage) {
  for (const auto& [number, schema] : Schema::instance().types()) {
    const auto& states = schema.rule.school_states();
    const std::set<std::string> stated(states.begin(), states.end());
    const auto row = told_.find(schema.rule.name());
    EXPECT_EQ(row == told_.end(), stated.empty()) << schema.rule.name();
    if (row != told_.end()) {
      EXPECT_EQ(words_of(row->second.at("states")), stated) << row->first;
    }
    const std::vector<std::string> all = states_of(schema);
    for (const std::string& state : stated) {
      EXPECT_TRUE(std::ranges::find(all, state) != all.end()) << schema.rule.name() << " " << state;
    }
  }
}

TEST_F(Matrix, OperatorsAndStrangers) {
  const Subject nobody{};
  const Subject hub{.kind = Subject::Kind::operator_, .place = Subject::Place::hub};
  const Subject agent{.kind = Subject::Kind::operator_, .place = Subject::Place::agent};
  for (const auto& [number, schema] : Schema::instance().types()) {
    for (const Verb verb : {Verb::read, Verb::create, Verb::edit, Verb::decide, Verb::export_}) {
      const RecordFacts facts = facts_of(schema, "office", true);
      EXPECT_EQ(authorize(nobody, verb, facts).reason, "sign_in");
      EXPECT_FALSE(authorize(agent, verb, facts)) << schema.rule.name();
      EXPECT_EQ(authorize(hub, verb, facts).allowed, schema.rule.name() != "credential");
    }
  }
}

TEST_F(Matrix, EveryThingForEveryRole) {
  const Table table = table_of("thing", "any");
  const auto group_of = groups();
  const std::map<char, Verb> verbs = {{'r', Verb::read}, {'x', Verb::export_}, {'m', Verb::manage}};
  const std::set<std::string> office = {"chief", "office", "leader", "upper"};
  for (int n = 0; n <= static_cast<int>(kLastThing); ++n) {
    const auto thing = static_cast<Thing>(n);
    const auto row = table.find(std::string(to_string(thing)));
    ASSERT_TRUE(row != table.end()) << "docs/authority.md lacks " << to_string(thing);
    const auto expect = [&](const Subject& subject, Verb verb, bool expected,
                            const std::string& who) {
      EXPECT_EQ(authorize(subject, verb, thing).allowed, expected)
          << to_string(verb) << " " << to_string(thing) << " by " << who;
    };
    const auto open = [&](const std::string& column, char letter) {
      return has(row->second.at(column), letter) || has(row->second.at(column), '*');
    };
    for (const auto& [letter, verb] : verbs) {
      expect({}, verb, open("any", letter), "nobody");
      expect({.kind = Subject::Kind::operator_, .place = Subject::Place::hub}, verb,
             open("hub op", letter), "hub op");
      expect({.kind = Subject::Kind::operator_, .place = Subject::Place::agent}, verb,
             open("agent op", letter), "agent op");
      for (const auto& [role, group] : group_of) {
        std::string name = record::v1::Role_Name(role).substr(5);
        std::ranges::transform(name, name.begin(), [](char c) { return std::tolower(c); });
        bool expected = open("person", letter);
        if (office.contains(group) && (group != "leader" || letter != 'm')) {
          expected = expected || open("office", letter);
        }
        if (group == "admin") expected = expected || open(name, letter);
        expect(subject_in(group, role), verb, expected, name);
      }
    }
  }
  EXPECT_EQ(table.size(), static_cast<std::size_t>(kLastThing) + 1);
}

TEST(Authority, AFormerSupervisorReadsWhatWasDatedInTheirTime) {
  const RecordSchema& visit = *Schema::instance().find("visit_record");
  Subject subject = subject_in("posted", record::v1::ROLE_RESPONSIBLE_SUPERVISOR);
  subject.postings = {{"sch-1", "2024-09-01", "2025-08-31"}};
  RecordFacts facts = facts_of(visit, "posted", true);
  facts.state = "submitted";
  facts.date = "2025-03-01";
  EXPECT_TRUE(authorize(subject, Verb::read, facts));
  facts.date = "2025-09-15";
  EXPECT_FALSE(authorize(subject, Verb::read, facts));
  facts.people = {"sup-1"};
  EXPECT_TRUE(authorize(subject, Verb::read, facts)) << "took part in it";
  // Who follows reads the school's whole history.
  subject.postings = {{"sch-1", "2025-09-01", ""}};
  facts.people.clear();
  facts.date = "2023-03-01";
  EXPECT_TRUE(authorize(subject, Verb::read, facts));
}

TEST(Authority, HidesScoresFromTheSchoolAndComplainantsFromAllButTheOffice) {
  const RecordSchema& visit = *Schema::instance().find("visit_record");
  RecordFacts facts = facts_of(visit, "office", true);
  facts.state = "submitted";
  const auto hidden = [](const RecordSchema& schema, const char* name) {
    for (const auto& [number, field] : schema.fields) {
      if (field.field->name() == name) return field.rule;
    }
    return record::v1::FieldRule();
  };
  const Subject contact = subject_in("school", record::v1::ROLE_SCHOOL_CONTACT);
  const Subject officer = subject_in("office", record::v1::ROLE_DISTRICT_OFFICER);
  Subject supervisor = subject_in("posted", record::v1::ROLE_RESPONSIBLE_SUPERVISOR);
  EXPECT_TRUE(authorize(contact, Verb::read, facts));
  EXPECT_FALSE(authorize_field(contact, facts, hidden(visit, "scores")));
  EXPECT_TRUE(authorize_field(supervisor, facts, hidden(visit, "scores")));
  EXPECT_TRUE(authorize_field(contact, facts, hidden(visit, "visit_date")));

  const RecordSchema& complaint = *Schema::instance().find("complaint");
  facts = facts_of(complaint, "office", true);
  facts.people = {"u-1"};  // handed to the supervisor
  EXPECT_TRUE(authorize(supervisor, Verb::read, facts));
  EXPECT_FALSE(authorize_field(supervisor, facts, hidden(complaint, "complainant_name")));
  EXPECT_TRUE(authorize_field(officer, facts, hidden(complaint, "complainant_name")));
}

TEST(Authority, SeveralRolesAddUp) {
  const RecordSchema& visit = *Schema::instance().find("visit_record");
  Subject both = subject_in("school", record::v1::ROLE_PRINCIPAL);
  both.grants.push_back({record::v1::ROLE_DISTRICT_OFFICER, "city/d2"});
  RecordFacts facts = facts_of(visit, "office", false);
  facts.state = "draft";
  EXPECT_TRUE(authorize(both, Verb::read, facts));
  facts = facts_of(visit, "office", true);
  facts.state = "draft";
  EXPECT_FALSE(authorize(both, Verb::read, facts));
}

}  // namespace
}  // namespace duhui

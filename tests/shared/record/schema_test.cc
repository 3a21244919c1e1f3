#include "shared/merge/schema.h"

#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "shared/merge/record_files.h"
#include "shared/record/field_rule.h"

namespace duhui {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using record::v1::FieldRule;

void for_each_record(const std::function<void(const RecordSchema&)>& check) {
  ASSERT_GE(Schema::instance().types().size(), 31u);
  for (const auto& [type, schema] : Schema::instance().types()) {
    SCOPED_TRACE(schema.rule.name());
    check(schema);
  }
}

void for_each_enum(const std::function<void(const EnumDescriptor&)>& check) {
  for (const auto* file : record_files()) {
    for (int i = 0; i < file->enum_type_count(); ++i) check(*file->enum_type(i));
    for (int d = 0; d < file->dependency_count(); ++d) {
      for (int i = 0; i < file->dependency(d)->enum_type_count(); ++i) {
        if (file->dependency(d)->package() == file->package()) {
          check(*file->dependency(d)->enum_type(i));
        }
      }
    }
  }
}

TEST(RecordSchema, HasARecordRuleWithItsOwnNumberAndNameForEveryType) {
  std::set<std::uint32_t> numbers;
  std::set<std::string> names;
  for (const auto* file : record_files()) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      const auto& options = file->message_type(i)->options();
      if (!options.HasExtension(record::v1::record)) continue;
      const auto& rule = options.GetExtension(record::v1::record);
      EXPECT_NE(rule.type(), 0u) << rule.name();
      EXPECT_TRUE(numbers.insert(rule.type()).second) << rule.name() << ": number used twice";
      EXPECT_TRUE(names.insert(rule.name()).second) << rule.name() << ": name used twice";
    }
  }
  EXPECT_EQ(numbers.size(), Schema::instance().types().size());
}

TEST(RecordSchema, SaysHowEveryFieldMergesAndWhoMayWriteIt) {
  for_each_record([](const RecordSchema& schema) {
    for (const auto& [number, field] : schema.fields) {
      EXPECT_NE(field.rule.policy(), record::v1::POLICY_UNSPECIFIED) << field.field->full_name();
      const bool derived = field.rule.policy() == record::v1::POLICY_DERIVED;
      EXPECT_EQ(field.rule.writers().empty(), derived) << field.field->full_name();
    }
  });
}

TEST(RecordSchema, UsesAPolicyThatFitsTheShapeOfTheField) {
  for_each_record([](const RecordSchema& schema) {
    for (const auto& [number, field] : schema.fields) {
      const auto policy = field.rule.policy();
      const std::string name = field.field->full_name();
      const bool list = field.field->is_repeated() && !field.field->is_map();
      if (policy == record::v1::POLICY_APPEND || policy == record::v1::POLICY_UNION) {
        EXPECT_TRUE(list) << name;
      }
      if (policy == record::v1::POLICY_PER_AUTHOR) {
        EXPECT_TRUE(field.field->is_repeated()) << name;
      }
      EXPECT_TRUE(!field.rule.role_first() || policy == record::v1::POLICY_MAX) << name;
      EXPECT_TRUE(!field.rule.machine() || policy != record::v1::POLICY_ASK) << name;
    }
  });
}

TEST(RecordSchema, NamesTheKeyOfEveryKeyedElement) {
  for_each_record([](const RecordSchema& schema) {
    for (const auto& [number, field] : schema.fields) {
      if (field.shape != FieldSchema::Shape::elements) {
        EXPECT_TRUE(field.rule.key().empty()) << field.field->full_name();
        continue;
      }
      const Descriptor* element = field.field->message_type();
      EXPECT_EQ(field.rule.key().empty(), element == nullptr) << field.field->full_name();
      for (const std::string& key : key_fields(*field.field)) {
        ASSERT_NE(element->FindFieldByName(key), nullptr) << field.field->full_name() << ' ' << key;
      }
      if (!field.rule.keyed_json()) continue;
      ASSERT_NE(element->FindFieldByName("value"), nullptr) << field.field->full_name();
      EXPECT_EQ(static_cast<std::size_t>(element->field_count()),
                key_fields(*field.field).size() + 1);
    }
  });
}

TEST(RecordSchema, GivesTheFieldsOfAGroupTheSameRule) {
  for_each_record([](const RecordSchema& schema) {
    std::map<std::uint32_t, std::vector<const FieldSchema*>> groups;
    for (const auto& [number, field] : schema.fields) {
      if (field.rule.group() != 0) groups[field.rule.group()].push_back(&field);
    }
    for (const auto& [group, fields] : groups) {
      EXPECT_GE(fields.size(), 2u) << "group " << group;
      for (const FieldSchema* field : fields) {
        FieldRule rule = field->rule;
        FieldRule first = fields.front()->rule;
        rule.clear_path();
        first.clear_path();
        rule.clear_decides();
        rule.clear_personal();
        first.clear_personal();
        first.clear_decides();
        EXPECT_EQ(rule.SerializeAsString(), first.SerializeAsString()) << field->field->full_name();
        EXPECT_EQ(field->register_field, fields.front()->register_field);
        EXPECT_FALSE(field->field->is_repeated()) << field->field->full_name();
      }
    }
  });
}

TEST(RecordSchema, NamesExistingFieldsForStateAndReadableId) {
  for_each_record([](const RecordSchema& schema) {
    EXPECT_EQ(schema.rule.state_field().empty(), schema.rule.state().empty());
    if (!schema.rule.state_field().empty()) {
      const auto* events = schema.descriptor->FindFieldByName(schema.rule.state_field());
      ASSERT_NE(events, nullptr);
      EXPECT_EQ(rule_of(*events).policy(), record::v1::POLICY_APPEND);
      EXPECT_TRUE(rule_of(*events).open_when_frozen());
      const auto* state = schema.descriptor->FindFieldByName(schema.rule.state());
      ASSERT_NE(state, nullptr);
      EXPECT_EQ(rule_of(*state).policy(), record::v1::POLICY_DERIVED);
      EXPECT_EQ(state->type(), FieldDescriptor::TYPE_ENUM);
    }
    std::string names = schema.rule.id_fields();
    for (char& c : names) c = c == '@' ? ',' : c;
    if (names.empty()) {
      const auto* id = schema.descriptor->FindFieldByName("id");
      ASSERT_NE(id, nullptr);
      EXPECT_EQ(rule_of(*id).policy(), record::v1::POLICY_DERIVED);
      return;
    }
    for (const std::string& name : split_text(names, ',')) {
      EXPECT_NE(schema.descriptor->FindFieldByName(name), nullptr) << name;
    }
  });
}

TEST(RecordSchema, StartsEveryEnumWithUnspecified) {
  for_each_enum([](const EnumDescriptor& type) {
    EXPECT_EQ(type.value(0)->number(), 0) << type.full_name();
    EXPECT_EQ(identifier_of(*type.value(0)), "unspecified") << type.full_name();
    for (int i = 1; i < type.value_count(); ++i) {
      const auto* found = find_identifier(type, identifier_of(*type.value(i)));
      EXPECT_EQ(found, type.value(i)) << type.full_name();
    }
  });
}

TEST(RecordSchema, MarksWhatNamesAPersonAsPersonal) {
  for (const char* name : {"principal_name", "contact_name", "phone"}) {
    const auto* field =
        Schema::instance().find("school_profile")->descriptor->FindFieldByName(name);
    EXPECT_TRUE(rule_of(*field).personal()) << name;
  }
  for (const char* name : {"name", "phone", "badge_no", "photo"}) {
    const auto* field = Schema::instance().find("supervisor")->descriptor->FindFieldByName(name);
    EXPECT_TRUE(rule_of(*field).personal()) << name;
  }
  for (const char* name : {"complainant_name", "complainant_contact"}) {
    const auto* field = Schema::instance().find("complaint")->descriptor->FindFieldByName(name);
    EXPECT_TRUE(rule_of(*field).personal()) << name;
  }
}

TEST(RecordSchema, KeepsComplaintsLettersAndAuditAtTheHub) {
  std::set<std::string> at_hub;
  for (const auto& [type, schema] : Schema::instance().types()) {
    if (schema.rule.hub_only()) at_hub.insert(schema.rule.name());
  }
  EXPECT_EQ(at_hub, (std::set<std::string>{"audit_event", "complaint", "consultation_letter"}));
}

/// Every number ever given away, with what it means: "problem.title 7", "VisitKind.routine 1".
std::map<std::string, std::string> numbers_in_use() {
  std::map<std::string, std::string> numbers;
  std::function<void(const Descriptor&)> add = [&](const Descriptor& type) {
    for (int i = 0; i < type.field_count(); ++i) {
      const auto& field = *type.field(i);
      const std::string place = type.name() + "." + std::to_string(field.number());
      if (!numbers.emplace(place, field.name()).second) continue;
      const auto* inner = field.message_type();
      if (inner != nullptr && !inner->options().map_entry()) add(*inner);
    }
  };
  for (const auto& [type, schema] : Schema::instance().types()) {
    numbers["record." + std::to_string(type)] = schema.rule.name();
    add(*schema.descriptor);
  }
  for_each_enum([&](const EnumDescriptor& type) {
    for (int i = 0; i < type.value_count(); ++i) {
      const auto& value = *type.value(i);
      numbers[type.name() + "." + std::to_string(value.number())] = identifier_of(value);
    }
  });
  return numbers;
}

TEST(RecordSchema, NeverGivesANumberASecondMeaning) {
  // "<place>.<number> <name>" per line; a name once used and removed stays as "<name> (removed)".
  std::ifstream file(std::string(DUHUI_TEST_DATA) + "/../shared/record/schema_numbers.txt");
  ASSERT_TRUE(file);
  std::map<std::string, std::string> known;
  for (std::string line; std::getline(file, line);) {
    const auto space = line.find(' ');
    if (space == std::string::npos) continue;
    EXPECT_TRUE(known.emplace(line.substr(0, space), line.substr(space + 1)).second) << line;
  }
  const auto in_use = numbers_in_use();
  for (const auto& [place, name] : in_use) {
    const auto found = known.find(place);
    EXPECT_TRUE(found != known.end()) << "add to schema_numbers.txt: " << place << ' ' << name;
    EXPECT_TRUE(found == known.end() || found->second == name) << place << ' ' << found->second;
  }
  for (const auto& [place, name] : known) {
    const bool removed = name.ends_with(" (removed)");
    EXPECT_EQ(in_use.count(place), removed ? 0u : 1u) << place << ' ' << name;
  }
}

}  // namespace
}  // namespace duhui

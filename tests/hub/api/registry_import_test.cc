#include "hub/api/registry_import.h"

#include "hub/app/registry_files.h"
#include "tests/hub/api/memory_access.h"

namespace duhui::hub {
namespace {

using testing::Json;
using testing::TestHub;

std::map<std::string, std::uint64_t> import_sample(TestHub& hub) {
  const auto folder = read_registry_folder(DUHUI_TEST_DATA);
  EXPECT_TRUE(folder) << folder.error().detail;
  std::map<std::string, std::uint64_t> counts;
  if (!folder) return counts;
  for (const RegistryFile& file : folder->files) {
    const Json taken = hub.posted("/import", {{"kind", file.kind}, {"rows", Json(file.rows)}});
    for (const char* name : {"rows", "created", "changed", "unchanged"}) {
      counts[name] += taken.value(name, std::uint64_t{0});
    }
  }
  return counts;
}

TEST(RegistryImport, TakesTheWholeSampleDataAndWritesNothingTheSecondTime) {
  TestHub hub;
  const auto first = import_sample(hub);
  EXPECT_EQ(first.at("created"), first.at("rows"));
  EXPECT_GT(first.at("rows"), 1450u);
  const Json ops = hub.got("/status")["ops"];
  const auto second = import_sample(hub);
  EXPECT_EQ(second.at("unchanged"), second.at("rows"));
  EXPECT_EQ(hub.got("/status")["ops"], ops);
  EXPECT_EQ(hub.posted("/verify", Json::object())["ok"], true);
}

TEST(RegistryImport, PutsRegistriesWhereTheirReadersAre) {
  TestHub hub;
  import_sample(hub);
  EXPECT_EQ(hub.got("/records/u-sup-001?type=user")["scope"], "org-430200");
  EXPECT_EQ(hub.got("/records/org-430000?type=org")["scope"], "org-430200");
  EXPECT_EQ(hub.got("/records/sch-001?type=school")["scope"], "org-430200/org-430202");
  EXPECT_EQ(hub.got("/records/sch-001?type=school_profile")["scope"], "org-430200/org-430202");
  EXPECT_EQ(hub.got("/records/asg-0001?type=assignment")["scope"], "org-430200/org-430202");
  EXPECT_EQ(hub.got("/records/TPL_SAFETY@1?type=template")["scope"], "org-430200");
  EXPECT_EQ(hub.got("/records/task-001?type=task")["scope"],
            "org-430200/org-430202/zone-430202-1/sch-004");
  EXPECT_EQ(hub.got("/records/draw-2025-01?type=sample_draw")["scope"], "org-430200");
}

TEST(RegistryImport, WritesOnlyWhatARowSaysDifferently) {
  TestHub hub;
  hub.furnish();
  const Json row = {
      {"id", "sch-001"}, {"name", "新名字"}, {"code", "9430202001"}, {"district_id", "org-430202"}};
  const Json taken = hub.posted("/import", {{"kind", "schools"}, {"rows", {row}}});
  EXPECT_EQ(taken["changed"], 1);
  const Json shown = hub.got("/records/sch-001?type=school")["value"];
  EXPECT_EQ(shown["name"], "新名字");
  EXPECT_FALSE(shown.contains("zone_id"));  // the row has it no longer
}

TEST(RegistryImport, LeavesAloneWhatPeopleChangedSince) {
  TestHub hub;
  hub.furnish();
  const Json rows = {{{"school_id", "sch-001"}, {"phone", "00020000007"}}};
  hub.import("school_profiles", rows);
  hub.posted("/records/sch-001/edits?type=school_profile",
             {{"as", "u-con-001"},
              {"edits", {{{"do", "set"}, {"field", "phone"}, {"value", "00020000008"}}}}});
  const Json again = hub.posted("/import", {{"kind", "school_profiles"}, {"rows", rows}});
  EXPECT_EQ(again["unchanged"], 1);
  EXPECT_EQ(hub.got("/records/sch-001?type=school_profile")["value"]["phone"], "00020000008");
}

TEST(RegistryImport, NamesTheRowThatIsWrongAndSavesNone) {
  TestHub hub;
  hub.furnish();
  const Json before = hub.got("/status")["ops"];
  const auto wrong = hub.post(
      "/import",
      {{"kind", "schools"},
       {"rows",
        {{{"id", "sch-003"}, {"district_id", "org-430202"}}, {{"id", "sch-004"}, {"cats", 3}}}}});
  EXPECT_EQ(wrong.status, 400);
  EXPECT_TRUE(wrong.body["error"]["detail"].get<std::string>().starts_with("row 2: unknown_field"));
  const auto orphan =
      hub.post("/import",
               {{"kind", "assignments"}, {"rows", {{{"id", "asg-1"}, {"school_id", "sch-999"}}}}});
  EXPECT_EQ(orphan.status, 400);
  EXPECT_EQ(hub.got("/status")["ops"], before);
}

TEST(RegistryImport, NeedsTheCityBeforeAnythingElse) {
  TestHub hub;
  const auto early = hub.post("/import", {{"kind", "users"}, {"rows", {{{"id", "u-1"}}}}});
  EXPECT_EQ(early.status, 400);
  const auto no_city =
      hub.post("/import", {{"kind", "orgs"}, {"rows", {{{"id", "org-1"}, {"kind", "district"}}}}});
  EXPECT_EQ(no_city.status, 400);
}

}  // namespace
}  // namespace duhui::hub

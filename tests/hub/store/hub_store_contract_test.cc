// What every HubStore must do, on the fake and on the real adapter: streams, batches and records.

#include "tests/hub/store/hub_store_contract.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hub/ports/store_limits.h"

namespace duhui::hub {
namespace {

INSTANTIATE_TEST_SUITE_P(Stores, HubStoreContract, every_kind(), [](const auto& instance) {
  return instance.param.name;
});

TEST_P(HubStoreContract, IsEmptyAtFirst) {
  read([](HubTransaction& tables) {
    EXPECT_EQ(value(tables.streams().get(origin(1))), std::nullopt);
    EXPECT_EQ(value(tables.streams().batch_at(origin(1), 1)), std::nullopt);
    EXPECT_EQ(value(tables.records().get(record_id(1))), std::nullopt);
    EXPECT_TRUE(value(tables.records().find({})).empty());
    EXPECT_EQ(value(tables.feed().head("a")).through, 0u);
    EXPECT_EQ(value(tables.feed().first_kept("a")), 1u);
    EXPECT_TRUE(value(tables.feed().scopes()).empty());
    EXPECT_TRUE(value(tables.devices().all()).empty());
    EXPECT_TRUE(value(tables.review().conflicts("", 10)).empty());
    EXPECT_EQ(value(tables.settings().get("epoch")), std::nullopt);
  });
}

TEST_P(HubStoreContract, KeepsStreamsAndListsThoseOfADeviceInOrder) {
  StreamRow a{.origin = origin(2), .device = device(7), .head = 5, .chain = std::string(32, '\0')};
  const StreamRow b{.origin = origin(1), .device = device(7)};
  const StreamRow other{.origin = origin(3), .device = device(8)};
  a.backed_up = 3;
  write_then_see(
      [&](HubTransaction& tables) -> Status {
        for (const auto& row : {a, b, other}) DUHUI_CHECK_OK(tables.streams().put(row));
        return Done{};
      },
      [&](HubTransaction& tables) {
        EXPECT_EQ(value(tables.streams().get(origin(2))), a);
        EXPECT_EQ(value(tables.streams().of_device(device(7))), (std::vector{b, a}));
        EXPECT_TRUE(value(tables.streams().of_device(device(9))).empty());
      });
  a.head = 9;
  write_then_see(
      [&](HubTransaction& tables) { return tables.streams().put(a); },
      [&](HubTransaction& tables) { EXPECT_EQ(value(tables.streams().get(origin(2)))->head, 9u); });
}

TEST_P(HubStoreContract, FindsTheBatchThatHoldsASeq) {
  const BatchRow low = batch(origin(1), 1, 10);
  const BatchRow high = batch(origin(1), 21, 5);  // 11..20 were destroyed
  const BatchRow other = batch(origin(2), 1, 100);
  write_then_see(
      [&](HubTransaction& tables) -> Status {
        for (const auto& row : {low, high, other}) DUHUI_CHECK_OK(tables.streams().add_batch(row));
        return Done{};
      },
      [&](HubTransaction& tables) {
        StreamTable& streams = tables.streams();
        for (const std::uint64_t seq : {1u, 7u, 10u})
          EXPECT_EQ(value(streams.batch_at(origin(1), seq)), low) << seq;
        for (const std::uint64_t seq : {21u, 25u})
          EXPECT_EQ(value(streams.batch_at(origin(1), seq)), high) << seq;
        for (const std::uint64_t seq : {0ull, 11ull, 20ull, 26ull, ~0ull})
          EXPECT_EQ(value(streams.batch_at(origin(1), seq)), std::nullopt) << seq;
      });
}

TEST_P(HubStoreContract, RefusesABatchThatOverlapsAnother) {
  write(
      [](HubTransaction& tables) { return tables.streams().add_batch(batch(origin(1), 11, 10)); });
  for (const auto& [first, count] :
       std::map<std::uint64_t, std::uint32_t>{{5, 7}, {11, 10}, {12, 1}, {20, 4}, {1, 40}}) {
    EXPECT_EQ(refusal_of([&, from = first, n = count](HubTransaction& tables) {
                return tables.streams().add_batch(batch(origin(1), from, n));
              }),
              ErrorCode::conflict)
        << first;
  }
  write([](HubTransaction& tables) { return tables.streams().add_batch(batch(origin(1), 1, 10)); });
  write([](HubTransaction& tables) { return tables.streams().add_batch(batch(origin(1), 21, 1)); });
}

TEST_P(HubStoreContract, RefusesAnEmptyBatchAndOneBeyondAllNumbers) {
  EXPECT_EQ(refusal_of([](HubTransaction& tables) {
              return tables.streams().add_batch(batch(origin(1), 1, 0));
            }),
            ErrorCode::invalid_input);
  EXPECT_EQ(refusal_of([](HubTransaction& tables) {
              return tables.streams().add_batch(batch(origin(1), 0, 1));
            }),
            ErrorCode::invalid_input);
  EXPECT_EQ(refusal_of([](HubTransaction& tables) {
              return tables.streams().add_batch(batch(origin(1), ~0ull, 1));
            }),
            ErrorCode::limit_exceeded);
}

TEST_P(HubStoreContract, KeepsLargePayloadsAndZeroBytes) {
  BatchRow row = batch(origin(1), 1, 1);
  row.payload = std::string(kStorePayloadMax, '\0');
  row.payload[12'345] = 'x';
  row.signature.clear();
  const std::string key("a\0b", 3);
  write_then_see(
      [&](HubTransaction& tables) -> Status {
        DUHUI_CHECK_OK(tables.streams().add_batch(row));
        DUHUI_CHECK_OK(tables.settings().put(key, std::string("\0", 1)));
        return tables.settings().put("a", "");
      },
      [&](HubTransaction& tables) {
        EXPECT_TRUE(value(tables.streams().batch_at(origin(1), 1)) == row);
        EXPECT_EQ(value(tables.settings().get(key)), std::string("\0", 1));
        EXPECT_EQ(value(tables.settings().get("a")), "");
      });
  row.payload += 'x';
  row.first_seq = 2;
  EXPECT_EQ(refusal_of([&](HubTransaction& tables) { return tables.streams().add_batch(row); }),
            ErrorCode::limit_exceeded);
}

TEST_P(HubStoreContract, GivesARecordBackAsItWasPut) {
  RecordRow row = record(1, "city/district/zone/school");
  row.date = "2025-09-01";
  row.born = true;
  row.deleted = true;
  row.open_conflicts = 2;
  row.checksum = ~0ull;
  row.ops.push_back({{origin(2), 1ull << 40}, {-1, sync::v1::TIME_QUALITY_GOOD, 3, true}});
  row.ops.push_back(
      {{origin(2), 1}, {1'700'000'000'000, sync::v1::TIME_QUALITY_CLAMPED, 0, false}});
  RecordRow shell;
  shell.id = record_id(2);
  RecordRow strange = record(3, std::string("x\0y", 3));
  strange.date = "2025-02-30";
  strange.state = std::string(kStoreTextMax, 's');
  write_then_see(
      [&](HubTransaction& tables) -> Status {
        for (const auto& each : {row, shell, strange}) DUHUI_CHECK_OK(tables.records().put(each));
        return Done{};
      },
      [&](HubTransaction& tables) {
        for (const auto& each : {row, shell, strange})
          EXPECT_EQ(value(tables.records().get(each.id)), each);
        const auto many = value(tables.records().get_many({shell.id, record_id(9), row.id}));
        ASSERT_EQ(many.size(), 3u);
        EXPECT_EQ(many[0], shell);
        EXPECT_EQ(many[1], std::nullopt);
        EXPECT_EQ(many[2], row);
      });
}

TEST_P(HubStoreContract, ReplacesARecordInEveryQuery) {
  RecordRow row = record(1, "c/a");
  row.date = "2025-09-01";
  row.open_conflicts = 1;
  write([&](HubTransaction& tables) { return tables.records().put(row); });
  row.scope = "c/b";
  row.school_id = "s9";
  row.state = "done";
  row.date = "2025-10-01";
  row.type = 4;
  row.open_conflicts = 0;
  row.ops.push_back({{origin(1), 2}, {}});
  write_then_see(
      [&](HubTransaction& tables) -> Status {
        DUHUI_CHECK_OK(tables.records().put(row));
        return tables.records().put(row);
      },
      [&](HubTransaction& tables) {
        EXPECT_EQ(value(tables.records().get(row.id)), row);
        EXPECT_TRUE(value(tables.records().walk("c/a", {}, 9)).empty());
        EXPECT_EQ(value(tables.records().walk("c/b", {}, 9)), std::vector{row});
        EXPECT_TRUE(value(tables.records().find({.only_conflicts = true})).empty());
        EXPECT_EQ(value(tables.records().find({.school_id = "s9"})), std::vector{row});
        EXPECT_EQ(value(tables.records().find({.type = 4, .date_from = "2025-10"})),
                  std::vector{row});
        EXPECT_TRUE(value(tables.records().find({.type = 4, .date_to = "2025-09-30"})).empty());
      });
}

TEST_P(HubStoreContract, RefusesTheZeroIdAndTooLongTexts) {
  EXPECT_EQ(refusal_of([](HubTransaction& tables) { return tables.records().put({}); }),
            ErrorCode::invalid_input);
  RecordRow row = record(1, std::string(kStoreTextMax + 1, 'a'));
  EXPECT_EQ(refusal_of([&](HubTransaction& tables) { return tables.records().put(row); }),
            ErrorCode::limit_exceeded);
}

TEST_P(HubStoreContract, WalksAScopeInIdOrderAndResumes) {
  write([](HubTransaction& tables) -> Status {
    for (const std::uint32_t n : {5u, 1u, 4u, 2u, 3u})
      DUHUI_CHECK_OK(tables.records().put(record(n, n == 4 ? "c/b" : "c/a")));
    RecordRow high = record(6, "c/a");  // bytes sort unsigned
    high.id.bytes[0] = static_cast<char>(0xff);
    DUHUI_CHECK_OK(tables.records().put(high));
    return tables.records().put(record(7, "c/a/below"));
  });
  read([](HubTransaction& tables) {
    const auto first = value(tables.records().walk("c/a", {}, 3));
    ASSERT_EQ(first.size(), 3u);
    EXPECT_EQ(first[0].id, record_id(1));
    EXPECT_EQ(first[2].id, record_id(3));
    const auto rest = value(tables.records().walk("c/a", first[2].id, 3));
    ASSERT_EQ(rest.size(), 2u);
    EXPECT_EQ(rest[0].id, record_id(5));
    EXPECT_TRUE(value(tables.records().walk("c/a", rest[1].id, 3)).empty());
    EXPECT_TRUE(value(tables.records().walk("c", {}, 3)).empty());
    EXPECT_TRUE(value(tables.records().walk("c/a", {}, 0)).empty());
  });
}

/// Sixty records in twenty schools of four districts; everything varies.
std::vector<RecordRow> many_records() {
  std::vector<RecordRow> rows;
  for (std::uint32_t n = 1; n <= 60; ++n) {
    const std::string school = std::to_string(n % 20);
    RecordRow row = record(n, "c/d" + std::to_string(n % 4) + "/s" + school);
    row.type = 1 + n % 3;
    row.school_id = n % 7 == 0 ? "" : school;
    row.state = n % 2 == 0 ? "draft" : "submitted";
    row.date = n % 5 == 0 ? "" : "2025-09-" + std::to_string(10 + n % 15);
    if (n % 11 == 0) row.date = "2025-09-17T10:00:00+08:00";
    row.open_conflicts = n % 6 == 0 ? 1 : 0;
    rows.push_back(row);
  }
  rows.push_back(record(70, "c/d1x"));  // not below c/d1
  rows.push_back(record(71, "c/d1"));
  rows.push_back(record(72, ""));
  return rows;
}

bool wanted(const RecordRow& row, const RecordTable::Query& query) {
  const bool dated = !query.date_from.empty() || !query.date_to.empty();
  const std::string& prefix = query.scope_prefix;
  return (query.type == 0 || row.type == query.type) &&
         (prefix.empty() || row.scope == prefix ||
          (query.below && row.scope.rfind(prefix + "/", 0) == 0)) &&
         (query.school_id.empty() || row.school_id == query.school_id) &&
         (query.state.empty() || row.state == query.state) &&
         (!dated || (!row.date.empty() && row.date >= query.date_from)) &&
         (query.date_to.empty() || row.date <= query.date_to) &&
         (!query.only_conflicts || row.open_conflicts > 0) && row.id > query.after;
}

TEST_P(HubStoreContract, AnswersEveryCombinationOfFiltersInIdOrder) {
  const auto rows = many_records();
  write([&](HubTransaction& tables) -> Status {
    for (const auto& row : rows) DUHUI_CHECK_OK(tables.records().put(row));
    return Done{};
  });
  int matched = 0;
  for (std::uint32_t mix = 0; mix < 1024; ++mix) {
    RecordTable::Query query;
    if ((mix & 1) != 0) query.type = 2;
    if ((mix & 2) != 0) query.scope_prefix = "c/d1";
    if ((mix & 4) != 0) query.scope_prefix = "c";  // more scopes than are walked one by one
    if ((mix & 8) != 0) query.school_id = "5";
    if ((mix & 16) != 0) query.state = "submitted";
    if ((mix & 32) != 0) query.date_from = "2025-09-14";
    if ((mix & 64) != 0) query.date_to = "2025-09-17";
    if ((mix & 128) != 0) query.only_conflicts = true;
    if ((mix & 256) != 0) query.after = record_id(9);
    if ((mix & 512) != 0) query.below = false;
    query.limit = mix % 3 == 0 ? 4 : 1000;
    std::vector<RecordId> expected;
    for (const auto& row : rows) {
      if (wanted(row, query) && expected.size() < query.limit) expected.push_back(row.id);
    }
    EXPECT_EQ(found(query), expected) << "mix " << mix;
    matched += static_cast<int>(expected.size());
  }
  EXPECT_GT(matched, 1000);
  EXPECT_TRUE(found({.school_id = "nowhere"}).empty());
  EXPECT_TRUE(found({.scope_prefix = "nowhere"}).empty());
}

TEST_P(HubStoreContract, ComparesDatesByteByByte) {
  const std::vector<std::string> dates{"1999-12-31",       "2000-01-01", "2000-02-29", "2025",
                                       "2025-09-01 08:00", "2025-09-31", "9999-12-31", "x",
                                       "0000-01-01"};
  write([&](HubTransaction& tables) -> Status {
    std::uint32_t n = 0;
    for (const std::string& date : dates) {
      RecordRow row = record(++n, "c");
      row.date = date;
      DUHUI_CHECK_OK(tables.records().put(row));
    }
    return Done{};
  });
  for (const std::string& from : dates) {
    for (const std::string& to : dates) {
      std::vector<RecordId> expected;
      for (std::size_t n = 0; n < dates.size(); ++n) {
        if (dates[n] >= from && dates[n] <= to)
          expected.push_back(record_id(static_cast<std::uint32_t>(n + 1)));
      }
      EXPECT_EQ(found({.type = 1, .date_from = from, .date_to = to}), expected)
          << from << " " << to;
    }
  }
}

}  // namespace
}  // namespace duhui::hub

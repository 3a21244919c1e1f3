// What every HubStore must do, continued: links, feeds, devices, review, settings, transactions.

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "hub/ports/store_limits.h"
#include "tests/hub/store/hub_store_contract.h"

namespace duhui::hub {
namespace {

class HubStoreContractOfTables : public HubStoreContract {};

INSTANTIATE_TEST_SUITE_P(Stores, HubStoreContractOfTables, every_kind(), [](const auto& instance) {
  return instance.param.name;
});

TEST_P(HubStoreContractOfTables, LinksOnce) {
  write_then_see(
      [](HubTransaction& tables) -> Status {
        for (const std::uint32_t n : {3u, 1u, 1u, 2u})
          DUHUI_CHECK_OK(tables.records().link(record_id(n), "notice_id", n == 2 ? "N2" : "N1"));
        return Done{};
      },
      [](HubTransaction& tables) {
        EXPECT_EQ(value(tables.records().linked_to("notice_id", "N1")),
                  (std::vector{record_id(1), record_id(3)}));
        EXPECT_TRUE(value(tables.records().linked_to("notice_id", "N")).empty());
        EXPECT_TRUE(value(tables.records().linked_to("other", "N1")).empty());
      });
}

TEST_P(HubStoreContractOfTables, AppendsToAFeedInOrderOnly) {
  const FeedRow first = run("c/a", 1, 10, 1);
  const FeedRow second = run("c/a", 11, 5, 11);
  write_then_see(
      [&](HubTransaction& tables) -> Status {
        DUHUI_CHECK_OK(tables.feed().append(first));
        DUHUI_CHECK_OK(tables.feed().append(second));
        return tables.feed().append(run("c/b", 1, 1, 16));
      },
      [&](HubTransaction& tables) {
        EXPECT_EQ(value(tables.feed().head("c/a")).through, 15u);
        EXPECT_EQ(value(tables.feed().head("c/a")).checksum, second.checksum_after);
        EXPECT_EQ(value(tables.feed().read("c/a", 0, 9)), (std::vector{first, second}));
        EXPECT_EQ(value(tables.feed().read("c/a", 0, 1)), std::vector{first});
        EXPECT_EQ(value(tables.feed().read("c/a", 9, 9)), (std::vector{first, second}));
        EXPECT_EQ(value(tables.feed().read("c/a", 10, 9)), std::vector{second});
        EXPECT_EQ(value(tables.feed().read("c/a", 14, 9)), std::vector{second});
        EXPECT_TRUE(value(tables.feed().read("c/a", 15, 9)).empty());
        EXPECT_TRUE(value(tables.feed().read("c/a", ~0ull, 9)).empty());
        EXPECT_EQ(value(tables.feed().scopes()), (std::vector<std::string>{"c/a", "c/b"}));
      });
  for (const std::uint64_t position : {1u, 11u, 15u, 17u}) {
    EXPECT_EQ(refusal_of([&](HubTransaction& tables) {
                return tables.feed().append(run("c/a", position, 1, 99));
              }),
              ErrorCode::conflict)
        << position;
  }
  EXPECT_EQ(refusal_of([&](HubTransaction& tables) {
              return tables.feed().append(run("c/a", 16, 0, 99));
            }),
            ErrorCode::invalid_input);
}

TEST_P(HubStoreContractOfTables, TrimsWholeRunsAndKeepsTheHead) {
  write([](HubTransaction& tables) -> Status {
    DUHUI_CHECK_OK(tables.feed().append(run("c", 1, 10, 1)));
    DUHUI_CHECK_OK(tables.feed().append(run("c", 11, 10, 11)));
    DUHUI_CHECK_OK(tables.feed().append(run("d", 1, 10, 21)));
    return tables.feed().trim("c", 15);
  });
  read([](HubTransaction& tables) {
    EXPECT_EQ(value(tables.feed().first_kept("c")), 11u);
    EXPECT_EQ(value(tables.feed().first_kept("d")), 1u);
    EXPECT_EQ(value(tables.feed().read("c", 0, 9)).size(), 1u);
  });
  write([](HubTransaction& tables) -> Status {
    DUHUI_CHECK_OK(tables.feed().trim("unknown", 9));
    return tables.feed().trim("c", ~0ull);
  });
  read([](HubTransaction& tables) {
    EXPECT_EQ(value(tables.feed().first_kept("c")), 21u);
    EXPECT_EQ(value(tables.feed().head("c")).through, 20u);
  });
  write([](HubTransaction& tables) { return tables.feed().append(run("c", 21, 1, 31)); });
}

TEST_P(HubStoreContractOfTables, KeepsDevices) {
  DeviceRow row{.id = device(2),
                .public_key = std::string(32, '\0'),
                .name = "督学手机",
                .scopes = {"c/d/s", "", "c"},
                .revoked = true,
                .flags = "clock_skew,cloned",
                .enrolled_at = WallTime{-5},
                .last_seen_at = WallTime{7},
                .clock_offset_ms = -86'400'000,
                .current_origin = origin(3),
                .software = "0.1.0"};
  const DeviceRow other{.id = device(1)};
  write_then_see(
      [&](HubTransaction& tables) -> Status {
        DUHUI_CHECK_OK(tables.devices().put(row));
        return tables.devices().put(other);
      },
      [&](HubTransaction& tables) {
        EXPECT_EQ(value(tables.devices().get(device(2))), row);
        EXPECT_EQ(value(tables.devices().all()), (std::vector{other, row}));
      });
  row.revoked = false;
  row.scopes.clear();
  write_then_see(
      [&](HubTransaction& tables) { return tables.devices().put(row); },
      [&](HubTransaction& tables) { EXPECT_EQ(value(tables.devices().get(device(2))), row); });
}

TEST_P(HubStoreContractOfTables, ReplacesTheConflictsOfOneRecord) {
  const ConflictRow a = conflict(1, 4, "k", "c/a", 20);
  const ConflictRow b = conflict(1, 4, "", "c/a", 10);
  const ConflictRow c = conflict(2, 9, "k", "c/ab", 10);
  write_then_see(
      [&](HubTransaction& tables) -> Status {
        DUHUI_CHECK_OK(tables.review().set_conflicts(record_id(1), {a, b}));
        return tables.review().set_conflicts(record_id(2), {c});
      },
      [&](HubTransaction& tables) {
        EXPECT_EQ(value(tables.review().conflicts("", 9)), (std::vector{b, c, a}));
        EXPECT_EQ(value(tables.review().conflicts("", 1)), std::vector{b});
        EXPECT_EQ(value(tables.review().conflicts("c/a", 9)), (std::vector{b, a}));
        EXPECT_EQ(value(tables.review().conflicts("c", 9)).size(), 3u);
        EXPECT_TRUE(value(tables.review().conflicts("x", 9)).empty());
      });
  write([&](HubTransaction& tables) { return tables.review().set_conflicts(record_id(1), {a}); });
  read([&](HubTransaction& tables) {
    EXPECT_EQ(value(tables.review().conflicts("", 9)), (std::vector{c, a}));
  });
  write([&](HubTransaction& tables) { return tables.review().set_conflicts(record_id(1), {}); });
  read([&](HubTransaction& tables) {
    EXPECT_EQ(value(tables.review().conflicts("", 9)), std::vector{c});
  });
  EXPECT_EQ(refusal_of([&](HubTransaction& tables) {
              return tables.review().set_conflicts(record_id(1), {c});
            }),
            ErrorCode::invalid_input);
}

TEST_P(HubStoreContractOfTables, KeepsTheNewestOfAnOpInQuarantine) {
  QuarantineRow late{.dot = {origin(1), 5}, .kind = "malformed", .received_at = WallTime{30}};
  const QuarantineRow early{.dot = {origin(2), 1},
                            .kind = "orphan",
                            .detail = "of an archived record",
                            .op = std::string("\0\1", 2),
                            .received_at = WallTime{10}};
  write_then_see(
      [&](HubTransaction& tables) -> Status {
        DUHUI_CHECK_OK(tables.review().add_quarantine(late));
        late.kind = "revoked";
        DUHUI_CHECK_OK(tables.review().add_quarantine(late));
        return tables.review().add_quarantine(early);
      },
      [&](HubTransaction& tables) {
        EXPECT_EQ(value(tables.review().quarantine(9)), (std::vector{early, late}));
        EXPECT_EQ(value(tables.review().quarantine(1)), std::vector{early});
      });
  write([&](HubTransaction& tables) -> Status {
    DUHUI_CHECK_OK(tables.review().drop_quarantine({origin(9), 9}));
    return tables.review().drop_quarantine(early.dot);
  });
  read([&](HubTransaction& tables) {
    EXPECT_EQ(value(tables.review().quarantine(9)), std::vector{late});
  });
}

TEST_P(HubStoreContractOfTables, TellsWhatWaitsFromWhatWasSetAside) {
  const QuarantineRow waiting{
      .dot = {origin(1), 1}, .kind = "revoked", .received_at = WallTime{20}};
  const QuarantineRow aside{
      .dot = {origin(1), 2}, .kind = std::string(kSetAsideKind), .received_at = WallTime{10}};
  write_then_see(
      [&](HubTransaction& tables) -> Status {
        DUHUI_CHECK_OK(tables.review().add_quarantine(waiting));
        return tables.review().add_quarantine(aside);
      },
      [&](HubTransaction& tables) {
        EXPECT_EQ(value(tables.review().quarantine(9)), std::vector{waiting});
        EXPECT_EQ(value(tables.review().quarantine_of("revoked", 9)), std::vector{waiting});
        EXPECT_EQ(value(tables.review().quarantine_of(kSetAsideKind, 9)), std::vector{aside});
        EXPECT_TRUE(value(tables.review().quarantine_of("orphan", 9)).empty());
        EXPECT_EQ(value(tables.review().quarantined({origin(1), 2})), aside);
        EXPECT_EQ(value(tables.review().quarantined({origin(1), 3})), std::nullopt);
      });
}

TEST_P(HubStoreContractOfTables, ReplacesTheStampsOfABatchAndNothingElse) {
  BatchRow changed = batch(origin(1), 4, 3);
  changed.stamps = "other";
  write_then_see(
      [&](HubTransaction& tables) -> Status {
        DUHUI_CHECK_OK(tables.streams().add_batch(batch(origin(1), 1, 3)));
        DUHUI_CHECK_OK(tables.streams().add_batch(batch(origin(1), 4, 3)));
        EXPECT_EQ(tables.streams().restamp(origin(1), 5, "x").error().code, ErrorCode::not_found);
        EXPECT_EQ(tables.streams().restamp(origin(2), 1, "x").error().code, ErrorCode::not_found);
        return tables.streams().restamp(origin(1), 4, "other");
      },
      [&](HubTransaction& tables) {
        EXPECT_EQ(value(tables.streams().batch_at(origin(1), 1)), batch(origin(1), 1, 3));
        EXPECT_EQ(value(tables.streams().batch_at(origin(1), 6)), changed);
      });
}

TEST_P(HubStoreContractOfTables, ListsSettingsByPrefix) {
  write_then_see(
      [](HubTransaction& tables) -> Status {
        for (const char* key : {"ticket/b", "ticket/a", "ticket", "tickets", "a", "ticket/\xff"})
          DUHUI_CHECK_OK(tables.settings().put(key, "old"));
        DUHUI_CHECK_OK(tables.settings().put("ticket/a", "new"));
        DUHUI_CHECK_OK(tables.settings().erase("never there"));
        return tables.settings().erase("ticket/b");
      },
      [](HubTransaction& tables) {
        using Pairs = std::vector<std::pair<std::string, std::string>>;
        EXPECT_EQ(value(tables.settings().list("ticket/")),
                  (Pairs{{"ticket/a", "new"}, {"ticket/\xff", "old"}}));
        EXPECT_EQ(value(tables.settings().list("")).size(), 5u);
        EXPECT_TRUE(value(tables.settings().list("z")).empty());
      });
}

/// One call of every kind of change.
std::vector<std::function<Status(HubTransaction&)>> every_change() {
  return {
      [](HubTransaction& t) { return t.streams().put({.origin = origin(1), .device = device(1)}); },
      [](HubTransaction& t) { return t.streams().add_batch(batch(origin(1), 1, 1)); },
      [](HubTransaction& t) { return t.streams().restamp(origin(1), 1, "other"); },
      [](HubTransaction& t) { return t.records().put(record(1, "c")); },
      [](HubTransaction& t) { return t.records().link(record_id(1), "n", "x"); },
      [](HubTransaction& t) { return t.feed().append(run("c", 1, 1, 1)); },
      [](HubTransaction& t) { return t.feed().trim("c", 1); },
      [](HubTransaction& t) { return t.devices().put({.id = device(1)}); },
      [](HubTransaction& t) {
        return t.review().set_conflicts(record_id(1), {conflict(1, 1, "", "c", 1)});
      },
      [](HubTransaction& t) {
        return t.review().add_quarantine({.dot = {origin(1), 1}});
      },
      [](HubTransaction& t) {
        return t.review().drop_quarantine({origin(1), 1});
      },
      [](HubTransaction& t) { return t.settings().put("a", "b"); },
      [](HubTransaction& t) { return t.settings().erase("a"); },
  };
}

TEST_P(HubStoreContractOfTables, RefusesEveryChangeInARead) {
  for (const auto& change : every_change()) {
    const auto done = store_->read(change);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::refused);
  }
}

TEST_P(HubStoreContractOfTables, KeepsNothingOfATransactionThatFails) {
  RecordRow before = record(5, "before");
  write([&](HubTransaction& tables) -> Status {
    DUHUI_CHECK_OK(tables.settings().put("kept", "1"));
    DUHUI_CHECK_OK(tables.review().set_conflicts(record_id(5), {conflict(5, 1, "", "before", 1)}));
    return tables.records().put(before);
  });
  const auto failed = store_->write([&](HubTransaction& tables) -> Status {
    for (const auto& change : every_change()) DUHUI_CHECK_OK(change(tables));
    RecordRow after = before;
    after.scope = "after";
    DUHUI_CHECK_OK(tables.records().put(after));
    EXPECT_EQ(value(tables.records().walk("after", {}, 9)).size(), 1u);  // forces it out
    DUHUI_CHECK_OK(tables.settings().put("kept", "2"));
    DUHUI_CHECK_OK(tables.review().set_conflicts(record_id(5), {}));
    return Error{ErrorCode::refused, "rule"};
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().detail, "rule");
  read([&](HubTransaction& tables) {
    EXPECT_EQ(value(tables.streams().get(origin(1))), std::nullopt);
    EXPECT_EQ(value(tables.streams().batch_at(origin(1), 1)), std::nullopt);
    EXPECT_EQ(value(tables.records().find({})), std::vector{before});
    EXPECT_EQ(value(tables.records().walk("before", {}, 9)), std::vector{before});
    EXPECT_TRUE(value(tables.records().walk("after", {}, 9)).empty());
    EXPECT_TRUE(value(tables.records().linked_to("n", "x")).empty());
    EXPECT_EQ(value(tables.feed().head("c")).through, 0u);
    EXPECT_TRUE(value(tables.devices().all()).empty());
    EXPECT_EQ(value(tables.review().conflicts("", 9)).size(), 1u);
    EXPECT_TRUE(value(tables.review().quarantine(9)).empty());
    EXPECT_EQ(value(tables.settings().get("kept")), "1");
  });
  // Numbers handed out in the failed transaction must not stick to its words.
  const RecordRow late = record(6, "late");
  const RecordRow again = record(7, "c");
  write_then_see(
      [&](HubTransaction& tables) -> Status {
        DUHUI_CHECK_OK(tables.records().put(late));
        return tables.records().put(again);
      },
      [&](HubTransaction& tables) {
        EXPECT_EQ(value(tables.records().get(late.id)), late);
        EXPECT_EQ(value(tables.records().get(again.id)), again);
      });
}

TEST_P(HubStoreContractOfTables, HoldsMoreRecordsInOneTransactionThanFitInMemory) {
  constexpr std::uint32_t kMany = 20'000;
  write_then_see(
      [&](HubTransaction& tables) -> Status {
        for (std::uint32_t n = kMany; n > 0; --n)
          DUHUI_CHECK_OK(tables.records().put(record(n, "c/" + std::to_string(n % 50))));
        return Done{};
      },
      [&](HubTransaction& tables) {
        EXPECT_EQ(value(tables.records().find({.limit = ~0u})).size(), kStoreRowsMax);
        EXPECT_EQ(value(tables.records().walk("c/7", {}, 1000)).size(), kMany / 50);
        for (const std::uint32_t n : {1u, 777u, kMany})
          EXPECT_EQ(value(tables.records().get(record_id(n)))->id, record_id(n));
      });
}

}  // namespace
}  // namespace duhui::hub

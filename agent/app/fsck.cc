#include "agent/app/fsck.h"

#include <set>

#include <nlohmann/json.hpp>

#include "agent/app/agent_service.h"
#include "shared/sync/limits.h"
#include "shared/sync/locked_op.h"
#include "shared/sync/stream_chain.h"

namespace duhui::agent {
namespace {

constexpr std::uint32_t kStep = 500;

void complain(FsckReport* report, std::string what) {
  report->sound = false;
  report->problems.push_back(std::move(what));
}

Status check_chain(Replica& replica, FsckReport* report, std::set<std::uint64_t>* held) {
  const store::v1::AgentState& state = replica.state();
  std::uint64_t seq = std::max<std::uint64_t>(state.own_log_from(), 1);
  DUHUI_TRY(before, replica.chain_at(seq - 1));
  std::optional<std::string> chain = before;
  while (seq <= state.head()) {
    DUHUI_TRY(ops, replica.own_ops(seq, sync_limits::kBatchRawBytesMax, kStep));
    if (ops.empty()) {
      complain(report, "own log: seq " + std::to_string(seq) + " is missing");
      return Done{};
    }
    for (const Replica::OwnOp& own : ops) {
      // What is locked cannot be read here: its place in the chain is taken for true.
      const std::string op = replica.as_readable(own.op);
      if (chain && !is_locked(op) && extend_chain(*chain, op) != own.chain) {
        complain(report, "own log: the chain breaks at seq " + std::to_string(own.seq));
      }
      chain = own.chain;
      held->insert(own.seq);
      seq = own.seq + 1;
    }
  }
  if (chain && state.head() > 0 && *chain != state.chain()) {
    complain(report, "own log: its chain is not the one of the head");
  }
  return Done{};
}

Status check_records(Replica& replica, FsckReport* report) {
  RecordId after;
  for (;;) {
    DUHUI_TRY(ids, replica.find(0, after, kStep));
    for (const RecordId& id : ids) {
      auto state = replica.record(id);
      if (!state || !*state)
        complain(report, "record " + to_uuid_text(id.view()) + ": not readable");
      ++report->records;
    }
    if (ids.size() < kStep) return Done{};
    after = ids.back();
  }
}

nlohmann::json sum_json(const FileCollection::Sum& sum) {
  return {{"files", sum.files}, {"bytes", sum.bytes}};
}

}  // namespace

Result<FsckReport> examine(OpenedStore& opened, Replica& replica, FileCollection files) {
  FsckReport report;
  auto values = opened.store->verify();
  if (values) {
    report.values = *values;
  } else {
    complain(&report, to_string(values.error()));
  }
  std::set<std::uint64_t> held;
  DUHUI_CHECK_OK(check_chain(replica, &report, &held));
  report.own_ops = held.size();
  DUHUI_CHECK_OK(check_records(replica, &report));

  std::set<std::uint64_t> journal;
  DUHUI_TRY(damaged, opened.journal->replay([&](const Journal::Entry& entry) {
    ++report.journal_entries;
    if (entry.dot.origin == replica.origin()) journal.insert(entry.dot.seq);
  }));
  report.journal_damaged = damaged;
  if (damaged > 0) complain(&report, "journal: " + std::to_string(damaged) + " damaged range(s)");
  const store::v1::AgentState& state = replica.state();
  for (std::uint64_t seq = state.acknowledged() + 1; seq <= state.head(); ++seq) {
    if (!held.contains(seq) && !journal.contains(seq)) ++report.unacknowledged_missing;
  }
  if (report.unacknowledged_missing > 0) {
    complain(&report,
             "unacknowledged ops are missing: " + std::to_string(report.unacknowledged_missing));
  }
  DUHUI_TRY(found, files.look());
  report.files = found;
  if (opened.report.rebuilt()) complain(&report, "database: " + opened.report.damage);
  return report;
}

nlohmann::json fsck_json(const FsckReport& report, const OpenReport& opened) {
  return {{"sound", report.sound},
          {"values", report.values},
          {"own_ops", report.own_ops},
          {"records", report.records},
          {"journal_entries", report.journal_entries},
          {"journal_damaged", report.journal_damaged},
          {"unacknowledged_missing", report.unacknowledged_missing},
          {"files",
           {{"whole", sum_json(report.files.whole)},
            {"parts", sum_json(report.files.parts)},
            {"useless_parts", sum_json(report.files.useless_parts)},
            {"unnamed", report.files.unnamed ? sum_json(*report.files.unnamed) : nlohmann::json()},
            {"absent", report.files.absent}}},
          {"problems", report.problems},
          {"opening", storage_report(opened)}};
}

}  // namespace duhui::agent

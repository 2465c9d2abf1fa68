// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/metrics.h"

#include <string>
#include <string_view>
#include <vector>

namespace bedplate::sql {

void DatabaseMetrics::collect(telemetry::MetricWriter& out) const {
  const DatabaseStats stats = database_.stats();
  const auto counter = [&out](const char* name, const char* help, std::uint64_t value) {
    out.counter(name, help, static_cast<double>(value));
  };
  const auto gauge = [&out](const char* name, const char* help, std::uint64_t value) {
    out.gauge(name, help, static_cast<double>(value));
  };
  counter("bedplate_database_commits_total", "Commits made durable; a group commit counts once.",
          stats.commits);
  counter("bedplate_database_commands_total", "Commands answered.", stats.commands);
  counter("bedplate_database_commands_failed_total", "Commands answered with an error.",
          stats.commands_failed);
  counter("bedplate_database_commands_rejected_total", "Commands turned away because the queue was full.",
          stats.commands_rejected);
  counter("bedplate_database_batches_retried_total", "Group commits that were undone and run again.",
          stats.batches_retried);
  counter("bedplate_database_reads_total", "Reads.", stats.reads);
  counter("bedplate_database_reads_moved_total", "Reads that exceeded their budget and went to a thread.",
          stats.reads_moved);
  counter("bedplate_database_slow_queries_total", "Statements slower than the limit.", stats.slow_queries);
  counter("bedplate_database_checkpoints_total", "Copies of the write-ahead log into the database.",
          stats.checkpoints);
  counter(
      "bedplate_database_wal_coalescing_fallbacks_total",
      "Times that SQLite published frames before it synced them; its log is written in pieces from then on.",
      stats.wal_coalescing_fallbacks);
  counter("bedplate_database_reads_resent_total", "Statements sent again because a neighbour's had failed.",
          stats.reads_resent);
  counter("bedplate_database_reads_on_replicas_total", "Reads that a replica answered.",
          stats.reads_on_replicas);
  counter("bedplate_database_connections_lost_total", "Connections ended by the server or the network.",
          stats.connections_lost);
  counter("bedplate_database_connects_failed_total", "Attempts to connect that failed.",
          stats.connects_failed);
  counter("bedplate_database_commits_unknown_total", "Commits whose answer was lost with the connection.",
          stats.commits_unknown);
  collect_statements(out);
  gauge("bedplate_database_connections", "Connections that are open now.", stats.connections);
  gauge("bedplate_database_connections_busy", "Connections lent to a transaction now.",
        stats.connections_busy);
  gauge("bedplate_database_batch_max", "The largest group commit so far.", stats.batch_max);
  gauge("bedplate_database_queue_depth", "Commands that wait now.", stats.queue_depth);
  gauge("bedplate_database_reads_waiting", "Reads that wait for a thread now.", stats.reads_waiting);
  gauge("bedplate_database_wal_size_bytes", "The write-ahead log.", stats.wal_size_bytes);
}

// A metric's samples stand together, so each metric has its round.
void DatabaseMetrics::collect_statements(telemetry::MetricWriter& out) const {
  const std::vector<StatementStats> statements = database_.statement_stats();
  const auto counter = [&](const char* name, const char* help, auto value_of) {
    for (const StatementStats& statement : statements) {
      const std::string_view label = statement.name.empty() ? "other" : statement.name;
      out.counter(name, help, value_of(statement), {{"statement", std::string(label)}});
    }
  };
  counter("bedplate_database_statement_runs_total", "Runs of each named statement; `other`: without a name.",
          [](const StatementStats& s) { return static_cast<double>(s.runs); });
  counter("bedplate_database_statement_failures_total", "Runs that ended in an error.",
          [](const StatementStats& s) { return static_cast<double>(s.failures); });
  counter("bedplate_database_statement_slow_total", "Runs slower than the limit of the slow log.",
          [](const StatementStats& s) { return static_cast<double>(s.slow); });
  counter("bedplate_database_statement_seconds_total", "Time of all runs, from a coarse clock.",
          [](const StatementStats& s) { return static_cast<double>(s.time_us) / 1e6; });
}

}  // namespace bedplate::sql

// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/postgresql/slow_log.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "bedplate/base/log.h"

namespace bedplate::sql {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::int64_t kEveryMs = 1'000;
constexpr std::int64_t kBusy =
    std::numeric_limits<std::int64_t>::max();  ///< until the plan at hand is logged
constexpr milliseconds kPlanTimeMax{5'000};
constexpr std::size_t kPlanSizeMax = 4'000;

// Whatever a planner may evaluate can write nothing, and waits for nobody's lock for long.
constexpr const char* kBegin =
    "BEGIN READ ONLY; SET LOCAL statement_timeout = 5000; SET LOCAL lock_timeout = 500; "
    "SET LOCAL plan_cache_mode = force_generic_plan";

std::int64_t now_ms() {
  return std::chrono::duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

/// "Aggregate  (cost=...); ->  Seq Scan on tasks  (cost=...); Filter: (owner = $1)".
std::string joined(const PGresult* plan) {
  std::string text;
  for (int row = 0; row < PQntuples(plan) && text.size() < kPlanSizeMax; ++row) {
    std::string_view line = PQgetvalue(plan, row, 0);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    text.append(text.empty() ? "" : "; ").append(line);
  }
  return text;
}

}  // namespace

void PostgresqlSlowLog::note(std::int64_t took_ms, std::string_view name, std::string_view sql) {
  count_.fetch_add(1, std::memory_order_relaxed);
  const std::int64_t now = now_ms();
  std::int64_t next = next_ms_.load(std::memory_order_relaxed);
  if (now < next || !next_ms_.compare_exchange_strong(next, kBusy)) return;
  helper_.run([this, took_ms, name, text = std::string(sql)] {  // the name lives as long as the program
    const std::string plan = plan_of(text);
    log_warn(
        "slow query",
        {{"ms", took_ms}, {"statement", name}, {"sql", text}, {"plan", plan.empty() ? "unknown" : plan}});
    next_ms_.store(now_ms() + kEveryMs, std::memory_order_relaxed);  // one at a time
  });
}

// Empty: the server is away, or too slow to say. The statement is prepared as the driver prepares it, so that it is one
// and not several.
std::string PostgresqlSlowLog::plan_of(const std::string& sql) const {
  if (options_.transaction_pooler)
    return {};  // what is prepared here would stay with somebody else's connection
  const std::atomic<bool>& stop = helper_.stopping();
  Result<PostgresqlHandle> dialed =
      dial_postgresql(options_.url, options_, PostgresqlRole::maintenance, &stop);
  if (!dialed) return {};
  PGconn* connection = dialed->get();
  const auto until = steady_clock::now() + kPlanTimeMax;
  const auto answered = [&](int sent) {
    return sent == 1 ? finish_postgresql(connection, until, &stop) : PostgresqlResult();
  };
  if (PQresultStatus(exec_postgresql(connection, kBegin, until, &stop).get()) != PGRES_COMMAND_OK) return {};
  if (PQresultStatus(answered(PQsendPrepare(connection, "slow", sql.c_str(), 0, nullptr)).get()) !=
      PGRES_COMMAND_OK)
    return {};
  const PostgresqlResult described = answered(PQsendDescribePrepared(connection, "slow"));
  if (PQresultStatus(described.get()) != PGRES_COMMAND_OK) return {};
  std::string explain = "EXPLAIN EXECUTE slow";
  for (int i = 0; i < PQnparams(described.get()); ++i) explain += i == 0 ? "(NULL" : ", NULL";
  if (PQnparams(described.get()) > 0) explain += ')';
  const PostgresqlResult plan = exec_postgresql(connection, explain.c_str(), until, &stop);
  return PQresultStatus(plan.get()) == PGRES_TUPLES_OK ? joined(plan.get()) : std::string();
}

}  // namespace bedplate::sql

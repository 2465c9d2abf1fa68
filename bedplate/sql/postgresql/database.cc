// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bedplate/async/loop.h"
#include "bedplate/async/timer.h"
#include "bedplate/base/log.h"
#include "bedplate/base/random.h"
#include "bedplate/sql/error.h"
#include "bedplate/sql/postgresql/connection_pool.h"
#include "bedplate/sql/postgresql/error.h"
#include "bedplate/sql/postgresql/maintenance.h"
#include "bedplate/sql/postgresql/postgresql.h"

namespace bedplate::sql {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kDialers = 2;

struct PostgresqlReplica {
  PostgresqlReplica(PostgresqlLoopState& state, const std::string& url) : pool(state, url) {}

  PostgresqlPool pool;
  CommitPosition replayed;  ///< it has come at least so far
};

/// How far a replica has come: nothing when it is none any more.
class ReplayedBody final : public ReadBody {
 public:
  Async<void> run(Reader& reader) override {
    text_ = co_await ok(reader.value<std::string>("SELECT coalesce(pg_last_wal_replay_lsn()::text, '')"));
  }
  CommitPosition mark() const { return CommitPosition(read_postgresql_lsn(text_).value_or(0)); }

 private:
  std::string text_;
};

/// What one loop has of a database.
struct PostgresqlPart {
  PostgresqlPart(Loop& loop, const PostgresqlOptions& options, PostgresqlHelpers& dialers,
                 PostgresqlCancellers& cancellers, PostgresqlSlowLog& slow_log, PostgresqlCounters& counters)
      : state(loop, options, dialers, cancellers, slow_log, counters), primary(state, options.url) {
    for (const std::string& url : options.replica_urls)
      replicas.push_back(std::make_unique<PostgresqlReplica>(state, url));
  }
  /// The next one that answers, in turn; null: none does.
  PostgresqlReplica* next_replica() {
    for (std::size_t i = 0; i < replicas.size(); ++i) {
      PostgresqlReplica& replica = *replicas[++turn % replicas.size()];
      if (!replica.pool.down()) return &replica;
    }
    return nullptr;
  }

  PostgresqlLoopState state;
  PostgresqlPool primary;
  std::vector<std::unique_ptr<PostgresqlReplica>> replicas;
  std::size_t turn = 0;
};

struct LastPart {
  std::uint64_t database = 0;
  Loop* loop = nullptr;
  PostgresqlPart* part = nullptr;
};
constinit thread_local LastPart last_part;

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> ids{0};
  return ids.fetch_add(1, std::memory_order_relaxed) + 1;
}

class PostgresqlDatabase final : public Database {
 public:
  explicit PostgresqlDatabase(const PostgresqlOptions& options)
      : options_(options), id_(next_id()), dialers_(kDialers), slow_log_(options_) {}
  ~PostgresqlDatabase() override { close(); }

  Async<void> transact(const CallContext& context, TransactionBody& body) override;
  Async<void> read(const CallContext& context, ReadBody& body) override;
  std::vector<std::string> replicas() const override;
  Async<void> ask_replica(std::size_t index) override;
  Dialect dialect() const override { return Dialect::postgresql; }
  DatabaseStats stats() const override;
  std::vector<StatementStats> statement_stats() const override { return slow_log_.statements().stats(); }
  Result<std::unique_ptr<Maintenance>> maintenance() override {
    return open_postgresql_maintenance(options_);
  }
  void close() override;

 private:
  /// How an attempt at a transaction ended.
  struct Attempt {
    Attempt(std::optional<Error> failure, bool again) : error(std::move(failure)), may_run_again(again) {}
    std::optional<Error> error;
    bool may_run_again = false;
  };

  Result<PostgresqlPart*> part_of(Loop& loop);
  Async<Attempt> attempt(PostgresqlPool& primary, const CallContext& context, TransactionBody& body,
                         milliseconds time_max);
  Async<void> read_from(PostgresqlPart& part, PostgresqlPool& pool, const CallContext& context,
                        ReadBody& body);
  Async<bool> has_caught_up(PostgresqlPart& part, PostgresqlReplica& replica, CommitPosition after);
  Async<void> read_alone(PostgresqlPool& pool, const CallContext& context, ReadBody& body,
                         PostgresqlPipelinedRead& first);
  Async<Attempt> attempt_read(PostgresqlPool& pool, const CallContext& context, ReadBody& body,
                              PostgresqlPipelinedRead& first);

  const PostgresqlOptions options_;
  const std::uint64_t id_;  ///< tells databases apart, also after one is gone
  PostgresqlCounters counters_;
  PostgresqlHelpers dialers_;
  PostgresqlCancellers cancellers_;
  PostgresqlSlowLog slow_log_;
  std::atomic<bool> closed_{false};
  std::mutex mutex_;
  std::unordered_map<Loop*, std::unique_ptr<PostgresqlPart>> parts_;
};

Result<PostgresqlPart*> PostgresqlDatabase::part_of(Loop& loop) {
  if (closed_.load(std::memory_order_relaxed)) [[unlikely]]
    return std::unexpected(postgresql_closed());
  LastPart& last = last_part;
  if (last.database == id_ && last.loop == &loop) [[likely]]
    return last.part;
  std::lock_guard lock(mutex_);
  std::unique_ptr<PostgresqlPart>& part = parts_[&loop];
  if (!part)
    part = std::make_unique<PostgresqlPart>(loop, options_, dialers_, cancellers_, slow_log_, counters_);
  last = {id_, &loop, part.get()};
  return part.get();
}

// ---- transactions

// Longer with each attempt, and never the same for two that met.
milliseconds pause_before(int attempt) {
  constexpr std::int64_t kPauseMaxMs = 64;
  const std::int64_t most = std::min<std::int64_t>(kPauseMaxMs, std::int64_t{1} << std::min(attempt, 6));
  return milliseconds(static_cast<std::int64_t>(random_u64() % static_cast<std::uint64_t>(most + 1)));
}

Async<PostgresqlDatabase::Attempt> PostgresqlDatabase::attempt(PostgresqlPool& primary,
                                                               const CallContext& context,
                                                               TransactionBody& body, milliseconds time_max) {
  PostgresqlSession* session = co_await ok(primary.acquire());
  session->begin(PostgresqlSession::Access::write, context, time_max);
  Transaction transaction(*session, context);
  Result<void> done = co_await body.run(transaction);
  std::optional<Error> error;
  if (!done) error.emplace(std::move(done.error()));
  if (session->failed() && (!error || error->keeps_writes())) {
    error = session->take_fault();
    if (!error) {
      session->failure().log_ignored();
      error.emplace(Category::internal, kTransactionFailed, "The server met an unexpected fault.");
    }
  }
  if (error && !error->keeps_writes()) {
    // A body may find for itself that it was overtaken (sql::overtaken()).
    const bool again = session->may_run_again() || error->code() == kSerializationFailure;
    session->abandon();
    co_return Attempt(std::move(error), again);
  }
  Result<void> ended = co_await session->end();
  if (!ended) {
    // What COMMIT did with a broken connection is not known, so only a refused one may be run again.
    const bool again = ended.error().code() == kSerializationFailure;
    co_return Attempt(std::move(ended.error()), again);
  }
  counters_.commits.fetch_add(1, std::memory_order_relaxed);
  if (context.committed) *context.committed = session->mark();
  co_return Attempt(std::move(error), false);
}

Async<void> PostgresqlDatabase::transact(const CallContext& context, TransactionBody& body) {
  Loop& loop = *Loop::current();
  PostgresqlPart* part = co_await ok(part_of(loop));
  const auto until = steady_clock::now() + milliseconds(options_.command_time_max_ms);
  for (int attempts = 1;; ++attempts) {
    const auto left = std::chrono::duration_cast<milliseconds>(until - steady_clock::now());
    Result<Attempt> tried = co_await attempt(part->primary, context, body, std::max(left, milliseconds(1)));
    if (!tried) co_await std::unexpected(std::move(tried.error()));
    const bool over = steady_clock::now() >= until;
    if (!tried->may_run_again || over) {
      counters_.commands.fetch_add(1, std::memory_order_relaxed);
      if (!tried->error) co_return;
      counters_.commands_failed.fetch_add(1, std::memory_order_relaxed);
      if (tried->error->code() == kCommitUnknown)
        counters_.commits_unknown.fetch_add(1, std::memory_order_relaxed);
      co_await std::unexpected(std::move(*tried->error));
    }
    counters_.retried.fetch_add(1, std::memory_order_relaxed);
    co_await ok(sleep_for(pause_before(attempts)));
  }
}

// ---- reads

Async<void> PostgresqlDatabase::read(const CallContext& context, ReadBody& body) {
  Loop& loop = *Loop::current();
  PostgresqlPart* part = co_await ok(part_of(loop));
  counters_.reads.fetch_add(1, std::memory_order_relaxed);
  PostgresqlReplica* replica = context.from_replica ? part->next_replica() : nullptr;
  if (replica) {
    const bool fresh = co_await ok(has_caught_up(*part, *replica, context.after));
    if (fresh) {
      Result<void> done = co_await read_from(*part, replica->pool, context, body);
      // What is the replica's trouble is not the caller's: the primary is asked.
      const bool trouble = !done && (done.error().category() == Category::unavailable ||
                                     done.error().code() == kSerializationFailure);
      if (!trouble) {
        counters_.reads_on_replicas.fetch_add(1, std::memory_order_relaxed);
        if (!done) co_await std::unexpected(std::move(done.error()));
        co_return;
      }
    }
  }
  co_await ok(read_from(*part, part->primary, context, body));
}

// Asks the replica again and again for a short while. False: it lags too much, or does not answer.
Async<bool> PostgresqlDatabase::has_caught_up(PostgresqlPart& part, PostgresqlReplica& replica,
                                              CommitPosition after) {
  if (after <= replica.replayed) co_return true;
  const auto until = steady_clock::now() + milliseconds(options_.replica_wait_ms);
  for (milliseconds pause{1};; pause *= 2) {
    ReplayedBody replayed;
    Result<void> asked = co_await read_from(part, replica.pool, kNoContext, replayed);
    if (!asked) co_return false;
    replica.replayed = std::max(replica.replayed, replayed.mark());
    if (after <= replica.replayed) co_return true;
    if (steady_clock::now() + pause > until) co_return false;
    co_await ok(sleep_for(pause));
  }
}

std::vector<std::string> PostgresqlDatabase::replicas() const {
  std::vector<std::string> places;
  for (const std::string& url : options_.replica_urls) places.push_back(place_of_postgresql(url));
  return places;
}

Async<void> PostgresqlDatabase::ask_replica(std::size_t index) {
  PostgresqlPart* part = co_await ok(part_of(*Loop::current()));
  ReplayedBody replayed;
  co_await ok(read_from(*part, part->replicas.at(index)->pool, kNoContext, replayed));
  if (replayed.mark().empty())
    co_await fail(Category::conflict, "not_a_replica",
                  "The server is not a replica any more: it does not follow a primary.");
}

Async<void> PostgresqlDatabase::read_from(PostgresqlPart& part, PostgresqlPool& pool,
                                          const CallContext& context, ReadBody& body) {
  PostgresqlPipelinedRead shared(part.state, pool, context);
  {
    Reader reader(shared, context);
    Result<void> done = co_await body.run(reader);
    if (!shared.moved()) {
      if (!done) co_await std::unexpected(std::move(done.error()));
      shared.learn(1, true);
      co_return;
    }
  }
  counters_.reads_moved.fetch_add(1, std::memory_order_relaxed);
  co_await ok(read_alone(pool, context, body, shared));
}

Async<PostgresqlDatabase::Attempt> PostgresqlDatabase::attempt_read(PostgresqlPool& pool,
                                                                    const CallContext& context,
                                                                    ReadBody& body,
                                                                    PostgresqlPipelinedRead& first) {
  PostgresqlSession* session = co_await ok(pool.acquire());
  const auto began = steady_clock::now();
  session->begin(PostgresqlSession::Access::read, context, milliseconds(options_.read_time_max_ms));
  Reader reader(*session, context);
  Result<void> done = co_await body.run(reader);
  const bool quick = done && steady_clock::now() - began < milliseconds(options_.shared_read_time_max_ms) / 4;
  first.learn(session->statements(), quick);
  const bool again = session->may_run_again();
  session->abandon();
  std::optional<Error> error;
  if (!done) error.emplace(std::move(done.error()));
  co_return Attempt(std::move(error), again);
}

Async<void> PostgresqlDatabase::read_alone(PostgresqlPool& pool, const CallContext& context, ReadBody& body,
                                           PostgresqlPipelinedRead& first) {
  constexpr int kAttemptsMax = 3;
  for (int attempts = 1;; ++attempts) {
    Result<Attempt> tried = co_await attempt_read(pool, context, body, first);
    if (!tried) co_await std::unexpected(std::move(tried.error()));
    if (!tried->error) co_return;
    if (!tried->may_run_again || attempts == kAttemptsMax) co_await std::unexpected(std::move(*tried->error));
  }
}

// ---- the rest

DatabaseStats PostgresqlDatabase::stats() const {
  const auto now = [](const std::atomic<std::uint64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
  };
  DatabaseStats stats;
  stats.commits = now(counters_.commits);
  stats.commands = now(counters_.commands);
  stats.commands_failed = now(counters_.commands_failed);
  stats.commands_rejected = now(counters_.rejected);
  stats.batches_retried = now(counters_.retried);
  stats.queue_depth = now(counters_.waiting);
  stats.reads = now(counters_.reads);
  stats.reads_moved = now(counters_.reads_moved);
  stats.reads_resent = now(counters_.reads_resent);
  stats.reads_on_replicas = now(counters_.reads_on_replicas);
  stats.slow_queries = slow_log_.count();
  stats.connections = now(counters_.connections);
  stats.connections_busy = now(counters_.busy);
  stats.connections_lost = now(counters_.lost);
  stats.connects_failed = now(counters_.connects_failed);
  stats.commits_unknown = now(counters_.commits_unknown);
  return stats;
}

// The dialers first: they post to the loops. Then each loop, which has stopped, runs what was posted to it or
// put off, on this thread, so that nothing in it refers to a connection any more.
void PostgresqlDatabase::close() {
  if (closed_.exchange(true)) return;
  dialers_.stop();
  slow_log_.stop();
  for (auto& [loop, part] : parts_) {
    part->primary.close();
    for (auto& replica : part->replicas) replica->pool.close();
    for (int round = 0; round < 2; ++round) {  // what is put off to the end of a turn may put off once more
      loop->stop();
      loop->run();
    }
  }
  parts_.clear();
}

}  // namespace

Result<std::unique_ptr<Database>> open_postgresql(const PostgresqlOptions& options) {
  if (Result<void> url = check_postgresql_url(options.url, "database.url"); !url)
    return std::unexpected(std::move(url.error()));
  for (const std::string& replica : options.replica_urls) {
    if (Result<void> url =
            check_postgresql_url(replica, "database.postgresql.replica_urls (URLs with spaces between them)");
        !url)
      return std::unexpected(std::move(url.error()));
  }
  Result<PostgresqlHandle> tried = dial_postgresql(options.url, options, PostgresqlRole::maintenance);
  if (!tried) {
    log_error("the database cannot be reached", {{"error", tried.error().subject()}});
    return std::unexpected(std::move(tried.error()));
  }
  return std::make_unique<PostgresqlDatabase>(options);
}

}  // namespace bedplate::sql

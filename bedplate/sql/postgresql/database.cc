#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "bedplate/async/loop.h"
#include "bedplate/async/timer.h"
#include "bedplate/base/log.h"
#include "bedplate/base/random.h"
#include "bedplate/sql/error.h"
#include "bedplate/sql/postgresql.h"
#include "bedplate/sql/postgresql/endpoint.h"
#include "bedplate/sql/postgresql/error.h"
#include "bedplate/sql/postgresql/maintenance.h"

namespace bedplate::sql {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kHelpers = 2;

/// What one loop has of a database.
struct PostgresqlPart {
  PostgresqlPart(Loop& loop, const PostgresqlOptions& options, PostgresqlHelpers& helpers,
                 PostgresqlCounters& counters)
      : share(loop, options, helpers, counters), primary(share, options.url) {}

  PostgresqlShare share;
  PostgresqlEndpoint primary;
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
      : options_(options), id_(next_id()), helpers_(kHelpers) {}
  ~PostgresqlDatabase() override { close(); }

  Async<void> transact(const CallContext& context, TransactionBody& body) override;
  Async<void> read(const CallContext& context, ReadBody& body) override;
  Dialect dialect() const override { return Dialect::postgresql; }
  DatabaseStats stats() const override;
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
  Async<Attempt> attempt(PostgresqlEndpoint& primary, const CallContext& context, TransactionBody& body,
                         milliseconds time_max);
  Async<void> read_alone(PostgresqlEndpoint& endpoint, const CallContext& context, ReadBody& body,
                         PostgresqlSharedRead& first);
  Async<Attempt> attempt_read(PostgresqlEndpoint& endpoint, const CallContext& context, ReadBody& body,
                              PostgresqlSharedRead& first);

  const PostgresqlOptions options_;
  const std::uint64_t id_;  ///< tells databases apart, also after one is gone
  PostgresqlCounters counters_;
  PostgresqlHelpers helpers_;
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
  if (!part) part = std::make_unique<PostgresqlPart>(loop, options_, helpers_, counters_);
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

Async<PostgresqlDatabase::Attempt> PostgresqlDatabase::attempt(PostgresqlEndpoint& primary,
                                                               const CallContext& context,
                                                               TransactionBody& body, milliseconds time_max) {
  PostgresqlOwned* owned = co_await ok(primary.acquire());
  owned->begin(PostgresqlOwned::Access::write, context, time_max);
  Transaction transaction(*owned, context);
  Result<void> done = co_await body.run(transaction);
  std::optional<Error> error;
  if (!done) error.emplace(std::move(done.error()));
  if (owned->failed() && (!error || error->keeps_writes())) {
    log_error("an operation went on after a statement of its transaction had failed; it was rolled back");
    error.emplace(Category::internal, kTransactionFailed, "The server met an unexpected fault.");
  }
  if (error && !error->keeps_writes()) {
    const bool again = owned->may_run_again();
    owned->abandon();
    co_return Attempt(std::move(error), again);
  }
  Result<void> ended = co_await owned->end();
  if (!ended) {
    // What COMMIT did with a broken connection is not known, so only a refused one may be run again.
    const bool again = ended.error().code() == kSerializationFailure;
    co_return Attempt(std::move(ended.error()), again);
  }
  counters_.commits.fetch_add(1, std::memory_order_relaxed);
  if (context.committed) *context.committed = owned->mark();
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
  PostgresqlSharedRead shared(part->share, part->primary, context);
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
  co_await ok(read_alone(part->primary, context, body, shared));
}

Async<PostgresqlDatabase::Attempt> PostgresqlDatabase::attempt_read(PostgresqlEndpoint& endpoint,
                                                                    const CallContext& context,
                                                                    ReadBody& body,
                                                                    PostgresqlSharedRead& first) {
  PostgresqlOwned* owned = co_await ok(endpoint.acquire());
  const auto began = steady_clock::now();
  owned->begin(PostgresqlOwned::Access::read, context, milliseconds(options_.read_time_max_ms));
  Reader reader(*owned, context);
  Result<void> done = co_await body.run(reader);
  const bool quick = steady_clock::now() - began < milliseconds(options_.shared_read_time_max_ms) / 4;
  first.learn(owned->statements(), quick);
  const bool again = owned->may_run_again();
  owned->abandon();
  std::optional<Error> error;
  if (!done) error.emplace(std::move(done.error()));
  co_return Attempt(std::move(error), again);
}

Async<void> PostgresqlDatabase::read_alone(PostgresqlEndpoint& endpoint, const CallContext& context,
                                           ReadBody& body, PostgresqlSharedRead& first) {
  constexpr int kAttemptsMax = 3;
  for (int attempts = 1;; ++attempts) {
    Result<Attempt> tried = co_await attempt_read(endpoint, context, body, first);
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
  stats.connections = now(counters_.connections);
  stats.connections_busy = now(counters_.busy);
  stats.connections_lost = now(counters_.lost);
  stats.connects_failed = now(counters_.connects_failed);
  stats.commits_unknown = now(counters_.commits_unknown);
  return stats;
}

// The helpers first: they post to the loops. Then each loop, which has stopped, runs what was posted to it or
// put off, on this thread, so that nothing in it refers to a connection any more.
void PostgresqlDatabase::close() {
  if (closed_.exchange(true)) return;
  helpers_.stop();
  for (auto& [loop, part] : parts_) {
    part->primary.close();
    for (int round = 0; round < 2; ++round) {  // what is put off to the end of a turn may put off once more
      loop->stop();
      loop->run();
    }
  }
  parts_.clear();
}

}  // namespace

Result<std::unique_ptr<Database>> open_postgresql(const PostgresqlOptions& options) {
  Result<PostgresqlHandle> tried = dial_postgresql(options.url, options, PostgresqlRole::maintenance);
  if (!tried) {
    log_error("the database cannot be reached", {{"error", tried.error().subject()}});
    return std::unexpected(std::move(tried.error()));
  }
  return std::make_unique<PostgresqlDatabase>(options);
}

}  // namespace bedplate::sql

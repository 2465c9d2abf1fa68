// SPDX-License-Identifier: Apache-2.0
#include "bedplate/testing/query_guard.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include "bedplate/async/loop.h"
#include "bedplate/describe/any_row.h"
#include "bedplate/testing/query_plan.h"

namespace bedplate::testing {
namespace {

using sql::CallContext;
using sql::Dialect;

template <class T>
T must(Result<T> result, const char* what) {
  if (!result) {
    std::fprintf(stderr, "query guard: %s: %s: %s %s\n", what, result.error().code().c_str(),
                 result.error().detail().c_str(), result.error().subject().c_str());
    std::abort();
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

const std::optional<Uuid> kNull;

void add_copy(sql::Params& to, const sql::Param& value) {
  using Kind = sql::Param::Kind;
  switch (value.kind()) {
    case Kind::boolean:
      to.add(value.integer() != 0);
      break;
    case Kind::integer:
      to.add(value.integer());
      break;
    case Kind::real:
      to.add(value.real());
      break;
    case Kind::text:
      to.add(value.bytes());
      break;
    case Kind::blob:
      to.add(std::as_bytes(std::span(value.bytes())));
      break;
    case Kind::uuid: {
      Uuid id;
      std::copy_n(value.uuid(), id.bytes.size(), id.bytes.begin());
      to.add(id);
      break;
    }
    case Kind::time:
      to.add(Time(std::chrono::microseconds(value.integer())));
      break;
    default:
      to.add(kNull);
  }
}

struct Noted {
  sql::Params params;
  std::optional<Uuid> tenant;
};

struct Explain {
  sql::Dialect dialect;
  std::string mark;  ///< a comment: a prepared EXPLAIN does not notice a new index

  Async<std::vector<Scan>> run(sql::Transaction& tx, const std::string& text,
                               const sql::Params& params) const {
    std::vector<Scan> scans;
    if (dialect == Dialect::sqlite) {
      // An EXPLAIN alone does not make a connection notice that the schema has changed.
      co_await ok(tx.value<std::int64_t>("SELECT count(*) FROM sqlite_schema"));
      std::string explain = "EXPLAIN QUERY PLAN " + mark + text;
      std::vector<SqlitePlanRow> rows = co_await ok(tx.all<SqlitePlanRow>(explain, params));
      scans = scans_of(rows, text);
    } else {
      // As reads are planned: a transaction's connection avoids scans at any price.
      co_await ok(tx.value<std::string>("SELECT set_config('enable_seqscan', 'on', true)"));
      std::string explain = "EXPLAIN (FORMAT JSON) " + mark + text;
      std::vector<std::string> plan = co_await ok(tx.all<std::string>(explain, params));
      scans = scans_of_postgresql(plan.empty() ? "" : plan.front());
    }
    co_return scans;
  }
};

Async<void> ask(sql::Reader& db, const std::string& text, const sql::Params& params) {
  co_await ok(db.all<AnyRow>(text, params));
}

/// SQLite works in this process: what other processes take of the machine does not count.
std::chrono::duration<double> now_for(Dialect dialect) {
  timespec now{};
  ::clock_gettime(dialect == Dialect::sqlite ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

bool is_read(std::string_view statement) {
  return statement.starts_with("SELECT") || statement.starts_with("WITH");
}

}  // namespace

/// A database that notes what is asked, on its way to the real one.
class QueryGuard::Recorder final : public sql::Database {
 public:
  explicit Recorder(sql::Database& inner) : inner_(inner) {}

  Async<void> transact(const CallContext& context, sql::TransactionBody& body) override {
    Bridge<sql::TransactionBody, sql::Transaction> bridge(*this, context, body);
    co_await ok(inner_.transact(context, static_cast<sql::TransactionBody&>(bridge)));
  }
  Async<void> read(const CallContext& context, sql::ReadBody& body) override {
    Bridge<sql::ReadBody, sql::Reader> bridge(*this, context, body);
    co_await ok(inner_.read(context, static_cast<sql::ReadBody&>(bridge)));
  }
  Dialect dialect() const override { return inner_.dialect(); }
  sql::DatabaseStats stats() const override { return inner_.stats(); }
  Result<std::unique_ptr<sql::Maintenance>> maintenance() override { return inner_.maintenance(); }
  void close() override { inner_.close(); }

  sql::Database& inner() { return inner_; }
  std::map<std::string, Noted> noted() {
    std::lock_guard lock(mutex_);
    std::map<std::string, Noted> all;
    for (auto& [text, noted] : noted_) {
      Noted& copy = all[text];
      copy.tenant = noted.tenant;
      for (const sql::Param& param : noted.params.list()) add_copy(copy.params, param);
    }
    return all;
  }
  std::size_t size() {
    std::lock_guard lock(mutex_);
    return noted_.size();
  }

 private:
  class Tap final : public sql::Session {
   public:
    Tap(Recorder& recorder, const CallContext& context, sql::Session& inner)
        : recorder_(recorder), context_(context), inner_(inner) {}
    bool start(sql::Statement& statement) override {
      recorder_.note(statement, context_);
      return inner_.start(statement);
    }
    Dialect dialect() const override { return inner_.dialect(); }

   private:
    Recorder& recorder_;
    const CallContext& context_;
    sql::Session& inner_;
  };

  template <class Body, class Session>
  class Bridge final : public Body {
   public:
    Bridge(Recorder& recorder, const CallContext& context, Body& body)
        : recorder_(recorder), context_(context), body_(body) {}
    Async<void> run(Session& session) override {
      Tap tap(recorder_, context_, session.session());
      Session recorded(tap, context_);
      co_await ok(body_.run(recorded));
    }

   private:
    Recorder& recorder_;
    const CallContext& context_;
    Body& body_;
  };

  void note(const sql::Statement& statement, const CallContext& context) {
    std::lock_guard lock(mutex_);
    auto [noted, fresh] = noted_.try_emplace(std::string(statement.sql));
    if (!fresh) return;
    noted->second.tenant = context.tenant;
    for (const sql::Param& param : statement.params) add_copy(noted->second.params, param);
  }

  sql::Database& inner_;
  std::mutex mutex_;
  std::map<std::string, Noted> noted_;
};

QueryGuard::QueryGuard(sql::Database& database) : recorder_(std::make_unique<Recorder>(database)) {}

QueryGuard::~QueryGuard() = default;

sql::Database& QueryGuard::database() {
  return *recorder_;
}

std::size_t QueryGuard::statements() const {
  return recorder_->size();
}

void QueryGuard::allow(std::string_view table, std::string_view part, std::string_view reason) {
  allowances_.push_back({std::string(table), std::string(part), std::string(reason)});
}

bool QueryGuard::is_large(const std::string& table, std::int64_t large) {
  auto [size, fresh] = sizes_.try_emplace(table, 0);
  if (fresh) {
    auto maintenance = must(recorder_->inner().maintenance(), "maintenance");
    sql::Reader reader(maintenance->session());
    const std::string text = "SELECT count(*) FROM \"" + table + "\"";
    auto count = [](sql::Reader& db, const std::string& sql) -> Async<std::int64_t> {
      std::int64_t rows = co_await ok(db.value<std::int64_t>(sql));
      co_return rows;
    };
    size->second = must(count(reader, text).run_without_waiting(), table.c_str());
  }
  return size->second >= large;
}

bool QueryGuard::is_allowed(const std::string& table, const std::string& statement) {
  for (Allowance& allowance : allowances_)
    if (allowance.table == table && statement.find(allowance.part) != std::string::npos)
      return allowance.used = true;
  return false;
}

std::vector<std::string> QueryGuard::findings(Loop& loop, std::int64_t large) {
  if (recorder_->dialect() == Dialect::postgresql) {
    auto maintenance = must(recorder_->inner().maintenance(), "maintenance");
    must(maintenance->begin(), "begin");
    must(maintenance->run_script("ANALYZE"), "ANALYZE");
    must(maintenance->commit(), "commit");
  }
  std::vector<std::string> findings;
  const Explain explain{recorder_->dialect(), "/* " + std::to_string(++looks_) + " */ "};
  for (const auto& [text, noted] : recorder_->noted()) {
    const CallContext context(noted.tenant);
    Result<std::vector<Scan>> scans =
        run_to_end(loop, recorder_->inner().transact(context, &Explain::run, explain, text, noted.params));
    for (const Scan& scan : must(std::move(scans), text.c_str()))
      if (is_large(scan.table, large) && !is_allowed(scan.table, text))
        findings.push_back("reads all of " + scan.table + " (" + scan.how + "): " + text);
  }
  for (const Allowance& allowance : allowances_)
    if (!allowance.used)
      findings.push_back("nothing needs the allowance for " + allowance.table + ": " + allowance.part);
  return findings;
}

std::vector<std::string> QueryGuard::slow_queries(Loop& loop, std::chrono::duration<double> time_max) {
  constexpr int kRunsMin = 20;
  constexpr std::chrono::seconds kPatience{20};  // for a machine that is busy with something else
  std::vector<std::string> slow;
  for (const auto& [text, noted] : recorder_->noted()) {
    if (!is_read(text)) continue;
    const CallContext context(noted.tenant);
    std::chrono::duration<double> fastest = std::chrono::duration<double>::max();
    const auto until = std::chrono::steady_clock::now() + kPatience;
    for (int run = 0; fastest > time_max; ++run) {
      if (run >= kRunsMin && std::chrono::steady_clock::now() > until) break;
      const auto began = now_for(recorder_->dialect());
      must(run_to_end(loop, recorder_->inner().read(context, &ask, text, noted.params)), text.c_str());
      fastest = std::min(fastest, now_for(recorder_->dialect()) - began);
    }
    if (fastest > time_max) slow.push_back(std::to_string(fastest.count()) + " s: " + text);
  }
  return slow;
}

}  // namespace bedplate::testing

// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/postgresql/dial.h"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string_view>
#include <utility>

#include "bedplate/base/log.h"
#include "bedplate/sql/error.h"
#include "bedplate/sql/postgresql/error.h"

namespace bedplate::sql {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr const char* kNoAnswer = "no answer in time";

void ignore_notice(void*, const PGresult*) {}

// libpq's message names hosts, users and databases, which belong in the operator's log. A password could only stand in
// it as a part of something else, say of a replica's URL with the same one.
std::unexpected<Error> not_connected(PGconn* connection) {
  std::string cause = connection ? PQerrorMessage(connection) : "out of memory";
  const std::string password = connection && PQpass(connection) ? PQpass(connection) : "";
  for (std::size_t at = 0; !password.empty() && (at = cause.find(password, at)) != std::string::npos; at += 3)
    cause.replace(at, password.size(), "***");
  while (!cause.empty() && cause.back() == '\n') cause.pop_back();
  std::ranges::replace_if(cause, [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return std::unexpected(postgresql_unavailable().with_subject(std::move(cause)));
}

// 0: it is ready; otherwise why it is given up.
const char* wait_for(PGconn* connection, PostgresPollingStatusType want, steady_clock::time_point until,
                     const std::atomic<bool>* stop) {
  constexpr int kSliceMs = 100;  // to see `stop` soon
  for (;;) {
    if (stop && stop->load(std::memory_order_relaxed)) return "the server is shutting down";
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now()).count();
    if (left <= 0) return kNoAnswer;
    pollfd ready{.fd = PQsocket(connection),
                 .events = static_cast<short>(want == PGRES_POLLING_READING ? POLLIN : POLLOUT),
                 .revents = 0};
    const int polled = ::poll(&ready, 1, static_cast<int>(std::min<std::int64_t>(left, kSliceMs)));
    if (polled > 0 || (polled < 0 && errno != EINTR)) return nullptr;
  }
}

std::string setup_text(const PostgresqlOptions& options, PostgresqlRole role) {
  std::string text =
      "SET bytea_output = 'hex'; SET client_encoding = 'UTF8'; SET TimeZone = 'UTC'; "
      "SET DateStyle = 'ISO';";
  const auto limit = [&text](const char* name, std::int64_t ms) {
    text.append("SET ").append(name).append(" = ").append(std::to_string(ms)).append(";");
  };
  if (role == PostgresqlRole::maintenance) return text;
  const bool shared = role == PostgresqlRole::shared_reads;
  limit("statement_timeout", shared ? options.shared_read_time_max_ms
                                    : std::max(options.command_time_max_ms, options.read_time_max_ms));
  limit("lock_timeout", options.lock_time_max_ms);
  limit("idle_in_transaction_session_timeout", 2 * options.command_time_max_ms);
  if (shared) text += "SET default_transaction_read_only = on;";
  // The planner reads a table of a few rows as a whole, and then a serializable transaction has read every row of it:
  // whoever changes another one is in its way. By an index it has read its own. A scan that remains would look so dear
  // that it is compiled first, which takes a thousand times as long as it does.
  if (role == PostgresqlRole::session) text += "SET enable_seqscan = off; SET jit = off;";
  return text;
}

struct FreeConninfo {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
struct FreeText {
  void operator()(char* text) const { PQfreemem(text); }
};

// What a part of a URL holds when a character that has a meaning there was not escaped: "er2@host" as a host.
const char* misread(const PQconninfoOption& option) {
  if (!option.val) return nullptr;
  const std::string_view name = option.keyword;
  const std::string_view value = option.val;
  if (name == "port" && value.find_first_not_of("0123456789,") != std::string_view::npos)
    return "its port is no number";
  // "@name" is an abstract socket.
  if (name == "host" && value.find('@', 1) != std::string_view::npos) return "its host has an @ in it";
  if (name == "dbname" && value.find("://") != std::string_view::npos) return "its name has :// in it";
  return nullptr;
}

// libpq's reason without what it quotes, which is a part of the URL.
std::string without_quotation(const char* reason) {
  std::string text = reason ? reason : "";
  text.resize(std::min(text.find('"'), text.size()));
  while (!text.empty() && (text.back() == ' ' || text.back() == ':' || text.back() == '\n')) text.pop_back();
  return text;
}

// Empty: nothing is.
std::string what_is_wrong(const std::string& url) {
  if (!url.starts_with("postgresql://") && !url.starts_with("postgres://"))
    return "it does not begin with postgresql://";
  char* reason = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeConninfo> options(PQconninfoParse(url.c_str(), &reason));
  const std::unique_ptr<char, FreeText> text(reason);
  if (!options) return without_quotation(reason);
  for (const PQconninfoOption* option = options.get(); option->keyword; ++option)
    if (const char* wrong = misread(*option)) return wrong;
  return {};
}

}  // namespace

Result<void> check_postgresql_url(const std::string& url, std::string_view key) {
  const std::string wrong = what_is_wrong(url);
  if (wrong.empty()) return {};
  return fail(
      Category::invalid, "database_url",
      fmt::format("{} is not a URL of PostgreSQL that can be read ({}): "
                  "postgresql://USER:PASSWORD@HOST:PORT/NAME, where @ / : ? and % in a name or password are "
                  "written %40 %2F %3A %3F and %25.",
                  key, wrong));
}

std::string place_of_postgresql(const std::string& url) {
  const std::unique_ptr<PQconninfoOption, FreeConninfo> options(PQconninfoParse(url.c_str(), nullptr));
  std::string host = "localhost", port = "5432";
  for (const PQconninfoOption* option = options.get(); option && option->keyword; ++option) {
    const std::string_view name = option->keyword;
    if (!option->val || *option->val == '\0') continue;
    if (name == "host") host = option->val;
    if (name == "port") port = option->val;
  }
  return host + ":" + port;
}

Result<PostgresqlHandle> dial_postgresql(const std::string& url, const PostgresqlOptions& options,
                                         PostgresqlRole role, const std::atomic<bool>* stop) {
  // What the URL leaves open: a dead peer is noticed in seconds, not in hours. Later keys win.
  const char* const keys[] = {"fallback_application_name",
                              "keepalives_idle",
                              "keepalives_interval",
                              "keepalives_count",
                              "tcp_user_timeout",
                              "dbname",
                              nullptr};
  const char* const values[] = {"bedplate", "10", "5", "3", "15000", url.c_str(), nullptr};
  const auto until = steady_clock::now() + milliseconds(options.connect_timeout_ms);
  PostgresqlHandle connection(PQconnectStartParams(keys, values, /*expand_dbname=*/1));
  if (!connection || PQstatus(connection.get()) == CONNECTION_BAD) return not_connected(connection.get());
  PQsetNoticeReceiver(connection.get(), &ignore_notice, nullptr);
  PostgresPollingStatusType step = PGRES_POLLING_WRITING;
  while (step != PGRES_POLLING_OK) {
    if (const char* cause = wait_for(connection.get(), step, until, stop))
      return std::unexpected(postgresql_unavailable().with_subject(cause));
    step = PQconnectPoll(connection.get());
    if (step == PGRES_POLLING_FAILED) return not_connected(connection.get());
  }
  // Behind a pooler a setting would stay with a connection of the server that the next transaction may not
  // get: limits are set inside each transaction instead.
  if (options.transaction_pooler) return connection;
  const PostgresqlResult done =
      exec_postgresql(connection.get(), setup_text(options, role).c_str(), until, stop);
  if (!done) return std::unexpected(postgresql_unavailable().with_subject(kNoAnswer));
  if (PQresultStatus(done.get()) != PGRES_COMMAND_OK) return not_connected(connection.get());
  return connection;
}

PostgresqlResult exec_postgresql(PGconn* connection, const char* sql, steady_clock::time_point until,
                                 const std::atomic<bool>* stop) {
  if (PQsendQuery(connection, sql) != 1) return {};
  return finish_postgresql(connection, until, stop);
}

PostgresqlResult finish_postgresql(PGconn* connection, steady_clock::time_point until,
                                   const std::atomic<bool>* stop) {
  PostgresqlResult last;
  for (;;) {
    while (PQisBusy(connection) == 1) {
      if (wait_for(connection, PGRES_POLLING_READING, until, stop)) return {};
      if (PQconsumeInput(connection) != 1) break;  // PQgetResult() says why
    }
    PostgresqlResult next(PQgetResult(connection));
    if (!next) return last;
    last = std::move(next);
  }
}

PostgresqlHelpers::PostgresqlHelpers(std::size_t threads) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { work(); });
    pthread_setname_np(threads_.back().native_handle(), "sql-dial");
  }
}

void PostgresqlHelpers::run(Job job) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_.load(std::memory_order_relaxed)) return;
    jobs_.push_back(std::move(job));
  }
  filled_.notify_one();
}

void PostgresqlHelpers::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    filled_.wait(lock, [&] { return stopping_.load(std::memory_order_relaxed) || !jobs_.empty(); });
    if (stopping_.load(std::memory_order_relaxed)) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

void PostgresqlHelpers::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_.store(true, std::memory_order_relaxed);
  }
  filled_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  jobs_.clear();
}

}  // namespace bedplate::sql

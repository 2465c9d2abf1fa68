// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/postgresql/maintenance.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "bedplate/sql/error.h"
#include "bedplate/sql/postgresql/arguments.h"
#include "bedplate/sql/postgresql/copy.h"
#include "bedplate/sql/postgresql/dial.h"
#include "bedplate/sql/postgresql/error.h"
#include "bedplate/sql/postgresql/rows.h"
#include "bedplate/sql/postgresql/script.h"
#include "bedplate/sql/postgresql/statement.h"

namespace bedplate::sql {
namespace {

// One runner at a time in a database: an advisory lock that ends with the transaction, so it also holds
// behind a pooler. Any number will do that nobody else takes.
constexpr const char* kBegin =
    "BEGIN; SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = 0; "
    "SELECT pg_advisory_xact_lock(7091600321864001347)";

constexpr const char* kBeginRead =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0; SELECT 1";

class PostgresqlMaintenance final : public Maintenance, private Session {
 public:
  PostgresqlMaintenance(const PostgresqlOptions& options, PostgresqlHandle connection)
      : options_(options), connection_(std::move(connection)), statements_(options.statements_max) {}
  ~PostgresqlMaintenance() override { rollback(); }

  Dialect dialect() const override { return Dialect::postgresql; }
  Result<void> begin() override { return begin_with(kBegin); }
  Result<void> begin_read() override { return begin_with(kBeginRead); }
  Result<void> commit() override;
  void rollback() override {
    if (PQtransactionStatus(connection_.get()) != PQTRANS_IDLE)
      PostgresqlResult(PQexec(connection_.get(), "ROLLBACK"));
  }
  Result<void> run_script(std::string_view script) override;
  Result<std::unique_ptr<BulkInsert>> bulk_insert(std::string_view table,
                                                  std::span<const std::string_view> columns) override {
    return start_postgresql_copy(connection_.get(), options_.value_size_max_bytes, table, columns);
  }
  Session& session() override { return *this; }

 private:
  bool start(Statement& statement) override {
    if (std::optional<Error> error = execute(statement)) statement.error = std::move(error);
    return true;
  }
  Result<void> begin_with(const char* script);
  std::optional<Error> execute(Statement& statement);
  std::optional<Error> describe(PostgresqlStatement& prepared);
  Error error_of(const PGresult* result, std::string_view sql) const;

  const PostgresqlOptions options_;
  PostgresqlHandle connection_;
  PostgresqlStatements statements_;
  PostgresqlArguments arguments_;
};

bool succeeded(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

Error PostgresqlMaintenance::error_of(const PGresult* result, std::string_view sql) const {
  if (PQstatus(connection_.get()) == CONNECTION_BAD) return postgresql_unavailable();
  return postgresql_error(result, sql);
}

Result<void> PostgresqlMaintenance::begin_with(const char* script) {
  PostgresqlResult result(PQexec(connection_.get(), script));
  if (succeeded(result.get())) return {};
  Error error = error_of(result.get(), script);
  rollback();
  return std::unexpected(std::move(error));
}

Result<void> PostgresqlMaintenance::commit() {
  PostgresqlResult result(PQexec(connection_.get(), "COMMIT"));
  if (!succeeded(result.get())) return std::unexpected(error_of(result.get(), "COMMIT"));
  if (std::string_view(PQcmdStatus(result.get())) == "COMMIT") return {};
  return fail(Category::internal, kTransactionFailed, "The server met an unexpected fault.");
}

// "line 3: relation "users" does not exist". Errors of parsing say where; those of running say nothing, so
// the line is that of the statement.
Error script_error(const PGresult* result, std::string_view script, std::size_t statements_done) {
  std::size_t at = 0;
  if (const char* position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION)) {
    std::size_t characters = 0;  // from one
    std::from_chars(position, position + std::string_view(position).size(), characters);
    for (; at < script.size() && characters > 1; ++at)
      if (at + 1 == script.size() || (static_cast<unsigned char>(script[at + 1]) & 0xC0) != 0x80)
        --characters;
  } else {
    const std::vector<std::size_t> starts = statement_starts(script);
    if (statements_done < starts.size()) at = starts[statements_done];
  }
  const auto line = 1 + std::ranges::count(script.substr(0, at), '\n');
  const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  return Error(Category::internal, kSqlError, "The script failed.")
      .with_subject("line " + std::to_string(line) + ": " + (message ? message : "the connection broke"));
}

Result<void> PostgresqlMaintenance::run_script(std::string_view script) {
  const std::string text(script);
  std::optional<Error> error;
  std::size_t done = 0;
  if (PQsendQuery(connection_.get(), text.c_str()) != 1) return std::unexpected(postgresql_unavailable());
  while (PostgresqlResult result = PostgresqlResult(PQgetResult(connection_.get()))) {
    if (succeeded(result.get()))
      ++done;
    else if (!error)
      error = script_error(result.get(), script, done);
  }
  if (error) return std::unexpected(std::move(*error));
  if (PQtransactionStatus(connection_.get()) == PQTRANS_INTRANS) return {};
  return std::unexpected(
      Error(Category::internal, kSqlError, "The script failed.")
          .with_subject("line 1: a script does not begin or end transactions: it runs in one"));
}

std::optional<Error> PostgresqlMaintenance::describe(PostgresqlStatement& prepared) {
  PostgresqlResult made(PQprepare(connection_.get(), "", prepared.sql().c_str(), 0, nullptr));
  if (!succeeded(made.get())) return error_of(made.get(), prepared.sql());
  PostgresqlResult described(PQdescribePrepared(connection_.get(), ""));
  if (!succeeded(described.get())) return error_of(described.get(), prepared.sql());
  prepared.set_description(described.get());
  return std::nullopt;
}

std::optional<Error> PostgresqlMaintenance::execute(Statement& statement) {
  Result<PostgresqlStatement*> found = statements_.find(statement.sql);
  if (!found) return std::move(found.error());
  PostgresqlStatement& prepared = **found;
  // Described each time: scripts change tables in between.
  statements_.renew(prepared, prepared.generation());
  if (std::optional<Error> error = describe(prepared)) return error;
  if (statement.params.size() != prepared.types().size()) return postgresql_fault_of_ours();
  if (std::optional<Error> wrong =
          arguments_.set(statement.params, prepared.types(), options_.value_size_max_bytes))
    return wrong;
  PostgresqlResult result(PQexecPrepared(connection_.get(), "", arguments_.count(), arguments_.values(),
                                         arguments_.lengths(), arguments_.formats(), 1));
  if (!succeeded(result.get())) return error_of(result.get(), statement.sql);
  take_postgresql_rows(statement, prepared, result.get(), options_);
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<Maintenance>> open_postgresql_maintenance(const PostgresqlOptions& options) {
  Result<PostgresqlHandle> connection = dial_postgresql(options.url, options, PostgresqlRole::maintenance);
  if (!connection) return std::unexpected(std::move(connection.error()));
  return std::make_unique<PostgresqlMaintenance>(options, std::move(*connection));
}

}  // namespace bedplate::sql

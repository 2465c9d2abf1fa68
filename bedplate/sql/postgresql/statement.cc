// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/postgresql/statement.h"

#include <algorithm>
#include <utility>

#include "bedplate/base/log.h"
#include "bedplate/sql/postgresql/error.h"

namespace bedplate::sql {
namespace {

// What would end the driver's transaction, or stay behind in a connection that others use next.
constexpr std::string_view kOwnBusiness[] = {
    "ABORT",   "BEGIN", "CHECKPOINT", "COMMIT",    "COPY", "DEALLOCATE", "DECLARE",
    "DISCARD", "END",   "EXECUTE",    "LISTEN",    "LOAD", "MOVE",       "PREPARE",
    "RELEASE", "RESET", "ROLLBACK",   "SAVEPOINT", "SET",  "START",      "UNLISTEN"};

// Without spaces and comments in front.
std::string_view first_word(std::string_view sql) {
  for (;;) {
    const std::size_t start = sql.find_first_not_of(" \t\r\n\f(");
    sql.remove_prefix(std::min(start, sql.size()));
    std::string_view end;
    if (sql.starts_with("--"))
      end = "\n";
    else if (sql.starts_with("/*"))
      end = "*/";  // one inside another ends early, and the word found then is refused or harmless
    else
      break;
    const std::size_t close = sql.find(end);
    if (close == std::string_view::npos) return {};
    sql.remove_prefix(close + end.size());
  }
  std::size_t size = 0;
  while (size < sql.size() && ((sql[size] | 0x20) >= 'a' && (sql[size] | 0x20) <= 'z')) ++size;
  return sql.substr(0, size);
}

bool same_word(std::string_view upper, std::string_view word) {
  return std::ranges::equal(upper, word, [](char a, char b) { return a == (b & ~0x20); });
}

}  // namespace

void PostgresqlStatement::set_description(const PGresult* description) {
  types_.clear();
  for (int i = 0; i < PQnparams(description); ++i) types_.push_back(PQparamtype(description, i));
  described_ = true;
}

void PostgresqlStatement::renew(std::uint32_t generation) {
  generation_ = generation;
  described_ = false;
  types_.clear();
  maps_.clear();
}

Result<const RowMap*> PostgresqlStatement::row_map(const TypeInfo& type, const PostgresqlColumns& columns,
                                                   bool fresh) {
  if (fresh) maps_.clear();
  for (const Mapped& mapped : maps_)
    if (mapped.type == &type && mapped.columns == columns.count()) return &mapped.map;
  Result<void> readable = columns.check();
  if (!readable) {
    log_error("a statement cannot be used", {{"error", readable.error().detail()}, {"sql", sql_}});
    return std::unexpected(postgresql_fault_of_ours().with_subject(readable.error().detail()));
  }
  Result<RowMap> map = RowMap::make(type, columns);
  if (!map) {
    log_error("a statement cannot be used", {{"error", map.error().detail()}, {"sql", sql_}});
    return std::unexpected(postgresql_fault_of_ours().with_subject(map.error().detail()));
  }
  maps_.push_back({&type, columns.count(), std::move(*map)});
  return &maps_.back().map;
}

Result<PostgresqlStatement*> PostgresqlStatements::find(std::string_view sql) {
  Near& near = near_[near_of(sql)];
  if (near.address == sql.data() && near.statement->sql() == sql) return near.statement;
  if (auto found = by_text_.find(sql); found != by_text_.end()) {
    recent_.splice(recent_.begin(), recent_, found->second);
    near = {sql.data(), found->second->get()};
    return near.statement;
  }
  const std::string_view word = first_word(sql);
  for (std::string_view own : kOwnBusiness) {
    if (!same_word(own, word)) continue;
    log_error("a statement cannot be used",
              {{"error", "transactions, settings, COPY and LISTEN are the driver's"}, {"sql", sql}});
    return std::unexpected(postgresql_fault_of_ours());
  }
  const std::uint32_t slot = free_slot();
  recent_.push_front(std::make_unique<PostgresqlStatement>(sql, slot, ++generations_));
  by_text_.emplace(recent_.front()->sql(), recent_.begin());
  return recent_.front().get();
}

// A slot of its own, or that of the one that was not used for the longest time. Those that someone waits for
// stay, so there may be a few more than the limit.
std::uint32_t PostgresqlStatements::free_slot() {
  if (recent_.size() < statements_max_) return slots_++;
  for (auto oldest = recent_.end(); oldest != recent_.begin();) {
    --oldest;
    if ((*oldest)->in_flight > 0) continue;
    const std::uint32_t slot = (*oldest)->slot();
    for (Near& near : near_)
      if (near.statement == oldest->get()) near = {};
    by_text_.erase((*oldest)->sql());
    recent_.erase(oldest);
    return slot;
  }
  return slots_++;
}

}  // namespace bedplate::sql

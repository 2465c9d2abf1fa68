// SPDX-License-Identifier: Apache-2.0
// What is known of each statement text: its parameters' types, how its rows fill structs, and whether it had
// better not share a connection. Private header of the driver; one loop's, shared by that loop's connections.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/describe/rows.h"
#include "bedplate/sql/postgresql/columns.h"
#include "bedplate/sql/postgresql/handle.h"

namespace bedplate::sql {

class PostgresqlStatement {
 public:
  PostgresqlStatement(std::string_view text, std::uint32_t slot, std::uint32_t generation)
      : sql_(text), slot_(slot), generation_(generation) {}

  const std::string& sql() const { return sql_; }
  /// Where a connection remembers whether it has it, and under which number: names are never used again.
  std::uint32_t slot() const { return slot_; }
  std::uint32_t generation() const { return generation_; }
  std::string name() const { return name_of(slot_, generation_); }
  static std::string name_of(std::uint32_t slot, std::uint32_t generation) {
    return "s" + std::to_string(slot) + "_" + std::to_string(generation);
  }

  /// The server has said what its parameters are.
  bool described() const { return described_; }
  const std::vector<Oid>& types() const { return types_; }
  void set_description(const PGresult* description);
  /// For the driver's own: no need to ask the server.
  void declare(std::vector<Oid> types) {
    types_ = std::move(types);
    described_ = true;
  }
  /// A connection has prepared it anew: its rows may look different.
  void forget_rows() { maps_.clear(); }
  /// Nothing of it holds any more: the tables that it names have changed.
  void renew(std::uint32_t generation);

  /// How a row becomes a `type`. `fresh`: do not trust what an earlier answer looked like.
  Result<const RowMap*> row_map(const TypeInfo& type, const PostgresqlColumns& columns, bool fresh);

  /// A read whose first statement this is: it had better have a connection to itself, because more statements
  /// follow it or because it takes long. Learned from how earlier ones went, with some inertia.
  bool prefers_own() const { return lane_ > 0; }
  void went_alone() { lane_ = lane_ > 0 ? lane_ - 1 : 0; }
  void needed_own() { lane_ = kLaneMax; }

  int in_flight = 0;  ///< connections that wait for an answer to it: it stays

 private:
  static constexpr int kLaneMax = 8;
  struct Mapped {
    const TypeInfo* type;
    int columns;
    RowMap map;
  };

  std::string sql_;
  std::uint32_t slot_;
  std::uint32_t generation_;
  bool described_ = false;
  int lane_ = 0;
  std::vector<Oid> types_;
  std::vector<Mapped> maps_;  ///< one, nearly always
};

/// The statements of one loop, by text; the least recently used leaves.
class PostgresqlStatements {
 public:
  explicit PostgresqlStatements(std::size_t statements_max) : statements_max_(statements_max) {}

  /// An error for a text that is the driver's own business: transaction control, settings, COPY, LISTEN.
  Result<PostgresqlStatement*> find(std::string_view sql);
  /// It is to be prepared and described anew, unless that was seen to since it had this generation.
  void renew(PostgresqlStatement& statement, std::uint32_t generation) {
    if (statement.generation() == generation) statement.renew(++generations_);
  }

 private:
  using List = std::list<std::unique_ptr<PostgresqlStatement>>;
  // Before the map, a small table by the address of the text: texts are mostly literals, and comparing costs
  // less than hashing.
  struct Near {
    const char* address = nullptr;
    PostgresqlStatement* statement = nullptr;
  };
  static constexpr std::size_t kNear = 256;
  static std::size_t near_of(std::string_view sql) {
    const auto address = reinterpret_cast<std::uintptr_t>(sql.data());
    return (address ^ (address >> 8) ^ sql.size()) % kNear;
  }
  std::uint32_t free_slot();

  const std::size_t statements_max_;
  std::uint32_t slots_ = 0;
  std::uint32_t generations_ = 0;
  Near near_[kNear];
  List recent_;
  std::unordered_map<std::string_view, List::iterator> by_text_;
};

}  // namespace bedplate::sql

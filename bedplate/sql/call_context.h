// SPDX-License-Identifier: Apache-2.0
// CallContext: on whose behalf a transaction or a read runs, and how fresh it must be.
//
//   CallContext context;
//   context.tenant = caller.tenant();
//   context.after = seen;                       // what this client's last command answered
//   CommitPosition mark;
//   context.committed = &mark;                  // where this one's commit stands
//   co_await ok(db.transact(context, &Store::insert, store, row));
//
// Without one: no tenant, and no word about freshness beyond what database.h promises.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bedplate/base/id.h"
#include "bedplate/base/time.h"

namespace bedplate::sql {

class CommitActions;

/// A position in a database's history of commits: opaque to clients, who carry it from an answer to their
/// next request, so that a replica answers only when it has come so far. Engines without replicas leave it
/// empty. On PostgreSQL it is a position in the write-ahead log; after a fail-over or a restore an old mark
/// may lie ahead of the new history, which costs a short wait and then the primary answers.
class CommitPosition {
 public:
  CommitPosition() = default;
  explicit CommitPosition(std::uint64_t position) : position_(position) {}

  /// Reads what to_string() writes; nothing for any other text.
  static std::optional<CommitPosition> parse(std::string_view text);
  /// 1 to 16 lower-case hexadecimal digits; empty for an empty mark.
  std::string to_string() const;

  bool empty() const { return position_ == 0; }
  std::uint64_t position() const { return position_; }
  auto operator<=>(const CommitPosition&) const = default;

 private:
  std::uint64_t position_ = 0;
};

/// What a transaction sees of others that run at the same time (PostgreSQL's documentation, chapter 13). SQLite runs
/// them one after another, whatever is asked for.
enum class Isolation : std::uint8_t {
  /// As if they ran one after another, which is what SQLite gives: an operation that is right there is right
  /// here. Those that cannot be put in an order are run again.
  serializable,
  repeatable_read,  ///< one snapshot each; two that read the same and write different rows both succeed
  /// One snapshot a statement: what was read may have changed when it is written back. Right for a transaction whose
  /// writes say in their WHERE what they rely on, as `AND version = $3`, and which looks at how many rows there were.
  read_committed,
};

/// Borrowed by the call that it is given to; name it, and let it live until the answer.
struct CallContext {
  CallContext() = default;
  explicit CallContext(const std::optional<Uuid>& of_tenant) : tenant(of_tenant) {}

  /// What transactions of the program's own have: they say in their WHERE what they rely on.
  static CallContext read_committed() {
    CallContext context;
    context.isolation = Isolation::read_committed;
    return context;
  }

  /// Whose rows may be seen and written: see Reader::tenant().
  std::optional<Uuid> tenant;
  /// The user for whom it runs, where that is known: what is left for later (a job) goes on for them.
  std::optional<Uuid> user;
  /// Where the call takes the time from; null: the system's clock.
  const Clock* clock = nullptr;
  /// Reads hold at least what was committed up to here, also from a replica.
  CommitPosition after;
  /// A replica may answer a read, if it has come as far as `after`. Without this the primary does, so that
  /// reads which decide about writes never look at the past.
  bool from_replica = false;
  /// Of a transaction, where it is not the one that the database was opened with.
  std::optional<Isolation> isolation;
  /// Where to put the commit's mark, once it is durable; only engines that have replicas give one. A
  /// command that fails leaves it as it was.
  CommitPosition* committed = nullptr;
  /// What the transaction wants done after its commit: Database fills this in (after_commit.h).
  CommitActions* actions = nullptr;
};

/// The context of a call that has none.
inline const CallContext kNoContext;

}  // namespace bedplate::sql

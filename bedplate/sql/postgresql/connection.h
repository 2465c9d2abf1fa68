// SPDX-License-Identifier: Apache-2.0
// One connection in libpq's pipeline mode: what is sent is answered in order, nobody waits in between. Inside
// the driver only; on its loop's thread.
//
// What stands between two syncs is a group: outside BEGIN and COMMIT it is one implicit transaction, and an
// error in it makes the server skip the rest of it.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/loop.h"
#include "bedplate/base/id.h"
#include "bedplate/sql/postgresql/arguments.h"
#include "bedplate/sql/postgresql/handle.h"
#include "bedplate/sql/postgresql/incoming.h"
#include "bedplate/sql/postgresql/postgresql.h"
#include "bedplate/sql/postgresql/slow_log.h"
#include "bedplate/sql/postgresql/statement.h"
#include "bedplate/sql/session.h"

namespace bedplate::sql {

/// One statement on its way. It belongs to the session that sent it, which takes it back (detach()) before it
/// goes.
struct PostgresqlCall {
  Statement* statement = nullptr;  ///< null: nobody waits any more
  PostgresqlStatement* prepared = nullptr;
  const std::optional<Uuid>* tenant = nullptr;
  std::uint32_t generation = 0;  ///< of `prepared`, when it was sent
  int sends = 0;
};

enum class PostgresqlControl : std::uint8_t { setting, begin, commit, mark, rollback };

/// Who uses a connection, and hears of every answer. Coroutines are resumed later in the loop's turn, never
/// from here; the connection stays until the turn's end.
class PostgresqlUser {
 public:
  virtual void on_rows(PostgresqlCall& call, const PGresult* result) = 0;
  virtual void on_failed(PostgresqlCall& call, const PGresult* result) = 0;
  /// Its answer is larger than may be, and nothing of it is kept; on_lost() comes next.
  virtual void on_too_large(PostgresqlCall& call) = 0;
  /// It was skipped, because something before it in its group failed.
  virtual void on_skipped(PostgresqlCall& call) = 0;
  /// Its parameters' types are known now: it can be sent again.
  virtual void on_described(PostgresqlCall& call) = 0;
  virtual void on_control(PostgresqlControl what, const PGresult* result) = 0;
  virtual void on_synced() = 0;
  /// It is over. Those of its calls that were not answered come one by one to on_unanswered(), and then this.
  virtual void on_unanswered(PostgresqlCall& call) = 0;
  virtual void on_lost() = 0;

 protected:
  ~PostgresqlUser() = default;
};

class PostgresqlConnection final : private FdWatch {
 public:
  enum class Sent : std::uint8_t {
    sent,
    refused,  ///< the statement has its error already: an argument is not one that can be sent
    broken,   ///< on_lost() comes, or has come
  };

  PostgresqlConnection(Loop& loop, PostgresqlHandle handle, const PostgresqlOptions& options,
                       PostgresqlSlowLog& slow_log, PostgresqlUser& user);
  ~PostgresqlConnection() override;

  /// Begins to listen. False: the system has no room for it.
  bool start();
  /// Sends a call, or what must be known before it can be sent (then on_described() comes).
  Sent send(PostgresqlCall& call);
  /// Makes `tenant` that of what follows in this transaction, if it is not already.
  bool send_tenant(PostgresqlStatement& setter, const std::optional<Uuid>& tenant);
  bool send_control(PostgresqlControl what, const char* sql);
  /// Ends the group and sends everything off.
  bool sync();
  /// Its answer is for nobody.
  void detach(const PostgresqlCall& call);
  /// Ends it now: on_lost() comes before this returns. Not from one of the user's functions.
  void close() { lose(); }
  /// It is not to be used any more; on_lost() comes at the end of this turn.
  void give_up() { lose_later(); }
  /// Forgets what the connection was told of the tenant: its transaction is over.
  void forget_tenant() { tenant_.reset(); }

  bool broken() const { return broken_; }
  /// May be destroyed: nothing of the loop's refers to it.
  bool disposable() const { return !loses_later_; }
  bool idle() const { return in_flight_.empty(); }
  /// How long the oldest of what is in flight has been waiting for a sign of life.
  Loop::TimePoint::duration silence() const;
  std::size_t in_flight() const { return in_flight_.size(); }
  PGconn* handle() const { return handle_.get(); }

 private:
  enum class Kind : std::uint8_t { prepare, describe, query, control, sync };
  struct Flight {
    Kind kind;
    PostgresqlControl control = PostgresqlControl::setting;
    PostgresqlCall* call = nullptr;
    PostgresqlStatement* prepared = nullptr;
    std::uint32_t generation = 0;
    std::string_view name{};  ///< the statement's
    Loop::TimePoint since{};
  };

  void on_ready(bool readable, bool writable) override;
  bool prepare(PostgresqlStatement& statement, PostgresqlCall* call);
  bool send_description(PostgresqlCall& call);
  std::optional<Error> set_arguments(PostgresqlCall& call);
  bool push(int sent, Flight flight);
  void pop();
  bool flush();
  void read_answers();
  void end_too_large();
  void take(Flight& flight, const PGresult* result);
  void take_failure(Flight& flight, const PGresult* result, bool skipped);
  void note_run(const Flight& flight, bool failed);
  void lose();
  void lose_later();
  std::uint32_t& has(const PostgresqlStatement& statement);

  PostgresqlHandle handle_;
  const PostgresqlOptions& options_;
  PostgresqlSlowLog& slow_log_;
  PostgresqlUser& user_;
  PostgresqlArguments arguments_;
  std::deque<Flight> in_flight_;
  std::vector<std::uint32_t> has_;  ///< [slot]: the generation of the statement that is prepared; 0: none
  std::optional<Uuid> tenant_;      ///< what the transaction under way was told
  bool answered_ = false;           ///< the oldest in flight has its answer; its end mark is still to come
  bool broken_ = false;
  PostgresqlIncoming incoming_;
  Loop::TimePoint last_answer_{};
  Loop::TimePoint last_rows_{};  ///< the last answer to a query
  struct Loser : Work {
    explicit Loser(PostgresqlConnection& of) : connection(of) {}
    PostgresqlConnection& connection;
  } loser_;
  bool loses_later_ = false;
};

}  // namespace bedplate::sql

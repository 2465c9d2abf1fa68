// SPDX-License-Identifier: Apache-2.0
// Hears PostgreSQL's NOTIFY: what other processes (and this one) say beside the data.
//
//   class Evictions : public PostgresqlNotificationListener::Hearer { ... };
//   auto listener = PostgresqlNotificationListener::start(options, {"evictions"}, hearer);
//   co_await ok(tx.run("SELECT pg_notify('evictions', $1)", key));     // said when the transaction commits
//
// A thread with a connection of its own. When that breaks it is made again, with back-off; what was said
// meanwhile is lost, so on_gap() comes first and whoever keeps state built from notifications starts over.
// Not behind a pooler in transaction mode: start() refuses.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/sql/postgresql/postgresql.h"

namespace bedplate::sql {

class PostgresqlNotificationListener {
 public:
  /// Called on the listener's thread, one at a time; not for long.
  class Hearer {
   public:
    virtual void on_notification(std::string_view channel, std::string_view payload) = 0;
    /// It listens now, for the first time or again: anything may have been said before.
    virtual void on_gap() = 0;

   protected:
    ~Hearer() = default;
  };

  /// Listens soon; the server need not be there yet. Channels are names: letters, digits and underscores. The
  /// hearer outlives it.
  static Result<std::unique_ptr<PostgresqlNotificationListener>> start(const PostgresqlOptions& options,
                                                                       std::vector<std::string> channels,
                                                                       Hearer& hearer);
  PostgresqlNotificationListener(const PostgresqlNotificationListener&) = delete;
  PostgresqlNotificationListener& operator=(const PostgresqlNotificationListener&) = delete;
  ~PostgresqlNotificationListener() { stop(); }

  /// After it returns the hearer is called no more. Idempotent.
  void stop();

 private:
  PostgresqlNotificationListener(const PostgresqlOptions& options, std::vector<std::string> channels,
                                 Hearer& hearer);
  void run();
  void listen_once();
  bool pause(std::int64_t ms);

  const PostgresqlOptions options_;
  const std::vector<std::string> channels_;
  Hearer& hearer_;
  const int wake_fd_;
  std::atomic<bool> stopping_{false};
  bool connected_ = false;
  std::thread thread_;
};

}  // namespace bedplate::sql

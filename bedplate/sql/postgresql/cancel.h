// SPDX-License-Identifier: Apache-2.0
// Asking the server to stop a query. libpq does that with a call that blocks and knows no limit of time, and
// keeps what a call of our own would need to itself: a server that is frozen (its kernel takes connections, and
// nobody answers) holds it for as long as it likes. So each request has a thread, which nobody ever waits for.
// Private header of the driver.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>

#include "bedplate/async/loop.h"
#include "bedplate/sql/postgresql/handle.h"

namespace bedplate::sql {

/// A request on its way, for who wants to hear of its end. Who lets go of it does not. The loop's thread.
class PostgresqlCancel {
 public:
  PostgresqlCancel() = default;
  PostgresqlCancel(PostgresqlCancel&&) = default;
  PostgresqlCancel& operator=(PostgresqlCancel&& other) noexcept {
    let_go();
    request_ = std::move(other.request_);
    return *this;
  }
  ~PostgresqlCancel() { let_go(); }

  bool on_its_way() const { return request_ != nullptr; }

 private:
  friend class PostgresqlCancellers;
  struct Request;
  static void deliver(const std::shared_ptr<Request>& request);
  void let_go();

  std::shared_ptr<Request> request_;
};

/// The requests of one database. Thread-safe; may go while requests are on their way.
class PostgresqlCancellers {
 public:
  static constexpr std::size_t kAtOnceMax = 16;

  /// Asks the server to stop what runs on `connection`. `done` is called on `loop`, in a later turn, when the
  /// server has taken the request or cannot be reached: before that it may still hit whatever runs on the
  /// connection. Nothing is on its way when kAtOnceMax are, or the system has no room for a thread.
  PostgresqlCancel send(PGconn* connection, Loop& loop, std::move_only_function<void()> done);

 private:
  std::shared_ptr<std::atomic<std::size_t>> at_once_ = std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace bedplate::sql

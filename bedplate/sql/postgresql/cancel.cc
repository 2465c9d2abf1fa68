// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/postgresql/cancel.h"

#include <pthread.h>

#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "bedplate/base/log.h"

namespace bedplate::sql {
namespace {

struct FreeCancel {
  void operator()(PGcancel* cancel) const { PQfreeCancel(cancel); }
};

/// One of those that may be on their way at once.
class Place {
 public:
  explicit Place(std::shared_ptr<std::atomic<std::size_t>> taken) : taken_(std::move(taken)) {
    got_ = taken_->fetch_add(1, std::memory_order_relaxed) < PostgresqlCancellers::kAtOnceMax;
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { taken_->fetch_sub(1, std::memory_order_relaxed); }

  bool got() const { return got_; }

 private:
  std::shared_ptr<std::atomic<std::size_t>> taken_;
  bool got_ = false;
};

}  // namespace

// Shared by the thread, which may outlive the database, and by who waits.
struct PostgresqlCancel::Request {
  Request(std::shared_ptr<std::atomic<std::size_t>> taken, PGconn* connection, Loop& on,
          std::move_only_function<void()> then)
      : place(std::move(taken)), cancel(PQgetCancel(connection)), loop(&on), done(std::move(then)) {}

  Place place;
  std::unique_ptr<PGcancel, FreeCancel> cancel;
  std::mutex mutex;
  Loop* loop;  ///< null: nobody waits any more, and the loop may be gone
  std::move_only_function<void()> done;
};

void PostgresqlCancel::let_go() {
  if (!request_) return;
  {
    std::lock_guard lock(request_->mutex);
    request_->loop = nullptr;
  }
  request_.reset();
}

void PostgresqlCancel::deliver(const std::shared_ptr<Request>& request) {
  char why[256] = "out of memory";
  const bool sent = request->cancel && PQcancel(request->cancel.get(), why, sizeof why) == 1;
  std::lock_guard lock(request->mutex);
  if (!request->loop) return;
  if (!sent) log_warn("a query could not be stopped", {{"error", why}});
  request->loop->post_callable([request] {
    if (request->loop) request->done();  // only the loop's thread makes it null
  });
}

PostgresqlCancel PostgresqlCancellers::send(PGconn* connection, Loop& loop,
                                            std::move_only_function<void()> done) {
  PostgresqlCancel cancel;
  auto request = std::make_shared<PostgresqlCancel::Request>(at_once_, connection, loop, std::move(done));
  if (!request->place.got()) return cancel;
  try {
    std::thread thread([request] { PostgresqlCancel::deliver(request); });
    pthread_setname_np(thread.native_handle(), "sql-cancel");
    thread.detach();
    cancel.request_ = std::move(request);
  } catch (const std::system_error& error) {
    log_warn("a query could not be stopped", {{"error", error.what()}});
  }
  return cancel;
}

}  // namespace bedplate::sql

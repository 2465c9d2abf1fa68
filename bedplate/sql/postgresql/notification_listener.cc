// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/postgresql/notification_listener.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "bedplate/base/log.h"
#include "bedplate/sql/error.h"
#include "bedplate/sql/postgresql/dial.h"

namespace bedplate::sql {
namespace {

constexpr std::int64_t kBackoffMinMs = 100;
constexpr std::int64_t kBackoffMaxMs = 5'000;
constexpr int kProbeMs = 30'000;  // a quiet connection is asked whether it is still there
constexpr std::size_t kNameMax = 63;

bool is_channel(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name.size() <= kNameMax && std::ranges::all_of(name, fits);
}

bool succeeds(PGconn* connection, const std::string& sql, const PostgresqlOptions& options,
              const std::atomic<bool>& stop) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(options.connect_timeout_ms);
  const PostgresqlResult result = exec_postgresql(connection, sql.c_str(), until, &stop);
  return PQresultStatus(result.get()) == PGRES_COMMAND_OK ||
         PQresultStatus(result.get()) == PGRES_EMPTY_QUERY;
}

struct FreeNotify {
  void operator()(PGnotify* notify) const { PQfreemem(notify); }
};

}  // namespace

Result<std::unique_ptr<PostgresqlNotificationListener>> PostgresqlNotificationListener::start(
    const PostgresqlOptions& options, std::vector<std::string> channels, Hearer& hearer) {
  if (options.transaction_pooler)
    return fail(Category::invalid, "listen_pooler",
                "LISTEN does not work behind a pooler in transaction mode (database.postgresql.pooler).");
  for (const std::string& channel : channels)
    if (!is_channel(channel))
      return fail(Category::invalid, "listen_channel",
                  "A channel's name has 1 to 63 letters, digits and underscores.");
  return std::unique_ptr<PostgresqlNotificationListener>(
      new PostgresqlNotificationListener(options, std::move(channels), hearer));
}

PostgresqlNotificationListener::PostgresqlNotificationListener(const PostgresqlOptions& options,
                                                               std::vector<std::string> channels,
                                                               Hearer& hearer)
    : options_(options),
      channels_(std::move(channels)),
      hearer_(hearer),
      wake_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "sql-listen");
}

void PostgresqlNotificationListener::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true);
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof one);
  thread_.join();
  ::close(wake_fd_);
}

// True: it is to stop.
bool PostgresqlNotificationListener::pause(std::int64_t ms) {
  pollfd wake{.fd = wake_fd_, .events = POLLIN, .revents = 0};
  ::poll(&wake, 1, static_cast<int>(ms));
  return stopping_.load();
}

void PostgresqlNotificationListener::run() {
  std::int64_t backoff_ms = kBackoffMinMs;
  while (!stopping_.load()) {
    connected_ = false;
    listen_once();
    backoff_ms = connected_ ? kBackoffMinMs : std::min(2 * backoff_ms, kBackoffMaxMs);
    if (pause(backoff_ms)) return;
  }
}

// Until the connection breaks, or stop().
void PostgresqlNotificationListener::listen_once() {
  Result<PostgresqlHandle> dialed =
      dial_postgresql(options_.url, options_, PostgresqlRole::maintenance, &stopping_);
  if (!dialed) {
    log_warn("notifications of the database are not heard", {{"error", dialed.error().subject()}});
    return;
  }
  PGconn* connection = dialed->get();
  std::string listen;
  for (const std::string& channel : channels_) listen += "LISTEN \"" + channel + "\";";
  if (!succeeds(connection, listen, options_, stopping_)) return;
  connected_ = true;
  hearer_.on_gap();
  while (!stopping_.load()) {
    while (const auto notify = std::unique_ptr<PGnotify, FreeNotify>(PQnotifies(connection)))
      hearer_.on_notification(notify->relname, notify->extra);
    pollfd ready[] = {{.fd = PQsocket(connection), .events = POLLIN, .revents = 0},
                      {.fd = wake_fd_, .events = POLLIN, .revents = 0}};
    const int polled = ::poll(ready, 2, kProbeMs);
    if (polled == 0 && !succeeds(connection, "", options_, stopping_)) return;
    if (PQconsumeInput(connection) != 1 || PQstatus(connection) == CONNECTION_BAD) return;
  }
}

}  // namespace bedplate::sql

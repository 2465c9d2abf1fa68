// SPDX-License-Identifier: Apache-2.0
// Host: one running instance of an application. It owns the database, the loops, the server, and the services that
// wire() makes.
//
//   auto host = Host::open(application);          // settings read, database open and migrated
//   (*host)->serve();                             // listens; url() is known
//   (*host)->stop();                              // drains, stops, closes
//
// Order of life: take the addresses -> wire() makes services (no database yet) -> open the database, migrate ->
// on_start() hooks -> serve -> drain -> on_stop() hooks, newest first -> services are destroyed, newest first ->
// database and loops.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bedplate/app/background.h"
#include "bedplate/app/settings.h"
#include "bedplate/async/async.h"
#include "bedplate/async/loop_group.h"
#include "bedplate/auth/sealing_key.h"
#include "bedplate/base/result.h"
#include "bedplate/base/time.h"
#include "bedplate/events/consumers/consumers.h"
#include "bedplate/events/event_log.h"
#include "bedplate/execution/audit.h"
#include "bedplate/execution/settings.h"
#include "bedplate/http/settings.h"
#include "bedplate/jobs/cron.h"
#include "bedplate/jobs/declaration.h"
#include "bedplate/jobs/settings.h"
#include "bedplate/operations/api.h"
#include "bedplate/sql/database.h"
#include "bedplate/surfaces/rest/settings.h"

namespace bedplate {
namespace api {
class CommitHook;
class Executor;
struct DocumentInfo;
}  // namespace api
namespace auth {
class Authenticator;
class UserDataOwner;
}  // namespace auth
namespace cache {
class LoadingCache;
class Locks;
class ChangeNotifier;
}  // namespace cache
namespace jobs {
class Workers;
}
namespace telemetry {
class Health;
class Registry;
}  // namespace telemetry
namespace schedule {
class Zones;
}  // namespace schedule
}  // namespace bedplate

namespace bedplate::app {

class Application;

/// Who gets a scope.
enum class ScopeHolders : std::uint8_t {
  users,  ///< everybody with an account
  admins,
};
inline constexpr ScopeHolders for_users = ScopeHolders::users;
inline constexpr ScopeHolders for_admins = ScopeHolders::admins;

/// A scope that a module's operations need().
struct DeclaredScope {
  std::string name;
  ScopeHolders holders;
};

/// The settings that Host itself reads, one member a section.
struct HostSettings {
  DataSettings data;
  DatabaseSettings database;
  SqliteSettings sqlite;
  PostgresqlSettings postgresql;
  CacheSettings cache;
  http::ServerSettings server;
  LogSettings log;
  TelemetrySettings telemetry;
  ScheduleSettings schedule;
  api::RestSettings rest;
  api::RateLimitSettings rate_limit;
  api::CorsSettings cors;
  api::IdempotencySettings idempotency;
  api::AuditSettings audit;
  events::EventSettings events;
  jobs::JobSettings jobs;
};

/// Makes the directory (0700) when there is none.
Result<void> make_data_directory(const std::string& path);

/// What opening is for: it decides which locks are taken and what is started.
enum class HostPurpose {
  serve,     ///< alone in the data directory, if the database is in it; listens when serve() is called
  command,   ///< an application's command, also beside a process that serves; makes no data directory
  prepare,   ///< the same for a command that may be the first: it makes what is missing
  repair,    ///< the same without on_start() hooks: works on data with which the services would not start
  describe,  ///< only to look at the operations: no database, no hooks
};

class Host {
 public:
  /// Wires `application`, which outlives the host and has been configured, and opens what `purpose` needs. Blocks.
  static Result<std::unique_ptr<Host>> open(const Application& application, HostPurpose purpose);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  /// stop(), if that was not called.
  ~Host();

  // ---- For wire(): what the application is made of.

  /// Makes a service that lives as long as the host.
  template <class T, class... Args>
  T& make(Args&&... args) {
    auto owned = std::make_shared<T>(std::forward<Args>(args)...);
    owned_.push_back(owned);
    return *owned;
  }
  /// The same for one that was made already.
  template <class T>
  T& own(std::unique_ptr<T> service) {
    std::shared_ptr<T> owned = std::move(service);
    owned_.push_back(owned);
    return *owned;
  }
  void serve(api::Api api) { apis_.push_back(std::move(api)); }
  /// The same of a module, whose scopes are declared.
  void serve_module(api::Api api) {
    modules_served_.emplace_back(api.name());
    apis_.push_back(std::move(api));
  }
  /// The same, where the program has accounts (authenticate_with()).
  void serve_to_users(api::Api api) { apis_for_users_.push_back(std::move(api)); }
  /// Its rows of a user go when the account goes. app::Module says it of every service that owns some.
  void add_user_data_owner(auth::UserDataOwner& owner) { user_data_owners_.push_back(&owner); }
  void declare_scopes(const std::vector<DeclaredScope>& scopes);
  void declare_event_types(const std::vector<std::string>& types) {
    event_types_.insert(event_types_.end(), types.begin(), types.end());
  }
  void declare_consumer(events::ConsumerDeclaration consumer) {
    consumers_declared_.push_back(std::move(consumer));
  }
  void declare_crons(const std::vector<jobs::CronDeclaration>& crons);
  void declare_jobs(const std::vector<jobs::Declaration>& jobs);
  /// Who knows the bearers of tokens. Needed as soon as an operation is not open to all.
  void authenticate_with(auth::Authenticator& authenticator) { authenticator_ = &authenticator; }
  /// Takes part in the commit of every command.
  void commit_with(api::CommitHook& hook) { commit_hooks_.push_back(&hook); }
  /// Runs once the database is open and migrated, on the main thread, before anything is served. Its failure ends the
  /// start. Not called for HostPurpose::describe and repair.
  void on_start(std::function<Result<void>()> hook) { start_hooks_.push_back(std::move(hook)); }
  /// Runs after the last request was answered and before background tasks are cancelled: lets them end what they do.
  void on_drain(std::function<void()> hook) { drain_hooks_.push_back(std::move(hook)); }
  /// Runs after the last request was answered, while loops and database still work.
  void on_stop(std::function<void()> hook) { stop_hooks_.push_back(std::move(hook)); }
  /// `table` follows from others: copies between databases leave it out, and `rebuild` makes it anew in one that was
  /// filled. It may be called again after an interruption. (A search index says so by itself: Application::derived().)
  void rebuilt_after_copy(std::string_view table, std::function<Result<void>()> rebuild) {
    derived_tables_.emplace_back(table);
    rebuilds_.push_back(std::move(rebuild));
  }
  /// A database that services use beside database(): it is closed with that one, when the loops have ended and before
  /// they are gone. It outlives the host.
  void close_with(sql::Database& other) { other_databases_.push_back(&other); }
  /// A coroutine beside the requests, while serving; it is started again when it ends. See background.h.
  void in_background(std::string_view name, BackgroundTasks::Body body);

  HostPurpose purpose() const { return purpose_; }
  /// What takes part in every commit. Complete from on_start() on.
  const std::vector<api::CommitHook*>& commit_hooks() const { return commit_hooks_; }
  /// Everybody who keeps rows of users: one list for requests and for the command line. Complete from on_start() on.
  const std::vector<auth::UserDataOwner*>& user_data_owners() const { return user_data_owners_; }
  /// What modules declare, in their order, each once. Complete from on_start() on.
  std::vector<std::string> declared_scopes(ScopeHolders holders) const;
  /// The types of events and the consumers that modules declare. Complete from on_start() on.
  const std::vector<std::string>& event_types() const { return event_types_; }
  const std::vector<events::ConsumerDeclaration>& declared_consumers() const { return consumers_declared_; }
  /// Who runs them.
  void consume_with(events::Consumers& consumers) { consumers_ = &consumers; }
  events::Consumers& consumers() { return *consumers_; }
  /// The cron jobs that modules declare. Complete from on_start() on.
  const std::vector<jobs::CronDeclaration>& declared_crons() const { return declared_crons_; }
  /// Who enqueues them; null: no module declares any, or nothing is served.
  void enqueue_crons_with(const jobs::Cron& cron) { cron_ = &cron; }
  const jobs::Cron* cron() const { return cron_; }
  /// The jobs that modules declare. Complete from on_start() on.
  const std::vector<jobs::Declaration>& declared_jobs() const { return declared_jobs_; }
  /// Who runs them.
  void run_jobs_with(jobs::Workers& workers) { workers_of_jobs_ = &workers; }
  jobs::Workers& job_workers() { return *workers_of_jobs_; }
  /// The program's key for secrets in the database: read from the file that a module names (Module::key_file()), or
  /// from identity.key in the data directory, where it is made at the first start. A host that only describes has one
  /// that is kept nowhere.
  Result<auth::SealingKey> sealing_key();
  const Clock& clock() const;
  const HostSettings& settings() const;
  const std::string& data_directory() const;
  /// Which engine database() will be, for services whose SQL differs.
  sql::Dialect dialect() const;
  telemetry::Registry& metrics();
  telemetry::Health& health();
  /// The cache of cache.url, for services to keep what is dear to load (cache/region.h).
  cache::LoadingCache& cache();
  /// Locks among all replicas (of this process alone without a Redis): cache/lock.h.
  cache::Locks& locks();
  /// Time zones, of schedule.zoneinfo or of the program: schedule/schedule.h.
  schedule::Zones& zones();
  /// How replicas tell one another that something changed; null without a Redis.
  cache::ChangeNotifier* change_notifier();

  // ---- From on_start() on.

  sql::Database& database();
  /// Runs operations: what is not HTTP calls them through it too.
  api::Executor& executor();
  /// Runs a coroutine on one of the host's loops and waits for it. Not from a loop's thread.
  template <class T>
  Result<T> wait_for(Async<T> coroutine);

  // ---- For the commands that copy.

  /// What copies leave out: of Application::derived() and rebuilt_after_copy().
  std::vector<std::string> derived_tables() const;
  Result<void> rebuild_derived();

  // ---- Serving.

  /// Listens and answers; returns once connections are accepted.
  Result<void> serve();
  /// What clients can use, after serve(): "http://127.0.0.1:43121".
  const std::vector<std::string>& urls() const;
  /// Where /healthz and /metrics are, after serve().
  const std::string& operations_url() const;
  /// Drains as the settings say, stops and closes everything. Idempotent. Blocks. False: requests were cut off.
  bool stop();
  /// The OpenAPI document of what is served.
  Result<std::string> openapi();

 private:
  struct Running;
  Host(const Application& application, HostPurpose purpose);
  /// Takes the addresses of server.listen, before anything is made on disk; later those in folders yet to be made.
  Result<void> bind_listeners(bool folders_are_made);
  Result<void> open_database();
  Result<void> make_executor();
  /// Every scope that an operation of a module needs is one that a module declares.
  Result<void> check_scopes() const;
  Result<void> migrate();
  api::DocumentInfo document_info() const;
  /// What wire() serves, and the health of it.
  std::vector<api::Api> all_apis();
  /// Registers what /healthz and /metrics show.
  void observe();
  LoopGroup& loops();
  void close();

  const Application& application_;
  const HostPurpose purpose_;
  std::unique_ptr<Running> running_;
  std::vector<std::shared_ptr<void>> owned_;
  std::vector<api::Api> apis_;
  std::vector<api::Api> apis_for_users_;
  std::vector<std::string> modules_served_;
  auth::Authenticator* authenticator_ = nullptr;
  std::vector<api::CommitHook*> commit_hooks_;
  std::vector<auth::UserDataOwner*> user_data_owners_;
  std::vector<DeclaredScope> declared_scopes_;
  std::vector<jobs::Declaration> declared_jobs_;
  std::vector<jobs::CronDeclaration> declared_crons_;
  std::vector<std::string> event_types_;
  std::vector<events::ConsumerDeclaration> consumers_declared_;
  events::Consumers* consumers_ = nullptr;
  const jobs::Cron* cron_ = nullptr;
  jobs::Workers* workers_of_jobs_ = nullptr;
  std::vector<std::function<Result<void>()>> start_hooks_;
  std::vector<std::function<void()>> drain_hooks_;
  std::vector<std::function<void()>> stop_hooks_;
  std::vector<sql::Database*> other_databases_;
  std::vector<std::string> derived_tables_;
  std::vector<std::function<Result<void>()>> rebuilds_;
};

// ---- details

namespace detail {
template <class T>
Async<void> finish_into(Async<T> coroutine, std::optional<Result<T>>& result, std::binary_semaphore& done) {
  result.emplace(co_await std::move(coroutine));
  done.release();
}
}  // namespace detail

template <class T>
Result<T> Host::wait_for(Async<T> coroutine) {
  std::optional<Result<T>> result;
  std::binary_semaphore done{0};
  loops().loop(0).spawn(detail::finish_into(std::move(coroutine), result, done));
  done.acquire();
  return std::move(*result);
}

}  // namespace bedplate::app

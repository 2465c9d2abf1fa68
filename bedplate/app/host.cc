// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/host.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "bedplate/app/application.h"
#include "bedplate/app/caching.h"
#include "bedplate/app/database_place.h"
#include "bedplate/app/health_checks.h"
#include "bedplate/app/operations.h"
#include "bedplate/async/address.h"
#include "bedplate/async/listener.h"
#include "bedplate/base/log.h"
#include "bedplate/execution/executor.h"
#include "bedplate/http/server.h"
#include "bedplate/http/server_metrics.h"
#include "bedplate/schedule/zones.h"
#include "bedplate/sql/drivers/open.h"
#include "bedplate/sql/metrics.h"
#include "bedplate/sql/migrate.h"
#include "bedplate/sql/sqlite/data_lock.h"
#include "bedplate/sql/tenants.h"
#include "bedplate/sql/transfer/data_copy.h"
#include "bedplate/surfaces/openapi/openapi.h"
#include "bedplate/surfaces/rest/health_routes.h"
#include "bedplate/surfaces/rest/problem.h"
#include "bedplate/surfaces/rest/rest.h"
#include "bedplate/telemetry/health.h"
#include "bedplate/telemetry/metrics.h"
#include "bedplate/telemetry/process.h"

namespace bedplate::app {

/// What a host holds once it is open, in the order in which it is made; stop() takes it apart the other way round.
struct Host::Running {
  telemetry::Registry metrics;
  telemetry::Health health;
  telemetry::ProcessCollector process;
  telemetry::Watch process_watch = metrics.watch(process);
  std::vector<std::optional<ListenSockets>> listeners;  // one for each address of server.listen
  std::optional<sql::DataLock> lock;
  std::unique_ptr<Operations> operations;
  std::unique_ptr<sql::Database> database;
  std::unique_ptr<sql::DatabaseMetrics> database_metrics;
  telemetry::Watch database_watch;
  std::unique_ptr<DatabaseCheck> database_check;
  std::unique_ptr<ClockCheck> clock_check;
  std::deque<ReplicaCheck> replica_checks;
  std::unique_ptr<DiskCheck> disk_check;
  std::unique_ptr<schedule::Zones> zones;
  std::unique_ptr<ZonesCheck> zones_check;
  std::unique_ptr<LoopGroup> loops;
  std::unique_ptr<LoopGroup> workers;  ///< for background work; null: `loops` do it
  std::unique_ptr<Caching> caching;
  BackgroundTasks background{metrics};
  std::unique_ptr<api::HealthRoutes> health_routes;
  std::unique_ptr<api::Executor> executor;
  std::unique_ptr<api::Rest> rest;
  api::ServerProblems problems;
  std::unique_ptr<http::Server> server;
  std::unique_ptr<http::ServerMetrics> server_metrics;
  telemetry::Watch server_watch;
  bool cut_off = false;
};

namespace {

std::size_t loop_count(const http::ServerSettings& settings) {
  if (settings.threads > 0) return settings.threads;
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

Result<void> make_data_directory(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return {};
  std::filesystem::create_directories(path, error);
  if (!error) std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
  if (error)
    return fail(Category::unavailable, "data_directory",
                "Cannot make the data directory " + path + ": " + error.message() + ".");
  return {};
}

namespace {

sql::DatabaseOptions database_options(const HostSettings& all_settings) {
  const DatabaseSettings& settings = all_settings.database;
  sql::DatabaseOptions all;
  sql::SqliteOptions& options = all.sqlite;
  options.batch_max = static_cast<std::size_t>(all_settings.sqlite.group_commit_max);
  options.wal_coalescing = all_settings.sqlite.wal_coalescing;
  options.queue_max = static_cast<std::size_t>(settings.queue_max);
  options.reader_threads = static_cast<std::size_t>(all_settings.sqlite.reader_threads);
  options.read_time_max_ms = settings.read_timeout_ms;
  options.command_time_max_ms = settings.command_timeout_ms;
  options.busy_timeout_ms = settings.busy_timeout_ms;
  options.slow_query_ms = settings.slow_query_ms;
  options.cache_size_kib = static_cast<std::size_t>(all_settings.sqlite.cache_kib);

  sql::PostgresqlOptions& server = all.postgresql;
  server.replica_urls = words_of(all_settings.postgresql.replica_urls);
  server.transaction_pooler = all_settings.postgresql.pooler == DatabasePooler::transaction;
  server.isolation =
      static_cast<sql::Isolation>(all_settings.postgresql.isolation);  // the same names in order
  server.read_connections = static_cast<std::size_t>(all_settings.postgresql.read_connections);
  server.transaction_connections = static_cast<std::size_t>(all_settings.postgresql.transaction_connections);
  server.queue_max = options.queue_max;
  server.connect_timeout_ms = all_settings.postgresql.connect_timeout_ms;
  server.replica_wait_ms = all_settings.postgresql.replica_wait_ms;
  server.read_time_max_ms = settings.read_timeout_ms;
  server.command_time_max_ms = settings.command_timeout_ms;
  server.lock_time_max_ms = settings.busy_timeout_ms;
  server.slow_query_ms = settings.slow_query_ms;
  server.result_size_max_bytes = static_cast<std::size_t>(all_settings.postgresql.result_size_max_kib) * 1024;
  return all;
}

}  // namespace

namespace {

// Passwords and tokens pass in the clear there, unless something in front of it speaks TLS.
void warn_about_plain_http(const std::vector<std::string>& urls) {
  for (const std::string& url : urls) {
    const bool local =
        url.starts_with("http://127.") || url.starts_with("http://[::1]") || url.starts_with("http+unix:");
    if (!local)
      log_warn("plain HTTP is open beyond this machine: let only a proxy that speaks TLS reach it",
               {{"url", url}});
  }
}

}  // namespace

Host::Host(const Application& application, HostPurpose purpose)
    : application_(application), purpose_(purpose), running_(std::make_unique<Running>()) {}

Host::~Host() {
  stop();
}

const Clock& Host::clock() const {
  return application_.clock();
}
const HostSettings& Host::settings() const {
  return application_.host_settings();
}
const std::string& Host::data_directory() const {
  return settings().data.directory;
}
sql::Dialect Host::dialect() const {
  const std::string& url = settings().database.url;
  // What is wrong with a URL is said when the database is opened.
  return url.empty() ? sql::Dialect::sqlite : sql::dialect_of(url).value_or(sql::Dialect::sqlite);
}
telemetry::Registry& Host::metrics() {
  return running_->metrics;
}
telemetry::Health& Host::health() {
  return running_->health;
}
sql::Database& Host::database() {
  return *running_->database;
}
api::Executor& Host::executor() {
  return *running_->executor;
}
cache::LoadingCache& Host::cache() {
  return running_->caching->cache();
}
cache::Locks& Host::locks() {
  return running_->caching->locks();
}
schedule::Zones& Host::zones() {
  return *running_->zones;
}
cache::ChangeNotifier* Host::change_notifier() {
  return running_->caching->notifier();
}
LoopGroup& Host::loops() {
  return *running_->loops;
}

void Host::in_background(std::string_view name, BackgroundTasks::Body body) {
  running_->background.add(name, std::move(body));
}

Result<std::unique_ptr<Host>> Host::open(const Application& application, HostPurpose purpose) {
  std::unique_ptr<Host> host(new Host(application, purpose));
  if (purpose == HostPurpose::serve)
    if (auto bound = host->bind_listeners(false); !bound) return std::unexpected(std::move(bound.error()));
  auto caching = Caching::make(host->settings().cache, host->metrics());
  if (!caching) return std::unexpected(std::move(caching.error()));
  host->running_->caching = std::move(*caching);
  host->running_->zones = std::make_unique<schedule::Zones>(host->settings().schedule.zoneinfo);
  if (auto wired = application.wire_into(*host); !wired) return std::unexpected(std::move(wired.error()));
  if (auto known = host->check_scopes(); !known) return std::unexpected(std::move(known.error()));
  if (purpose == HostPurpose::describe) return host;
  if (auto opened = host->open_database(); !opened) return std::unexpected(std::move(opened.error()));
  std::size_t loops = purpose == HostPurpose::serve ? loop_count(host->settings().server) : 1;
  host->running_->loops = std::make_unique<LoopGroup>(loops);
  host->running_->loops->start();
  if (const std::size_t workers = host->settings().server.worker_threads;
      purpose == HostPurpose::serve && workers > 0) {
    host->running_->workers = std::make_unique<LoopGroup>(workers, LoopGroupOptions{.name = "worker"});
    host->running_->workers->start();
  }
  // A command is over before anything that others say would matter to it.
  if (purpose == HostPurpose::serve) host->running_->caching->start(host->loops().loop(0));
  if (auto made = host->make_executor(); !made) return std::unexpected(std::move(made.error()));
  if (purpose == HostPurpose::repair) return host;
  for (auto& hook : host->start_hooks_)
    if (auto started = hook(); !started) return std::unexpected(std::move(started.error()));
  return host;
}

void Host::declare_scopes(const std::vector<DeclaredScope>& scopes) {
  declared_scopes_.insert(declared_scopes_.end(), scopes.begin(), scopes.end());
}

void Host::declare_crons(const std::vector<jobs::CronDeclaration>& crons) {
  declared_crons_.insert(declared_crons_.end(), crons.begin(), crons.end());
}

void Host::declare_jobs(const std::vector<jobs::Declaration>& jobs) {
  declared_jobs_.insert(declared_jobs_.end(), jobs.begin(), jobs.end());
}

std::vector<std::string> Host::declared_scopes(ScopeHolders holders) const {
  std::vector<std::string> names;
  for (const DeclaredScope& scope : declared_scopes_)
    if (scope.holders == holders && std::ranges::find(names, scope.name) == names.end())
      names.push_back(scope.name);
  return names;
}

Result<void> Host::check_scopes() const {
  for (const api::Api& api : apis_) {
    if (std::ranges::find(modules_served_, api.name()) == modules_served_.end()) continue;
    for (const api::Operation& operation : api.operations())
      for (std::string_view scope : operation.scopes)
        if (std::ranges::find(declared_scopes_, scope, &DeclaredScope::name) == declared_scopes_.end())
          return fail(Category::invalid, "scope_undeclared",
                      fmt::format("{} needs the scope {}, which no module declares: say "
                                  "Module::scopes({{\"{}\"}}, app::for_users), or for_admins.",
                                  operation.name, scope, scope));
  }
  return {};
}

Result<auth::SealingKey> Host::sealing_key() {
  if (purpose_ == HostPurpose::describe) return auth::SealingKey::generate();
  const std::string& setting = application_.key_file();
  const std::string file = setting.empty() ? data_directory() + "/identity.key" : setting;
  std::error_code error;
  if (purpose_ == HostPurpose::command && !std::filesystem::exists(file, error))
    return fail(Category::not_found, "no_key_file",
                "There is no key file " + std::filesystem::absolute(file, error).string() +
                    ". Are --data (data.directory) and identity.key_file right? The server makes it at its "
                    "first start; this command does not.");
  if (setting.empty())
    if (auto made = make_data_directory(data_directory()); !made)
      return std::unexpected(std::move(made.error()));
  return auth::SealingKey::load_or_make(file);
}

Result<void> Host::make_executor() {
  api::Executor::Parts parts;
  parts.clock = &clock();
  parts.database = running_->database.get();
  parts.commit_hooks = commit_hooks_;
  parts.shared_rate_limits = running_->caching->rate_limits();
  parts.rate_limit = settings().rate_limit;
  parts.idempotency = settings().idempotency;
  auto executor = api::Executor::make(all_apis(), std::move(parts));
  if (!executor) return std::unexpected(std::move(executor.error()));
  running_->executor = std::move(*executor);
  return {};
}

Result<void> Host::bind_listeners(bool folders_are_made) {
  const std::vector<std::string>& addresses = settings().server.listen;
  std::vector<std::optional<ListenSockets>>& listeners = running_->listeners;
  listeners.resize(addresses.size());
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    auto address = SocketAddress::parse(addresses[i]);
    if (!address) return std::unexpected(std::move(address.error()));
    std::error_code error;
    const std::filesystem::path folder = std::filesystem::path(address->path()).parent_path();
    const bool later = !folders_are_made && !folder.empty() && !std::filesystem::exists(folder, error);
    if (listeners[i] || later) continue;
    auto sockets = bind_on(*address, loop_count(settings().server), ListenOptions());
    if (!sockets) return std::unexpected(std::move(sockets.error()));
    listeners[i].emplace(std::move(*sockets));
  }
  // A socket in the data directory is taken by whoever has the lock of that.
  if (OperationsAddress::is_local(settings()) && !folders_are_made) return {};
  if (running_->operations) return {};
  auto operations = Operations::bind(settings());
  if (!operations) return std::unexpected(std::move(operations.error()));
  running_->operations = std::move(*operations);
  return {};
}

Result<void> Host::open_database() {
  const DatabaseSettings& database = settings().database;
  if (purpose_ != HostPurpose::command)
    if (auto made = make_data_directory(data_directory()); !made) return made;
  if (dialect() == sql::Dialect::sqlite) {
    auto lock = sql::DataLock::acquire(data_directory());
    if (lock)
      running_->lock.emplace(std::move(*lock));
    else if (purpose_ == HostPurpose::serve)
      return std::unexpected(std::move(lock.error()));
  }
  if (purpose_ == HostPurpose::serve)
    if (auto bound = bind_listeners(true); !bound) return bound;
  const std::string url = database_url(application_);
  if (!database.url.empty())
    log_info("database.url is set, so the database is not in the data directory", {});
  auto opened = open_for_operator(url, "database.url", database_options(settings()));
  if (!opened) return std::unexpected(std::move(opened.error()));
  running_->database = std::move(*opened);
  running_->database_metrics = std::make_unique<sql::DatabaseMetrics>(*running_->database);
  running_->database_watch = running_->metrics.watch(*running_->database_metrics);
  return migrate();
}

Result<void> Host::migrate() {
  // Before anything is changed: who repairs a copy goes on with the schema that it began with.
  if (purpose_ != HostPurpose::repair)
    if (auto whole = sql::check_copy_finished(*running_->database); !whole) return whole;
  // A command beside a running server leaves the schema to that server; on PostgreSQL there may always be one.
  bool may_migrate = settings().database.migrate && (purpose_ == HostPurpose::serve || running_->lock);
  if (may_migrate) {
    auto applied = sql::migrate_up(*running_->database, application_.migration_sources());
    if (!applied) return std::unexpected(std::move(applied.error()));
  } else if (auto checked = sql::check_migrated(*running_->database, application_.migration_sources());
             !checked) {
    return checked;
  }
  return purpose_ == HostPurpose::serve ? sql::check_tenants(*running_->database) : Result<void>();
}

std::vector<std::string> Host::derived_tables() const {
  std::vector<std::string> names = derived_tables_;
  for (const sql::DerivedTables& derived : application_.derived_tables())
    names.insert(names.end(), derived.tables().begin(), derived.tables().end());
  return names;
}

Result<void> Host::rebuild_derived() {
  for (const sql::DerivedTables& derived : application_.derived_tables())
    if (auto done = wait_for(derived.rebuild(database())); !done) return done;
  for (auto& rebuild : rebuilds_)
    if (auto done = rebuild(); !done) return done;
  return {};
}

api::DocumentInfo Host::document_info() const {
  const ProgramInfo& program = application_.program();
  const bool read_replicas =
      dialect() == sql::Dialect::postgresql && !settings().postgresql.replica_urls.empty();
  return {.title = program.name,
          .version = program.version,
          .description = program.doc,
          .license = program.license,
          .read_replicas = read_replicas,
          .commit_errors = api::errors_of(commit_hooks_)};
}

std::vector<api::Api> Host::all_apis() {
  if (!running_->health_routes)
    running_->health_routes = std::make_unique<api::HealthRoutes>(running_->health, running_->metrics);
  std::vector<api::Api> apis = apis_;
  if (authenticator_) apis.insert(apis.end(), apis_for_users_.begin(), apis_for_users_.end());
  apis.push_back(running_->health_routes->api());
  return apis;
}

Result<std::string> Host::openapi() {
  return api::openapi_document(document_info(), all_apis());
}

void Host::observe() {
  running_->database_check = std::make_unique<DatabaseCheck>(*running_->database);
  running_->health.add("database", *running_->database_check);
  if (running_->database->dialect() == sql::Dialect::postgresql) {
    running_->clock_check = std::make_unique<ClockCheck>(*running_->database, clock());
    running_->health.add("clock", *running_->clock_check, telemetry::HealthStatus::warn);
  }
  const std::vector<std::string> replicas = running_->database->replicas();
  for (std::size_t i = 0; i < replicas.size(); ++i) {
    ReplicaCheck& check = running_->replica_checks.emplace_back(*running_->database, i);
    running_->health.add(fmt::format("replica {} ({})", i + 1, replicas[i]), check,
                         telemetry::HealthStatus::warn);
  }
  if (telemetry::HealthCheck* check = running_->caching->health_check())
    running_->health.add("cache", *check, telemetry::HealthStatus::warn);
  running_->disk_check = std::make_unique<DiskCheck>(data_directory());
  running_->health.add("disk", *running_->disk_check);
  running_->zones_check = std::make_unique<ZonesCheck>(zones());
  running_->health.add("time zones", *running_->zones_check, telemetry::HealthStatus::warn);
  running_->background.report_to(running_->health);
  running_->server_metrics = std::make_unique<http::ServerMetrics>(*running_->server);
  running_->server_watch = running_->metrics.watch(*running_->server_metrics);
}

Result<void> Host::serve() {
  api::Rest::Parts parts;
  parts.document = document_info();
  parts.clock = &clock();
  parts.authenticator = authenticator_;
  parts.metrics = &running_->metrics;
  parts.shared_rate_limits = running_->caching->rate_limits();
  parts.rest = settings().rest;
  parts.rate_limit = settings().rate_limit;
  parts.cors = settings().cors;
  parts.raw_routes = running_->health_routes->public_routes(settings().telemetry.metrics_token);
  auto rest = api::Rest::make(*running_->executor, std::move(parts));
  if (!rest) return std::unexpected(std::move(rest.error()));
  running_->rest = std::move(*rest);
  running_->problems = api::ServerProblems(settings().rest, settings().cors);
  running_->server =
      std::make_unique<http::Server>(loops(), *running_->rest, settings().server, &running_->problems);
  observe();
  if (auto serving = running_->operations->serve(loops(), *running_->health_routes, settings(), clock());
      !serving)
    return serving;
  for (std::optional<ListenSockets>& sockets : running_->listeners)
    if (auto listening = running_->server->listen(std::move(*sockets)); !listening) return listening;
  running_->background.start(running_->workers ? *running_->workers : loops());
  running_->health.set_readiness(telemetry::Readiness::ready);
  warn_about_plain_http(urls());
  return {};
}

const std::vector<std::string>& Host::urls() const {
  return running_->server->urls();
}

const std::string& Host::operations_url() const {
  return running_->operations->url();
}

bool Host::stop() {
  if (!running_) return true;
  bool whole = true;
  if (running_->server) {
    running_->health.set_readiness(telemetry::Readiness::draining);
    std::this_thread::sleep_for(std::chrono::milliseconds(settings().server.drain_delay_ms));
    whole = running_->server->drain(std::chrono::milliseconds(settings().server.drain_timeout_ms));
  }
  close();
  return whole;
}

void Host::close() {
  if (running_->operations) running_->operations->stop();
  for (auto& hook : drain_hooks_) hook();
  drain_hooks_.clear();
  running_->background.stop();
  while (!stop_hooks_.empty()) {
    stop_hooks_.back()();
    stop_hooks_.pop_back();
  }
  running_->server_watch = {};
  running_->server.reset();
  running_->rest.reset();
  // Before the services that it loads from.
  if (running_->caching) running_->caching->close();
  while (!owned_.empty()) owned_.pop_back();
  // A loop ends its read transaction at the end of a turn: no turn may be under way when the readers are closed.
  for (LoopGroup* group : {running_->workers.get(), running_->loops.get()}) {
    if (!group) continue;
    group->stop();
    group->join();
  }
  running_->executor.reset();
  if (running_->database) running_->database->close();
  for (sql::Database* other : other_databases_) other->close();
  running_->caching.reset();
  running_->workers.reset();
  running_->loops.reset();
  running_.reset();
}

}  // namespace bedplate::app

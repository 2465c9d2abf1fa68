// SPDX-License-Identifier: Apache-2.0
#include "tests/servers/postgresql_server.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <sys/file.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "bedplate/base/random.h"
#include "bedplate/base/text.h"
#include "tests/servers/shared_servers.h"

namespace bedplate::testing {

namespace fs = std::filesystem;

namespace {

std::string random_name() {
  std::array<char, 12> bytes;
  random_bytes(bytes.data(), bytes.size());
  return to_hex({bytes.data(), bytes.size()});
}

// ---- The template: what initdb makes, and the roles

constexpr std::string_view kAccessRules =
    "local all all md5\n"
    "host all all 127.0.0.1/32 md5\n"
    "host replication all 127.0.0.1/32 md5\n";
constexpr std::string_view kTlsAccessRules =
    "local all all md5\n"
    "hostssl all all 127.0.0.1/32 md5\n"
    "hostssl replication all 127.0.0.1/32 md5\n";

void make_template(const std::string& path) {
  ServerDirectory work("template");
  const std::string password = random_name();
  write_server_file(work / "password", password);
  // The smallest WAL files, so that a clone is quick; passwords as md5, because scram costs each of the many
  // connections of the tests some milliseconds.
  Daemon::run({.arguments = {postgres_program("initdb"), "-D", work / "data", "-U", "postgres", "--auth=md5",
                             "--pwfile=" + (work / "password"), "--no-sync", "--locale=C.UTF-8",
                             "--encoding=UTF8", "--wal-segsize=1"},
               .log = work / "log"});
  const std::string making = path + ".making";
  fs::remove_all(making);
  fs::create_directories(making);
  fs::copy(work / "data", making + "/data", fs::copy_options::recursive);
  fs::copy(work / "password", making + "/password");
  fs::rename(making, path);
}

/// Where it is. Made by the first of all the processes that ask.
const std::string& template_directory() {
  static const std::string path = [] {
    const std::string cache = TEST_SERVERS_CACHE;
    fs::create_directories(cache);
    int lock = ::open((cache + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0 || ::flock(lock, LOCK_EX) != 0) server_failed("cannot lock " + cache + "/lock");
    // The program's path has the version in it, so another version of PostgreSQL gets a template of its own.
    std::string made = cache + "/" + std::to_string(std::hash<std::string>()(postgres_program("postgres")));
    if (!fs::exists(made)) make_template(made);
    ::close(lock);
    return made;
  }();
  return path;
}

/// A killed postmaster leaves a segment of 56 bytes behind, which only its next start would remove.
void remove_shared_memory(const std::string& data) {
  std::ifstream file(data + "/postmaster.pid");
  std::string line;
  for (int n = 0; n < 7; ++n) std::getline(file, line);
  std::istringstream fields(line);
  unsigned long key;
  int id;
  if (fields >> key >> id) ::shmctl(id, IPC_RMID, nullptr);
}

}  // namespace

// ---- libpq, awaited: the kit has time

class PostgresSession::Connection {
 public:
  explicit Connection(const std::string& url) : connection_(::PQconnectdb(url.c_str())) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { ::PQfinish(connection_); }

  bool is_open() const { return ::PQstatus(connection_) == CONNECTION_OK; }
  std::string error() const { return ::PQerrorMessage(connection_); }
  /// Nothing when it failed.
  std::optional<std::vector<std::string>> rows(const std::string& sql) {
    PGresult* result = ::PQexec(connection_, sql.c_str());
    const ExecStatusType status = ::PQresultStatus(result);
    std::vector<std::string> rows;
    if (status == PGRES_TUPLES_OK)
      for (int row = 0; row < ::PQntuples(result); ++row) rows.emplace_back(::PQgetvalue(result, row, 0));
    ::PQclear(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY)
      return std::nullopt;
    return rows;
  }

 private:
  PGconn* connection_;
};

std::string postgres_program(std::string_view name) {
  static const std::string directory = [] {
    int newest = 0;
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
      int version = 0;
      const std::string text = entry.path().filename();
      std::from_chars(text.data(), text.data() + text.size(), version);
      if (fs::exists(entry.path() / "bin/postgres")) newest = std::max(newest, version);
    }
    if (newest == 0) server_failed("PostgreSQL is not installed: apt-get install postgresql");
    return "/usr/lib/postgresql/" + std::to_string(newest) + "/bin/";
  }();
  return directory + std::string(name);
}

PostgresSession::PostgresSession(const std::string& url) : connection_(std::make_unique<Connection>(url)) {
  if (!connection_->is_open()) server_failed("cannot connect: " + connection_->error());
}

PostgresSession::~PostgresSession() = default;

std::vector<std::string> PostgresSession::rows(const std::string& sql) const {
  std::optional<std::vector<std::string>> rows = connection_->rows(sql);
  if (!rows) server_failed(sql + ": " + connection_->error());
  return std::move(*rows);
}

std::vector<std::string> run_sql(const std::string& url, const std::string& sql) {
  return PostgresSession(url).rows(sql);
}

// ---- PostgresDatabase, PostgresAddress

PostgresDatabase::PostgresDatabase(PostgresDatabase&& other) noexcept
    : name_(std::exchange(other.name_, {})),
      url_(std::move(other.url_)),
      admin_url_(std::move(other.admin_url_)),
      maintenance_url_(std::move(other.maintenance_url_)) {}

PostgresDatabase::~PostgresDatabase() {
  if (name_.empty()) return;
  const std::string url =
      maintenance_url_ + (maintenance_url_.contains('?') ? "&" : "?") + "connect_timeout=2";
  PGconn* connection = ::PQconnectdb(url.c_str());
  ::PQclear(::PQexec(connection, ("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)").c_str()));
  ::PQfinish(connection);
}

std::vector<std::string> PostgresDatabase::rows(const std::string& sql) const {
  return run_sql(admin_url_, sql);
}

std::int64_t PostgresDatabase::count(const std::string& sql) const {
  const std::vector<std::string> found = rows(sql);
  return found.empty() ? -1 : parse_int(found.front()).value_or(-1);
}

std::string PostgresAddress::url_of(std::string_view role, std::string_view database) const {
  return "postgresql://" + std::string(role) + ":" + password_ + "@127.0.0.1:" + std::to_string(port_) + "/" +
         std::string(database) + parameters_;
}

PostgresDatabase PostgresAddress::create_database() const {
  PostgresDatabase made;
  made.name_ = "test_" + random_name();
  made.url_ = url(made.name_);
  made.admin_url_ = admin_url(made.name_);
  made.maintenance_url_ = admin_url();
  run_sql(made.maintenance_url_, "CREATE DATABASE " + made.name_ + " OWNER bedplate TEMPLATE template0");
  return made;
}

// ---- PostgresServer

namespace {
ServerDirectory::Medium medium_of(const PostgresServer::Options& options) {
  return options.durable ? ServerDirectory::Medium::disk : ServerDirectory::Medium::memory;
}
}  // namespace

PostgresServer::PostgresServer() : PostgresServer(Options{}) {}

PostgresServer::PostgresServer(Options options)
    : options_(std::move(options)), directory_("postgresql", medium_of(options_)) {
  const std::string& origin = template_directory();
  fs::copy(options_.data_from.empty() ? origin + "/data" : options_.data_from, data(),
           fs::copy_options::recursive);
  give_to_server_user(data());
  address_ = PostgresAddress(0, read_file(origin + "/password"));
  find_port_and_start();
  if (options_.data_from.empty())
    run_sql(admin_url(), "CREATE ROLE bedplate LOGIN PASSWORD '" + address_.password() + "'");
}

PostgresServer::PostgresServer(ReplicaOf of, Options options)
    : options_(std::move(options)),
      directory_("postgresql", medium_of(options_)),
      address_(of.primary.address_) {
  // Its end is the checkpoint of this call, so what was committed before is in it.
  Daemon::run(
      {.arguments = {postgres_program("pg_basebackup"), "-d", of.primary.admin_url(), "-D", data(),
                     "--wal-method=stream", "--checkpoint=fast", "--write-recovery-conf", "--no-sync"},
       .log = directory_ / "backup.log"});
  find_port_and_start();
}

PostgresServer::~PostgresServer() {
  if (daemon_.is_running()) {
    daemon_.resume();
    daemon_.signal(SIGQUIT);  // "Immediate": nobody reads the files again.
    daemon_.wait();
    return;
  }
  remove_shared_memory(data());
}

void PostgresServer::configure() {
  if (options_.tls && !tls_) tls_ = make_tls_files(directory_.path());
  std::ostringstream text;
  text << "listen_addresses = '127.0.0.1'\n"
       << "port = " << address_.port() << "\n"
       << "unix_socket_directories = '" << (directory_.path().size() < 80 ? directory_.path() : "") << "'\n"
       << "max_connections = " << options_.max_connections << "\n"
       << "fsync = " << (options_.durable ? "on" : "off") << "\n"
       << "full_page_writes = " << (options_.durable ? "on" : "off") << "\n"
       << "recovery_init_sync_method = syncfs\n"
       << "shared_buffers = 16MB\n"
       << "dynamic_shared_memory_type = mmap\n"  // Nothing is left in /dev/shm by a kill.
       << "jit = off\n"
       << "timezone = UTC\n"
       << "log_timezone = UTC\n"
       << "lc_messages = C\n"
       << "password_encryption = md5\n"
       << "log_line_prefix = '%m [%p] '\n";
  if (tls_)
    text << "ssl = on\nssl_cert_file = '" << tls_->certificate << "'\nssl_key_file = '" << tls_->key << "'\n";
  for (const std::string& line : options_.settings) text << line << "\n";
  write_server_file(data() + "/postgresql.conf", text.str());
  write_server_file(data() + "/pg_hba.conf", options_.tls ? kTlsAccessRules : kAccessRules);
}

void PostgresServer::find_port_and_start() {
  for (int attempt = 0; attempt < 5; ++attempt) {
    address_ = PostgresAddress(port_.emplace().number(), address_.password());
    configure();
    if (tls_) address_.set_parameters("?sslmode=verify-full&sslrootcert=" + tls_->authority);
    launch();
    if (becomes_ready()) return;
    if (!log().contains("Address already in use")) break;
  }
  server_failed("PostgreSQL did not start", directory_ / "log");
}

void PostgresServer::launch() {
  check_servers_allowed();
  daemon_.start({.arguments = {postgres_program("postgres"), "-D", data()},
                 .log = directory_ / "log",
                 .death_signal = SIGQUIT});
}

bool PostgresServer::becomes_ready() {
  const std::string url = admin_url();
  bool ended = false;
  bool ready = wait_until([&] {
    ended = !daemon_.is_running();
    return ended || ::PQping(url.c_str()) == PQPING_OK;
  });
  return ready && !ended;
}

void PostgresServer::wait_until_ready() {
  if (!becomes_ready()) server_failed("PostgreSQL did not start", directory_ / "log");
}

void PostgresServer::start() {
  launch();
  wait_until_ready();
}

void PostgresServer::stop() {
  daemon_.signal(SIGINT);
  daemon_.wait();
}

void PostgresServer::kill() {
  daemon_.kill_all();
}

void PostgresServer::pause() {
  daemon_.pause();
}

void PostgresServer::resume() {
  daemon_.resume();
}

std::unique_ptr<PostgresServer> PostgresServer::replica(std::vector<std::string> settings) {
  Options options = options_;
  options.settings.insert(options.settings.end(), settings.begin(), settings.end());
  return std::unique_ptr<PostgresServer>(new PostgresServer(ReplicaOf{*this}, std::move(options)));
}

void PostgresServer::catch_up_with(const PostgresServer& primary) const {
  const std::string end = run_sql(primary.admin_url(), "SELECT pg_current_wal_flush_lsn()").at(0);
  const PostgresSession session(admin_url());
  const std::string question = "SELECT pg_last_wal_replay_lsn() >= '" + end + "'";
  const bool there = wait_until([&] { return session.rows(question).at(0) == "t"; });
  if (!there) server_failed("the replica does not catch up", directory_ / "log");
}

const PostgresAddress& shared_postgres() {
  check_servers_allowed();
  static const PostgresAddress address = [] {
    if (std::optional<SharedServers> shared = find_shared_servers())
      return PostgresAddress(shared->postgres_port, shared->postgres_password);
    static PostgresServer server;
    return server.address();
  }();
  return address;
}

}  // namespace bedplate::testing

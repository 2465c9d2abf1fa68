// SPDX-License-Identifier: Apache-2.0
#include "tests/servers/daemon.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "bedplate/base/random.h"

namespace bedplate::testing {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

ServerUser find_server_user() {
  if (::geteuid() != 0) return {::geteuid(), ::getegid(), false};
  for (const char* name : {"postgres", "nobody"})
    if (const passwd* entry = ::getpwnam(name)) return {entry->pw_uid, entry->pw_gid, true};
  server_failed("root may not run the servers, and there is neither a user postgres nor nobody");
}

std::string error_text() {
  return std::strerror(errno);
}

// ---- The throwaway directories: each is locked by the test that owns it

constexpr std::string_view kDirectoryPrefix = "bedplate-server-";

constexpr const char* kMemory = "/dev/shm";

std::string disk() {
  const char* root = std::getenv("TMPDIR");
  return root && *root ? root : "/tmp";
}

std::string root_of(ServerDirectory::Medium medium) {
  constexpr std::uint64_t kRoomMin = 2ULL << 30;
  struct statvfs room;
  const bool memory = medium == ServerDirectory::Medium::memory && ::statvfs(kMemory, &room) == 0 &&
                      room.f_bavail * room.f_frsize >= kRoomMin && ::access(kMemory, W_OK) == 0;
  return memory ? kMemory : disk();
}

int open_directory(const std::string& path) {
  return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

bool is_still_there(int fd, const std::string& path) {
  struct stat held, named;
  return ::fstat(fd, &held) == 0 && ::lstat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino;
}

void remove_abandoned_directories(const std::string& root) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(root, ignored)) {
    if (!entry.path().filename().string().starts_with(kDirectoryPrefix)) continue;
    struct stat info;
    if (::lstat(entry.path().c_str(), &info) != 0 || info.st_uid != server_user().user) continue;
    int lock = open_directory(entry.path());
    if (lock < 0) continue;
    if (::flock(lock, LOCK_EX | LOCK_NB) == 0) fs::remove_all(entry.path(), ignored);
    ::close(lock);
  }
}

// ---- Between fork and exec: only what is safe after fork in a program with threads

[[noreturn]] void become(char* const* argv, int log, const ServerUser& user, int death_signal, pid_t parent) {
  ::setpgid(0, 0);
  if (user.must_switch &&
      (::setgroups(0, nullptr) != 0 || ::setresgid(user.group, user.group, user.group) != 0 ||
       ::setresuid(user.user, user.user, user.user) != 0))
    ::_exit(126);
  // After the change of user, which clears it. The parent may be gone by then.
  ::prctl(PR_SET_PDEATHSIG, death_signal);
  if (::getppid() != parent) ::_exit(126);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int ignored : {SIGPIPE, SIGHUP, SIGINT}) ::signal(ignored, SIG_DFL);
  int null = ::open("/dev/null", O_RDONLY);
  if (::dup2(null, 0) < 0 || ::dup2(log, 1) < 0 || ::dup2(log, 2) < 0) ::_exit(126);
  ::close_range(3, ~0U, 0);
  if (::chdir("/") != 0) ::_exit(126);
  ::execv(argv[0], argv);
  ::_exit(127);
}

bool wait_for_end(pid_t pid, int timeout_ms) {
  int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return errno == ESRCH;
  pollfd ended{fd, POLLIN, 0};
  int ready = ::poll(&ended, 1, timeout_ms);
  // Closed as it was opened, by number: ThreadSanitizer, which has not seen it opened, would take it for the
  // descriptor of another thread that had the number before.
  ::syscall(SYS_close, fd);
  return ready == 1;
}

/// False once it is stopped or has ended: a signal is sent some time before its process heeds it.
bool may_run(pid_t pid) {
  const std::string text = read_file("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = text.rfind(')');  // "pid (name) state ...": a name may have anything in it
  if (name_end == std::string::npos || name_end + 2 >= text.size()) return false;
  return !std::string_view("TtZX").contains(text[name_end + 2]);
}

constexpr int kPatienceMs = std::chrono::milliseconds(kPatience).count();

}  // namespace

const ServerUser& server_user() {
  static const ServerUser user = find_server_user();
  return user;
}

ServerDirectory::ServerDirectory(std::string_view name, Medium medium) : owner_(::getpid()) {
  for (const std::string& root : {disk(), std::string(kMemory)}) remove_abandoned_directories(root);
  for (;;) {
    path_ = root_of(medium) + "/" + std::string(kDirectoryPrefix) + std::string(name) + "-XXXXXX";
    if (!::mkdtemp(path_.data())) server_failed("mkdtemp " + path_ + ": " + error_text());
    lock_ = open_directory(path_);
    // Another test's clean-up may have taken it for abandoned, before it was locked.
    if (lock_ >= 0 && ::flock(lock_, LOCK_EX) == 0 && is_still_there(lock_, path_)) break;
    if (lock_ >= 0) ::close(lock_);
  }
  const ServerUser& user = server_user();
  if (user.must_switch && ::fchown(lock_, user.user, user.group) != 0)
    server_failed("chown " + path_ + ": " + error_text());
}

ServerDirectory::~ServerDirectory() {
  if (owner_ != ::getpid()) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  ::close(lock_);
}

void write_server_file(const std::string& path, std::string_view text) {
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) server_failed(path + ": " + error_text());
  const ServerUser& user = server_user();
  bool well = !user.must_switch || ::fchown(fd, user.user, user.group) == 0;
  well = well && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (::close(fd) != 0 || !well) server_failed(path + ": " + error_text());
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

void give_to_server_user(const std::string& directory) {
  const ServerUser& user = server_user();
  if (!user.must_switch) return;
  auto give = [&](const fs::path& path) {
    if (::lchown(path.c_str(), user.user, user.group) != 0)
      server_failed("chown " + path.string() + ": " + error_text());
  };
  give(directory);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory)) give(entry.path());
}

ServerPort::ServerPort() {
  constexpr std::uint64_t kFirst = 12'000, kCount = 8'000;  // tools/services.sh takes others
  for (;;) {
    number_ = static_cast<std::uint16_t>(kFirst + random_u64() % kCount);
    held_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(number_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    // Bound without SO_REUSEADDR, for which no other socket may have the port; with it from then on.
    if (::bind(held_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
        ::setsockopt(held_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0)
      return;
    ::close(held_);
  }
}

ServerPort::~ServerPort() {
  ::close(held_);
}

Daemon::~Daemon() {
  if (is_running()) kill_all();
}

void Daemon::start(const Command& command) {
  log_ = command.log;
  int log = ::open(command.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) server_failed(command.log + ": " + error_text());
  std::vector<std::string> arguments = command.arguments;
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const ServerUser& user = server_user();
  owner_ = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) become(argv.data(), log, user, command.death_signal, owner_);
  ::close(log);
  if (pid_ < 0) server_failed("fork: " + error_text());
}

void Daemon::run(const Command& command) {
  Daemon program;
  program.start(command);
  int status = program.wait();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    server_failed(command.arguments.front() + " failed", command.log);
}

bool Daemon::is_running() {
  if (pid_ <= 0 || owner_ != ::getpid()) return false;
  if (::waitpid(pid_, nullptr, WNOHANG) == 0) return true;
  pid_ = -1;
  return false;
}

void Daemon::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

void Daemon::pause() const {
  if (pid_ <= 0) return;
  std::vector<pid_t> all{pid_};  // first the one that starts the others
  for (std::size_t i = 0; i < all.size(); ++i) {
    ::kill(all[i], SIGSTOP);
    if (!wait_until([&] { return !may_run(all[i]); })) server_failed("the server cannot be stopped", log_);
    if (i == 0) std::ranges::copy(children(), std::back_inserter(all));
  }
}

void Daemon::resume() const {
  for (pid_t child : children()) ::kill(child, SIGCONT);
  signal(SIGCONT);
}

int Daemon::wait() {
  if (pid_ <= 0) return 0;
  if (!wait_for_end(pid_, kPatienceMs)) server_failed("the server does not end", log_);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return status;
}

// PostgreSQL's processes are sessions of their own, so that no signal to a process group reaches them all.
std::vector<pid_t> Daemon::children() const {
  std::ifstream list("/proc/" + std::to_string(pid_) + "/task/" + std::to_string(pid_) + "/children");
  return {std::istream_iterator<pid_t>(list), {}};
}

void Daemon::kill_all() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGSTOP);  // So that it starts no more of them, and does not tidy up after those that die.
  ::waitpid(pid_, nullptr, WUNTRACED | WNOWAIT);
  const std::vector<pid_t> killed = children();
  for (pid_t child : killed) ::kill(child, SIGKILL);
  ::kill(pid_, SIGKILL);
  wait();
  for (pid_t child : killed)
    if (!wait_for_end(child, kPatienceMs)) server_failed("a child process survives its SIGKILL", log_);
}

void check_servers_allowed() {
  const char* test = std::getenv("BEDPLATE_UNIT_TEST");
  if (test != nullptr)
    server_failed(
        "a test labelled `unit` wants a server: name its suite in SERVER_TESTS (cmake/BedplateRoom.cmake)");
}

void server_failed(const std::string& reason, const std::string& log) {
  const std::string said = log.empty() ? "" : read_file(log);
  std::fprintf(stderr, "test servers: %s\n%s", reason.c_str(),
               said.substr(said.size() - std::min<std::size_t>(said.size(), 4000)).c_str());
  std::abort();
}

}  // namespace bedplate::testing

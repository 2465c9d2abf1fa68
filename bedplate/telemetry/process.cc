// SPDX-License-Identifier: Apache-2.0
#include "bedplate/telemetry/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>

#include "bedplate/base/text.h"

namespace bedplate::telemetry {

namespace {

/// The start of a small file of /proc; "" when it cannot be read.
std::string read_start(const char* path) {
  std::string bytes(4096, '\0');
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  const ssize_t size = ::read(file, bytes.data(), bytes.size());
  ::close(file);
  bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return bytes;
}

/// The n-th word, counted from zero, as a number.
std::optional<std::uint64_t> nth_number(std::string_view text, std::size_t n) {
  while (n-- > 0) {
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    text.remove_prefix(space + 1);
  }
  return parse_uint(text.substr(0, text.find_first_of(" \n")));
}

void read_memory(ProcessStats& stats) {
  const std::string statm = read_start("/proc/self/statm");  // total, resident, ... in pages
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  if (const auto pages = nth_number(statm, 0)) stats.virtual_bytes = *pages * page;
  if (const auto pages = nth_number(statm, 1)) stats.resident_bytes = *pages * page;
}

Time clock_time(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return Time{std::chrono::seconds{now.tv_sec} + std::chrono::microseconds{now.tv_nsec / 1000}};
}

void read_stat(ProcessStats& stats) {
  const std::string stat = read_start("/proc/self/stat");
  // The name, in parentheses, may hold anything: count from behind it. See proc(5): state is field 3.
  const std::size_t name_end = stat.rfind(") ");
  if (name_end == std::string::npos) return;
  const std::string_view fields = std::string_view(stat).substr(name_end + 2);
  stats.threads = nth_number(fields, 20 - 3);
  const auto start_ticks = nth_number(fields, 22 - 3);
  const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  if (!start_ticks || ticks == 0) return;
  // Once: the difference of two clocks wavers, and a start does not move.
  static const std::chrono::microseconds booted = clock_time(CLOCK_REALTIME) - clock_time(CLOCK_BOOTTIME);
  stats.started_at = Time{booted} + std::chrono::microseconds{*start_ticks * 1'000'000 / ticks};
}

void read_cpu(ProcessStats& stats) {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return;
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  stats.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void read_descriptors(ProcessStats& stats) {
  struct Close {
    void operator()(DIR* directory) const { ::closedir(directory); }
  };
  const std::unique_ptr<DIR, Close> directory(::opendir("/proc/self/fd"));
  if (directory != nullptr) {
    std::uint64_t entries = 0;
    while (::readdir(directory.get()) != nullptr) ++entries;
    constexpr std::uint64_t kNotCounted = 3;  // ".", "..", and the one this directory is read through
    stats.open_descriptors = entries > kNotCounted ? entries - kNotCounted : 0;
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    stats.descriptors_max = limit.rlim_cur;
  }
}

}  // namespace

ProcessStats read_process_stats() {
  ProcessStats stats;
  read_memory(stats);
  read_stat(stats);
  read_cpu(stats);
  read_descriptors(stats);
  return stats;
}

void ProcessCollector::collect(MetricWriter& out) const {
  const ProcessStats stats = read_process_stats();
  auto gauge = [&out](std::string_view name, std::string_view help, const auto& value) {
    if (value) out.gauge(name, help, static_cast<double>(*value));
  };
  if (stats.cpu_seconds) {
    out.counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
                *stats.cpu_seconds);
  }
  gauge("process_resident_memory_bytes", "Resident memory size in bytes.", stats.resident_bytes);
  gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", stats.virtual_bytes);
  gauge("process_open_fds", "Number of open file descriptors.", stats.open_descriptors);
  gauge("process_max_fds", "Maximum number of open file descriptors.", stats.descriptors_max);
  gauge("process_threads", "Number of operating system threads in the process.", stats.threads);
  if (stats.started_at) {
    const auto since_epoch = std::chrono::duration<double>(stats.started_at->time_since_epoch());
    out.gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.",
              since_epoch.count());
  }
}

}  // namespace bedplate::telemetry

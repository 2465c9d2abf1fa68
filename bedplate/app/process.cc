// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/process.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace bedplate::app {
namespace {

// Why a write failed first: stdio keeps the fact, and not the reason.
int write_error = 0;

}  // namespace

void prepare_process() {
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(standard, F_GETFD) >= 0 || errno != EBADF) continue;
    // open() gives the lowest number that is free, so this one: those below it are open by now.
    const int mode = standard == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    if (::open("/dev/null", mode) < 0 && ::open("/", O_RDONLY | O_DIRECTORY) < 0) std::abort();
  }
  std::signal(SIGXFSZ, SIG_IGN);
}

void print_line(std::string_view text) {
  errno = 0;
  bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (written && !text.ends_with('\n')) written = std::fputc('\n', stdout) != EOF;
  if (!written && write_error == 0) write_error = errno;
}

Result<void> finish_output() {
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0;
  int reason = std::exchange(write_error, 0);
  if (reason == 0) reason = errno;
  if (flushed && std::ferror(stdout) == 0) return {};
  std::clearerr(stdout);
  return fail(Category::unavailable, "output_failed",
              "The output could not be written" +
                  (reason == 0 ? "" : ": " + std::generic_category().message(reason)) + ".");
}

}  // namespace bedplate::app

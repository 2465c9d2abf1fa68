// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/postgresql/incoming.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>

namespace bedplate::sql {
namespace {

// libpq makes room for so much before it reads (pqReadData), and reads what there is.
constexpr std::uint64_t kReadAtLeast = 8192;

bool is_tcp(int socket) {
  int family = 0;
  socklen_t size = sizeof family;
  return ::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 && family != AF_UNIX;
}

}  // namespace

PostgresqlIncoming::PostgresqlIncoming(int socket) : socket_(socket), tcp_(is_tcp(socket)) {}

std::uint64_t PostgresqlIncoming::received() const {
  tcp_info info{};
  socklen_t size = sizeof info;
  return ::getsockopt(socket_, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_bytes_received : 0;
}

std::uint64_t PostgresqlIncoming::waiting() const {
  int bytes = 0;
  return ::ioctl(socket_, FIONREAD, &bytes) == 0 ? static_cast<std::uint64_t>(std::max(bytes, 0)) : 0;
}

void PostgresqlIncoming::look_before() {
  const bool first = reads_ == kFreeReads + 1;
  if (first) bytes_ = 0;
  if (!tcp_)
    before_ = waiting();
  else if (first)
    before_ = received();
}

void PostgresqlIncoming::look_after() {
  if (tcp_) {
    if (reads_ % kLookEvery == 0) bytes_ = received() - before_;
    return;
  }
  const std::uint64_t left = waiting();
  bytes_ += std::max(before_ - std::min(before_, left), std::min(before_, kReadAtLeast));
}

}  // namespace bedplate::sql

// SPDX-License-Identifier: Apache-2.0
#include "bedplate/auth/sealing_key.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "bedplate/base/id.h"
#include "bedplate/base/random.h"
#include "bedplate/base/text.h"

namespace bedplate::auth {
namespace {

constexpr std::size_t kFileSizeMax = 128;

static_assert(crypto_secretbox_KEYBYTES == sizeof(SealingKey::Bytes));

std::unexpected<Error> file_error(const std::string& path, std::string_view what) {
  return fail(Category::internal, "key_file", "The key file " + path + " " + std::string(what));
}

std::unexpected<Error> system_error(const std::string& path, std::string_view doing) {
  const int reason = errno;
  return file_error(path, "cannot be " + std::string(doing) + ": " + std::strerror(reason) + ".");
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

std::string folder_of(const std::string& path) {
  std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// Whole and synced under another name first, so that no crash leaves half a key under this one. link() does
/// not replace: of two processes that start at once, one wins and the other reads the winner's.
Result<void> write_new_file(const std::string& path, std::string_view text) {
  const std::string draft = path + "." + new_uuid().to_string() + ".new";
  Descriptor file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.ok()) return system_error(path, "made");
  const bool written = ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(file.get()) == 0;
  const bool linked = written && (::link(draft.c_str(), path.c_str()) == 0 || errno == EEXIST);
  if (!linked) {
    auto error = system_error(path, "written");
    ::unlink(draft.c_str());
    return error;
  }
  ::unlink(draft.c_str());
  Descriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.ok() || ::fsync(folder.get()) != 0) return system_error(path, "synced");
  return {};
}

Result<SealingKey> read_file(const std::string& path, int fd) {
  struct stat status;
  if (::fstat(fd, &status) != 0) return system_error(path, "read");
  if ((status.st_mode & (S_IRWXO | S_IWGRP)) != 0)
    return file_error(path, "can be read by others or changed by its group: chmod 600 it.");
  char text[kFileSizeMax];
  const ssize_t size = ::read(fd, text, sizeof(text));
  if (size < 0) return system_error(path, "read");
  std::string_view line(text, static_cast<std::size_t>(size));
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  auto decoded = from_base64url(line);
  sodium_memzero(text, sizeof(text));
  SealingKey::Bytes bytes;
  if (!decoded || decoded->size() != bytes.size())
    return file_error(path, "does not hold 32 bytes in base64url (43 characters).");
  std::memcpy(bytes.data(), decoded->data(), bytes.size());
  sodium_memzero(decoded->data(), decoded->size());
  return SealingKey(bytes);
}

std::string absolute(const std::string& path) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(path, error);
  return error ? path : whole.string();
}

}  // namespace

Result<SealingKey> SealingKey::load_or_make(const std::string& path) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.ok()) {
      auto key = read_file(path, file.get());
      if (key) key->file_ = absolute(path);
      return key;
    }
    if (errno != ENOENT) return system_error(path, "opened");
    Bytes bytes = generate().bytes_;
    std::string text = to_base64url({reinterpret_cast<const char*>(bytes.data()), bytes.size()}) + "\n";
    Result<void> written = write_new_file(path, text);
    sodium_memzero(bytes.data(), bytes.size());
    sodium_memzero(text.data(), text.size());
    if (!written) return std::unexpected(std::move(written.error()));
  }
  return file_error(path, "vanished while it was being made.");
}

SealingKey SealingKey::generate() {
  Bytes bytes;
  random_bytes(bytes.data(), bytes.size());
  return SealingKey(bytes);
}

SealingKey::~SealingKey() {
  sodium_memzero(bytes_.data(), bytes_.size());
}

std::string SealingKey::seal(std::string_view secret) const {
  std::string box(crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + secret.size(), '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(box.data());
  random_bytes(bytes, crypto_secretbox_NONCEBYTES);
  crypto_secretbox_easy(bytes + crypto_secretbox_NONCEBYTES,
                        reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), bytes,
                        bytes_.data());
  return to_base64url(box);
}

std::optional<std::string> SealingKey::unseal(std::string_view sealed) const {
  auto box = from_base64url(sealed);
  constexpr std::size_t kOverhead = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
  if (!box || box->size() < kOverhead) return std::nullopt;
  const auto* bytes = reinterpret_cast<const unsigned char*>(box->data());
  std::string secret(box->size() - kOverhead, '\0');
  if (crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(secret.data()),
                                 bytes + crypto_secretbox_NONCEBYTES,
                                 box->size() - crypto_secretbox_NONCEBYTES, bytes, bytes_.data()) != 0)
    return std::nullopt;
  return secret;
}

}  // namespace bedplate::auth

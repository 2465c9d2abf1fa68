// SPDX-License-Identifier: Apache-2.0
#include "bedplate/schedule/zones.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "bedplate/base/text.h"
#include "bedplate/schedule/tzif.h"
#include "bedplate/schedule/zone_pack.h"
#include "zones_pack.h"

namespace bedplate::schedule {
namespace {

std::string_view packed() {
  return zones_pack().front().bytes;
}

struct Closing {
  int fd;
  ~Closing() {
    if (fd >= 0) ::close(fd);
  }
};

std::unexpected<Error> unreadable(const std::string& path, std::string_view why) {
  return fail(Category::invalid, "time_zone_unreadable", fmt::format("{} cannot be read: {}.", path, why));
}

/// Nothing: it does not exist.
Result<std::optional<std::string>> read_file(const std::string& path, std::size_t size_max) {
  const Closing file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<std::string>();
    return unreadable(path, std::strerror(errno));
  }
  struct stat about{};
  if (::fstat(file.fd, &about) != 0) return unreadable(path, std::strerror(errno));
  if (S_ISDIR(about.st_mode)) return std::optional<std::string>();
  if (!S_ISREG(about.st_mode)) return unreadable(path, "it is not a file");
  std::string bytes(size_max + 1, '\0');
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t got = ::read(file.fd, bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(path, std::strerror(errno));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > size_max) return unreadable(path, fmt::format("it is larger than {} KiB", size_max / 1024));
  bytes.resize(size);
  return std::optional<std::string>(std::move(bytes));
}

bool has_zones(const std::string& directory) {
  struct stat about{};
  return !directory.empty() && (::stat((directory + "/UTC").c_str(), &about) == 0 ||
                                ::stat((directory + "/Etc/UTC").c_str(), &about) == 0);
}

/// "2025b"; empty when the directory does not say.
std::string version_of(const std::string& directory) {
  constexpr std::string_view kLead = "# version ";
  constexpr std::size_t kVersionMax = 32;
  char line[kLead.size() + kVersionMax] = {};
  for (const char* name : {"/tzdata.zi", "/+VERSION"}) {
    const Closing file{::open((directory + name).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    const ssize_t got = file.fd < 0 ? -1 : ::read(file.fd, line, sizeof line);
    if (got <= 0) continue;
    std::string_view text(line, static_cast<std::size_t>(got));
    if (text.starts_with(kLead)) text.remove_prefix(kLead.size());
    text = text.substr(0, text.find('\n'));
    const bool plain = std::ranges::all_of(text, [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '.';
    });
    if (plain && !text.empty() && text.size() <= kVersionMax) return std::string(text);
  }
  return {};
}

}  // namespace

bool is_zone_name(std::string_view name) {
  constexpr std::size_t kSizeMax = 64;
  constexpr std::ptrdiff_t kSlashesMax = 3;
  if (name.empty() || name.size() > kSizeMax || name.starts_with('/') || name.ends_with('/')) return false;
  if (name.find("//") != std::string_view::npos || std::ranges::count(name, '/') > kSlashesMax) return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '+' || c == '/';
  });
}

Zones::Zones(std::string directory)
    : directory_(std::move(directory)), uses_directory_(has_zones(directory_)) {}

Result<std::shared_ptr<const TimeZone>> Zones::find(std::string_view name) {
  // UTC needs no file. What the machine or nobody has chosen for its own clock is not a place.
  if (name == "UTC") return TimeZone::utc();
  if (!is_zone_name(name) || name == "localtime" || name == "posixrules") return unknown(name);
  const std::lock_guard lock(mutex_);
  std::string key(name);
  if (const auto known = known_.find(key); known != known_.end()) return known->second;
  auto zone = read(key);
  if (zone) known_.emplace(std::move(key), *zone);
  return zone;
}

Result<std::shared_ptr<const TimeZone>> Zones::read(const std::string& name) const {
  if (uses_directory_) {
    const std::string path = directory_ + "/" + name;
    auto bytes = read_file(path, kTzifSizeMax);
    if (!bytes) return std::unexpected(std::move(bytes.error()));
    if (*bytes) {
      auto zone = TimeZone::from_tzif(name, **bytes);
      if (!zone) return unreadable(path, zone.error().detail().substr(0, zone.error().detail().size() - 1));
      return zone;
    }
  }
  const auto pack = ZonePack::open(packed());
  if (!pack) return std::unexpected(pack.error().clone());
  const std::string_view bytes = pack->find(name);
  if (bytes.empty()) return unknown(name);
  return TimeZone::from_tzif(name, bytes);
}

std::unexpected<Error> Zones::unknown(std::string_view name) const {
  std::string shown(64 * 6, '\0');
  shown.resize(static_cast<std::size_t>(
      write_visible_escaped(shown.data(), shown.data() + shown.size(), name).end - shown.data()));
  const std::vector<std::string> names = built_in_zone_names();
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const auto nearest = find_nearest(name, candidates);
  return fail(
      Category::invalid, "time_zone_unknown",
      nearest ? fmt::format("There is no time zone `{}`. Did you mean {}?", shown, *nearest)
              : fmt::format("There is no time zone `{}`. Time zones are named like Europe/Berlin.", shown));
}

std::string Zones::description() const {
  if (!uses_directory_) return built_in_zone_version() + " of this program";
  const std::string version = version_of(directory_);
  return (version.empty() ? std::string("an unknown version") : version) + " of " + directory_;
}

std::vector<std::string> built_in_zone_names() {
  std::vector<std::string> names;
  if (const auto pack = ZonePack::open(packed()))
    for (std::string_view name : pack->names()) names.emplace_back(name);
  return names;
}

std::string built_in_zone_version() {
  const auto pack = ZonePack::open(packed());
  return pack ? pack->version() : std::string();
}

}  // namespace bedplate::schedule

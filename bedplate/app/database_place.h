// Where an application's database is.
#pragma once

#include <optional>
#include <string>

#include "bedplate/app/application.h"

namespace bedplate::app {

/// database.url, or the file in the data directory.
inline std::string database_url(const Application& application) {
  const HostSettings& settings = application.host_settings();
  if (!settings.database.url.empty()) return settings.database.url;
  return "sqlite:" + settings.data.directory + "/bedplate.db";
}

/// The file of an embedded database; nothing for a server's.
inline std::optional<std::string> sqlite_path(const std::string& url) {
  constexpr std::string_view kScheme = "sqlite:";
  if (!url.starts_with(kScheme)) return std::nullopt;
  std::string path = url.substr(kScheme.size());
  if (path.starts_with("//")) path = path.substr(2);
  return path;
}

}  // namespace bedplate::app

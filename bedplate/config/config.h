// SPDX-License-Identifier: Apache-2.0
// Configuration: settings described like everything else, from four places, each above the one before:
// the defaults in the structs, a TOML file, BEDPLATE_* variables, flags.
//
//   struct ServerSettings {
//     std::string listen = "127.0.0.1:8080";
//     int threads = 0;
//     static consteval auto describe() {
//       using namespace bedplate::schema;
//       return object<ServerSettings>("The HTTP server", {
//           field<&ServerSettings::listen>("Address and port to listen on"),
//           field<&ServerSettings::threads>(range{0, 1024}, "Event loops; 0: one a core"),
//       });
//     }
//   };
//
//   ServerSettings server;
//   config::Registry registry;
//   registry.add("server", server);                  // server.listen, BEDPLATE_SERVER_LISTEN, ...
//   Result<void> loaded = registry.load(sources);    // fills the structs, or says all that is wrong
//   for (const std::string& warning : registry.warnings()) log_warn(warning);
//
// - A setting that no source names keeps what the struct holds: that is its default, so nothing is "required".
//   Where there is no good default, let a rule refuse the empty one. Rules hold for every value, defaults too.
// - An unknown key in the file or a flag is an error that names the nearest known key; an unknown BEDPLATE_*
//   variable is a warning, for others set some too (Kubernetes does). All problems are reported at once, each
//   with its place:
//     bedplate.toml:12: unknown key "server.thread"; did you mean "server.threads"?
//     BEDPLATE_SERVER_THREADS: server.threads must be a whole number
//   No message repeats a value: it could be a secret.
// - A field with the rule `secret` is masked when it is shown, and has a second form, its key with `_file`
//   behind: the value is then read from that file (without the line end it finishes with), as containers hand
//   secrets over.
// - A described struct inside a settings struct is a section of its own, as in
//   identity.login_throttle.attempts_max.
// - In variables and flags a list is comma-separated, or a JSON array; maps and lists of structs are JSON.
//
// Used by main on one thread, before anything else runs. The settings structs outlive the registry.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/describe/describe.h"

namespace bedplate::config {

/// The text of a configuration file, and how messages call it.
struct File {
  std::string name;
  std::string text;
};

inline constexpr std::size_t kFileSizeMax = 1U << 20U;
inline constexpr std::size_t kSecretFileSizeMax = 64U << 10U;

/// Reads a configuration file of at most kFileSizeMax. Category::invalid, `config_unreadable`, with the
/// reason.
Result<File> read_file(std::string path);

/// One value from the command line.
struct Flag {
  std::string shown;  ///< How messages call it: "--set server.threads", "--listen".
  std::string key;
  std::string value;
};

/// From the `server.threads=4` of a --set. Category::invalid, `config_invalid`, when there is no equals sign.
Result<Flag> parse_flag(std::string_view key_and_value);

/// Where values come from, lowest first.
struct Sources {
  std::optional<File> file;
  std::vector<std::string> environment;  ///< "NAME=value"; see process_environment()
  std::vector<std::string>
      variables_ignored;    ///< BEDPLATE_* names that mean something else: "BEDPLATE_CONFIG"
  std::vector<Flag> flags;  ///< When one key stands twice the later wins.
};

/// The variables of this process that begin with BEDPLATE_.
std::vector<std::string> process_environment();

enum class Origin : std::uint8_t { default_value, file, environment, flag };

/// One setting, as the registry knows it.
struct Setting {
  std::string key;       ///< "server.threads"
  std::string variable;  ///< "BEDPLATE_SERVER_THREADS"
  const FieldInfo* field = nullptr;
  void* object = nullptr;    ///< The struct that holds it.
  std::string default_text;  ///< The value when it was added, as TOML; empty when it had none.

  Origin origin = Origin::default_value;
  std::string place;  ///< "default", "bedplate.toml:12", "BEDPLATE_SERVER_THREADS", "--set server.threads"

  bool is_secret() const { return field->has(kSecret); }
};

class Registry {
 public:
  Registry() = default;
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// Adds the settings of one struct under a dotted section. Two settings of one key or one variable, and
  /// types that cannot be configured (Patch, Json, variants), are bugs and end the program.
  template <class T>
  void add(std::string_view section, T& settings) {
    add(section, type_of<T>(), &settings);
  }
  void add(std::string_view section, const TypeInfo& type, void* settings);

  /// Fills every struct. Once. On failure, Category::invalid, `config_invalid`: the detail has one problem a
  /// line, the faults hold each with its key as the pointer; the structs are then a mixture that nobody
  /// should use.
  Result<void> load(const Sources& sources);

  /// What should be looked at although loading went well. One sentence each.
  const std::vector<std::string>& warnings() const { return warnings_; }

  std::span<const Setting> settings() const { return settings_; }
  const Setting* find(std::string_view key) const;

  /// The effective configuration as TOML, each line with its origin; secrets masked.
  std::string print_effective() const;
  /// Every setting as a commented TOML file: what it means, its rules, default, and variable.
  std::string print_reference() const;

 private:
  struct Section {
    std::string name;
    const TypeInfo* type;
    void* object;
  };
  friend class Loader;

  void add_field(std::string_view section, const FieldInfo& field, void* object);

  std::vector<Section> sections_;  // nested ones too, outer before inner
  std::vector<Setting> settings_;  // in order of sections and fields
  std::vector<std::string> warnings_;
};

}  // namespace bedplate::config

// SPDX-License-Identifier: Apache-2.0
#include "bedplate/config/config.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "bedplate/base/log.h"
#include "bedplate/base/text.h"
#include "bedplate/config/bounded_file.h"
#include "bedplate/config/toml_writer.h"

namespace bedplate::config {

namespace {

constexpr std::string_view kVariablePrefix = "BEDPLATE_";

[[noreturn]] void die(std::string_view problem, std::string_view key) {
  log_error("a setting is described wrongly", {{"problem", problem}, {"key", key}});
  std::abort();
}

std::string variable_of(std::string_view key) {
  std::string name(kVariablePrefix);
  for (const char c : key) name.push_back(c == '.' || c == '-' ? '_' : to_upper(c));
  return name;
}

/// Whether values of this type can be written in a TOML file and read back.
bool is_configurable(const TypeInfo& type) {
  switch (type.kind) {
    case Kind::patch:
    case Kind::json:
    case Kind::variant:
      return false;
    case Kind::optional:
    case Kind::list:
    case Kind::map:
      return is_configurable(*type.element);
    case Kind::object:
      return std::ranges::all_of(type.object().all(),
                                 [](const FieldInfo& field) { return is_configurable(*field.type); });
    default:
      return true;
  }
}

std::string dotted(std::string_view section, std::string_view name) {
  std::string key(section);
  if (!key.empty()) key.push_back('.');
  return key.append(name);
}

}  // namespace

Result<std::string> read_bounded_file(const std::string& path, std::size_t size_max) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  auto failure = [&](int reason) {
    if (file >= 0) ::close(file);
    return fail(Category::invalid, "config_unreadable",
                "cannot read " + path + ": " + std::generic_category().message(reason));
  };
  if (file < 0) return failure(errno);
  std::string text(size_max + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure(errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > size_max) return failure(EFBIG);
  ::close(file);
  text.resize(size);
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  text.shrink_to_fit();
  return text;
}

Result<File> read_file(std::string path) {
  Result<std::string> text = read_bounded_file(path, kFileSizeMax);
  if (!text) return std::unexpected(std::move(text.error()));
  return File{std::move(path), std::move(*text)};
}

Result<Flag> parse_flag(std::string_view key_and_value) {
  const std::size_t equals = key_and_value.find('=');
  const std::string_view key = trim(key_and_value.substr(0, equals));
  if (equals == std::string_view::npos || key.empty()) {
    return fail(Category::invalid, "config_invalid", "--set takes key=value, as in --set server.threads=2");
  }
  return Flag{"--set " + std::string(key), std::string(key), std::string(key_and_value.substr(equals + 1))};
}

std::vector<std::string> process_environment() {
  std::vector<std::string> variables;
  for (char** variable = ::environ; variable != nullptr && *variable != nullptr; ++variable) {
    if (std::string_view(*variable).starts_with(kVariablePrefix)) variables.emplace_back(*variable);
  }
  return variables;
}

void Registry::add(std::string_view section, const TypeInfo& type, void* settings) {
  if (type.kind != Kind::object) die("a section is a described struct", section);
  if (std::ranges::find(sections_, section, &Section::name) != sections_.end())
    die("a section is added twice", section);
  sections_.push_back({std::string(section), &type, settings});
  for (const FieldInfo& field : type.object().all()) {
    if (field.type->kind == Kind::object) {
      add(dotted(section, field.name()), *field.type, field.in(settings));
    } else {
      add_field(section, field, settings);
    }
  }
}

void Registry::add_field(std::string_view section, const FieldInfo& field, void* object) {
  Setting setting;
  setting.key = dotted(section, field.name());
  setting.variable = variable_of(setting.key);
  setting.field = &field;
  setting.object = object;
  setting.place = "default";
  if (!is_configurable(*field.type)) die("settings are not of type Patch, Json or variant", setting.key);
  const Kind kind = field.type->value_type().kind;
  if (setting.is_secret() && kind != Kind::string) die("a secret is a string", setting.key);
  for (const Setting& other : settings_) {
    for (const std::string_view suffix : {"", "_FILE"}) {
      for (const std::string_view other_suffix : {"", "_FILE"}) {
        if ((!suffix.empty() && !setting.is_secret()) || (!other_suffix.empty() && !other.is_secret()))
          continue;
        if (setting.variable.size() + suffix.size() != other.variable.size() + other_suffix.size()) continue;
        if (setting.variable + std::string(suffix) == other.variable + std::string(other_suffix)) {
          die("two settings have the same key or the same variable", setting.key);
        }
      }
    }
  }
  append_toml(setting.default_text, *field.type, field.in(static_cast<const void*>(object)));
  settings_.push_back(std::move(setting));
}

const Setting* Registry::find(std::string_view key) const {
  const auto found = std::ranges::find(settings_, key, &Setting::key);
  return found != settings_.end() ? &*found : nullptr;
}

}  // namespace bedplate::config

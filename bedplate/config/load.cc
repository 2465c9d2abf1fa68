// SPDX-License-Identifier: Apache-2.0
// Registry::load: every source in turn, every problem kept.
#include <algorithm>
#include <tuple>
#include <utility>

#include "bedplate/base/text.h"
#include "bedplate/config/bounded_file.h"
#include "bedplate/config/config.h"
#include "bedplate/config/toml.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/describe/text/text_value.h"
#include "bedplate/describe/validate.h"

namespace bedplate::config {

namespace {

constexpr std::string_view kPrefix = "BEDPLATE_";
constexpr std::string_view kFileSuffix = "_file";
constexpr std::string_view kFileVariableSuffix = "_FILE";

/// Which setting a key means, and whether it names a file that holds the value.
struct Target {
  Setting* setting = nullptr;
  bool from_file = false;
};

/// Where a value stands: what messages begin with, and which of the four sources it is.
struct Place {
  Origin origin;
  std::string text;
};

std::string_view last_part(std::string_view key) {
  return key.substr(key.rfind('.') + 1);
}

/// Pointers of faults inside a value ("/3/name") follow the key.
std::string sentence(std::string_view key, const Fault& fault) {
  std::string text(key);
  if (!fault.pointer.empty()) text += " (" + fault.pointer + ")";
  return text + " " + fault.message;
}

}  // namespace

class Loader final : public TomlVisitor {
 public:
  Loader(Registry& registry, const Sources& sources) : registry_(registry), sources_(sources) {}

  Result<void> run() {
    if (sources_.file) load_file(*sources_.file);
    for (const std::string& variable : sources_.environment) load_variable(variable);
    for (const Flag& flag : sources_.flags) load_flag(flag);
    check_untouched();
    if (problems_.empty()) return {};
    return report();
  }

 private:
  struct Problem {
    std::string key;
    std::string message;
    unsigned line = 0;
  };

  // ---- The file

  void load_file(const File& file) {
    file_name_ = file.name;
    if (file.text.size() > kFileSizeMax)
      return add_problem("", file.name + ": is larger than a configuration file may be");
    Result<void> walked = walk_toml(file.text, *this);
    if (!walked) add_problem("", file.name + ":" + walked.error().detail());
    // The walk is in the order of keys; people read in the order of lines.
    std::ranges::sort(problems_, {},
                      [](const Problem& problem) { return std::tie(problem.line, problem.message); });
  }

  TableIs on_table(std::string_view path, unsigned line) override {
    if (find_key(path).setting != nullptr) return TableIs::value;
    const std::string prefix = std::string(path) + ".";
    const bool is_section = std::ranges::any_of(
        registry_.settings_, [&](const Setting& setting) { return setting.key.starts_with(prefix); });
    if (is_section) return TableIs::section;
    std::string message = at_line(line) + ": unknown section [" + std::string(path) + "]";
    if (const auto near = nearest_section(path)) message += "; did you mean [" + *near + "]?";
    add_problem(path, std::move(message), line);
    return TableIs::skipped;
  }

  void on_value(std::string_view path, unsigned line, std::string_view json) override {
    const Target target = find_key(path);
    const Place place{Origin::file, at_line(line)};
    if (target.setting == nullptr) return add_unknown_key(path, place.text, line);
    if (is_given_twice(target, place, line)) return;
    if (!target.from_file) {
      return set(target, place, line, [&](Faults& faults) { read_from_json(*target.setting, json, faults); });
    }
    const Result<std::string> name = from_json<std::string>(json);
    if (!name) return add_problem(path, place.text + ": " + std::string(path) + " must be a string", line);
    set_from_file(target, *name, place, line);
  }

  void on_bad_value(std::string_view path, unsigned line, std::string_view why) override {
    if (find_key(path).setting == nullptr) return add_unknown_key(path, at_line(line), line);
    add_problem(path, at_line(line) + ": " + std::string(path) + " " + std::string(why), line);
  }

  std::string at_line(unsigned line) const { return file_name_ + ":" + std::to_string(line); }

  // ---- Variables and flags

  void load_variable(std::string_view variable) {
    const std::string_view name = variable.substr(0, variable.find('='));
    if (!name.starts_with(kPrefix) || name.size() == variable.size()) return;
    if (std::ranges::find(sources_.variables_ignored, name) != sources_.variables_ignored.end()) return;
    const Target target = find_variable(name);
    if (target.setting == nullptr) return warn_of_variable(name);
    load_text(target, variable.substr(name.size() + 1), Place{Origin::environment, std::string(name)});
  }

  void load_flag(const Flag& flag) {
    const Target target = find_key(flag.key);
    if (target.setting == nullptr) return add_unknown_key(flag.key, flag.shown, 0);
    load_text(target, flag.value, Place{Origin::flag, flag.shown});
  }

  void load_text(const Target& target, std::string_view text, const Place& place) {
    if (is_given_twice(target, place, 0)) return;
    if (target.from_file) return set_from_file(target, std::string(text), place, 0);
    set(target, place, 0, [&](Faults& faults) { read_from_text(*target.setting, text, faults); });
  }

  void warn_of_variable(std::string_view name) {
    std::vector<std::string_view> names;
    for (const Setting& setting : registry_.settings_) names.emplace_back(setting.variable);
    std::string message(name);
    message += " is not a setting and is ignored";
    if (const auto near = find_nearest(name.substr(kPrefix.size()), without_prefix(names))) {
      message += "; did you mean " + std::string(kPrefix) + std::string(*near) + "?";
    }
    registry_.warnings_.push_back(std::move(message));
  }

  /// So that the prefix, which all share, does not make everything look near.
  static std::vector<std::string_view> without_prefix(std::vector<std::string_view> names) {
    for (std::string_view& name : names) name.remove_prefix(kPrefix.size());
    return names;
  }

  // ---- One value

  /// Lets `read` fill the setting, then applies its rules.
  template <class Read>
  void set(const Target& target, const Place& place, unsigned line, Read read) {
    Setting& setting = *target.setting;
    Faults faults;
    read(faults);
    void* const object = setting.object;
    if (faults.empty()) validate_field(*setting.field, object, "", faults);
    for (const Fault& fault : faults.list()) {
      add_problem(setting.key, place.text + ": " + sentence(setting.key, fault), line);
    }
    setting.origin = place.origin;
    setting.place = place.text;
    touched_.push_back(target);
    if (setting.field->has(kDeprecated)) {
      registry_.warnings_.push_back(place.text + ": " + setting.key + " is deprecated");
    }
  }

  static void read_from_json(const Setting& setting, std::string_view json, Faults& faults) {
    const Result<void> read =
        read_json(json, *setting.field->type, setting.field->in(setting.object), faults);
    if (!read) faults.add("", "format", "cannot be read: " + read.error().detail());
  }

  static void read_from_text(const Setting& setting, std::string_view text, Faults& faults) {
    const TypeInfo& type = *setting.field->type;
    void* const value = setting.field->in(setting.object);
    if (is_text_scalar(type)) {
      read_text(text, type, Rules{}, value, "", faults);
    } else if (is_text_list(type) && !trim(text).starts_with('[')) {
      read_items(text, type, value, faults);
    } else {
      read_from_json(setting, text, faults);
    }
  }

  /// "a, b": a list with commas. The empty text is the empty list.
  static void read_items(std::string_view text, const TypeInfo& type, void* value, Faults& faults) {
    if (type.kind == Kind::optional) value = type.optional->emplace(value);
    const TypeInfo& list = type.value_type();
    list.list->clear(value);
    if (trim(text).empty()) return;
    for (std::size_t index = 0;; ++index) {
      const std::size_t comma = text.find(',');
      void* const item = list.list->push(value);
      read_text(trim(text.substr(0, comma)), *list.element, Rules{}, item, "/" + std::to_string(index),
                faults);
      if (comma == std::string_view::npos) return;
      text.remove_prefix(comma + 1);
    }
  }

  void set_from_file(const Target& target, const std::string& path, const Place& place, unsigned line) {
    Setting& setting = *target.setting;
    Result<std::string> text = read_bounded_file(path, kSecretFileSizeMax);
    if (!text) {
      return add_problem(
          setting.key,
          place.text + ": " + setting.key + std::string(kFileSuffix) + ": " + text.error().detail(), line);
    }
    if (text->ends_with('\n')) text->pop_back();
    if (text->ends_with('\r')) text->pop_back();
    set(target, place, line, [&](Faults& faults) { read_from_text(setting, *text, faults); });
    setting.place += " (" + path + ")";
  }

  /// A secret and the name of its file, both in one source: which was meant is not for us to guess.
  bool is_given_twice(const Target& target, const Place& place, unsigned line) {
    const Setting& setting = *target.setting;
    const bool twice = std::ranges::any_of(touched_, [&](const Target& other) {
      return other.setting == &setting && other.from_file != target.from_file &&
             setting.origin == place.origin;
    });
    if (twice) {
      add_problem(setting.key,
                  place.text + ": " + setting.key + " and " + setting.key + std::string(kFileSuffix) +
                      " are both given; give one of them",
                  line);
    }
    return twice;
  }

  /// Rules hold for defaults too, and rules across fields for what all sources made of a section.
  void check_untouched() {
    for (const Setting& setting : registry_.settings_) {
      if (std::ranges::find(touched_, &setting, &Target::setting) != touched_.end()) continue;
      Faults faults;
      validate_field(*setting.field, setting.object, "", faults);
      for (const Fault& fault : faults.list()) {
        add_problem(setting.key, sentence(setting.key, fault) + "; its default does not, so set it");
      }
    }
    for (const Registry::Section& section : registry_.sections_) {
      const std::string prefix = section.name + ".";
      const bool has_problem = std::ranges::any_of(
          problems_, [&](const Problem& problem) { return problem.key.starts_with(prefix); });
      if (has_problem) continue;
      Faults faults;
      check_across_fields(*section.type, section.object, faults);
      for (const Fault& fault : faults.list()) add_problem_across(section, fault);
    }
  }

  void add_problem_across(const Registry::Section& section, const Fault& fault) {
    std::string key = section.name;
    if (fault.pointer.size() > 1) key += "." + fault.pointer.substr(1);
    const Setting* setting = registry_.find(key);
    const bool is_set = setting != nullptr && setting->origin != Origin::default_value;
    add_problem(key, (is_set ? setting->place + ": " : std::string()) + key + " " + fault.message);
  }

  // ---- Keys

  Target find_key(std::string_view key) {
    for (Setting& setting : registry_.settings_) {
      if (setting.key == key) return {&setting, false};
      if (setting.is_secret() && key.ends_with(kFileSuffix) &&
          setting.key == key.substr(0, key.size() - kFileSuffix.size())) {
        return {&setting, true};
      }
    }
    return {};
  }

  Target find_variable(std::string_view name) {
    for (Setting& setting : registry_.settings_) {
      if (setting.variable == name) return {&setting, false};
      if (setting.is_secret() && name.ends_with(kFileVariableSuffix) &&
          setting.variable == name.substr(0, name.size() - kFileVariableSuffix.size())) {
        return {&setting, true};
      }
    }
    return {};
  }

  void add_unknown_key(std::string_view key, std::string_view place, unsigned line) {
    std::string message = std::string(place) + ": ";
    if (is_section_name(key)) {
      message += std::string(key) + " is a section, not a setting";
    } else {
      message += "unknown key \"" + std::string(key) + "\"";
      if (const auto near = nearest_key(key)) message += "; did you mean \"" + *near + "\"?";
    }
    add_problem(key, std::move(message), line);
  }

  bool is_section_name(std::string_view key) const {
    return std::ranges::any_of(registry_.sections_,
                               [key](const auto& section) { return section.name == key; });
  }

  /// By spelling; failing that, the one setting whose last part is what was written ("threads").
  std::optional<std::string> nearest_key(std::string_view key) const {
    std::vector<std::string> keys;
    for (const Setting& setting : registry_.settings_) {
      keys.push_back(setting.key);
      if (setting.is_secret()) keys.push_back(setting.key + std::string(kFileSuffix));
    }
    const std::vector<std::string_view> views(keys.begin(), keys.end());
    if (const auto near = find_nearest(key, views)) return std::string(*near);
    const auto same_end = [key](std::string_view other) { return last_part(other) == last_part(key); };
    const auto found = std::ranges::find_if(views, same_end);
    if (found == views.end() || std::ranges::count_if(views, same_end) != 1) return std::nullopt;
    return std::string(*found);
  }

  std::optional<std::string> nearest_section(std::string_view path) const {
    std::vector<std::string_view> names;
    for (const auto& section : registry_.sections_) names.emplace_back(section.name);
    const auto near = find_nearest(path, names);
    return near ? std::optional(std::string(*near)) : std::nullopt;
  }

  // ---- Problems

  void add_problem(std::string_view key, std::string message, unsigned line = 0) {
    problems_.push_back({std::string(key), std::move(message), line});
  }

  Result<void> report() {
    std::string detail;
    std::vector<Fault> faults;
    for (Problem& problem : problems_) {
      if (faults.size() == Faults::kKeptMax) {
        detail += "\n... and " + std::to_string(problems_.size() - faults.size()) + " more";
        break;
      }
      if (!detail.empty()) detail.push_back('\n');
      detail += problem.message;
      faults.push_back({std::move(problem.key), "config", std::move(problem.message)});
    }
    const bool more = problems_.size() > faults.size();
    return std::unexpected(
        Error(Category::invalid, "config_invalid", std::move(detail)).with_faults(std::move(faults), more));
  }

  Registry& registry_;
  const Sources& sources_;
  std::string file_name_;
  std::vector<Target> touched_;
  std::vector<Problem> problems_;
};

Result<void> Registry::load(const Sources& sources) {
  return Loader(*this, sources).run();
}

}  // namespace bedplate::config

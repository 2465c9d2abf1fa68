// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/migration_files.h"

#include <charconv>
#include <map>
#include <utility>

#include "bedplate/base/hash.h"
#include "bedplate/sql/migration_words.h"

namespace bedplate::sql {
namespace {

std::string_view engine_name(Dialect dialect) {
  return dialect == Dialect::sqlite ? "sqlite" : "postgresql";
}

std::unexpected<Error> bad(const MigrationSource& source, const std::string& why) {
  return fail(Category::internal, "bad_migration",
              "Migrations of " + std::string(source.module) + ": " + why);
}

struct FileName {
  std::int64_t version = 0;
  std::string name;
  std::string engine;  ///< empty: every engine
  bool up = false;
};

// NNNN_name[.engine].up|down.sql
bool parse_name(std::string_view file, FileName& out) {
  if (const std::size_t slash = file.rfind('/'); slash != std::string_view::npos)
    file.remove_prefix(slash + 1);
  constexpr std::string_view kUp = ".up.sql";
  constexpr std::string_view kDown = ".down.sql";
  out.up = file.ends_with(kUp);
  if (!out.up && !file.ends_with(kDown)) return false;
  file.remove_suffix(out.up ? kUp.size() : kDown.size());
  const char* end = file.data() + file.size();
  const auto [stop, error] = std::from_chars(file.data(), end, out.version);
  if (error != std::errc() || stop - file.data() != 4 || out.version < 1 || stop == end || *stop != '_')
    return false;
  file.remove_prefix(5);
  if (const std::size_t dot = file.find('.'); dot != std::string_view::npos) {
    out.engine = file.substr(dot + 1);
    file = file.substr(0, dot);
    if (out.engine != "sqlite" && out.engine != "postgresql") return false;
  }
  out.name = file;
  return !file.empty();
}

// 64 bits tell an edited file from the one that was applied; nobody gains by forging a collision here.
std::string checksum_of(std::string_view text) {
  const std::uint64_t hash = siphash24(text, HashKey{});
  std::string hex(16, '0');
  for (int i = 0; i < 16; ++i)
    hex[static_cast<std::size_t>(i)] = "0123456789abcdef"[(hash >> (60 - 4 * i)) & 15];
  return hex;
}

struct Texts {
  const EmbeddedFile* portable = nullptr;
  const EmbeddedFile* own = nullptr;
  const EmbeddedFile* chosen() const { return own ? own : portable; }
};
struct Step {
  std::string name;
  Texts up;
  Texts down;
};

Result<std::map<std::int64_t, Step>> collect(const MigrationSource& source, std::string_view engine) {
  std::map<std::int64_t, Step> steps;
  for (const EmbeddedFile& file : source.files) {
    FileName name;
    if (!parse_name(file.name, name))
      return bad(source, std::string(file.name) +
                             " is not named NNNN_name.up.sql, NNNN_name.down.sql, or "
                             "NNNN_name.ENGINE.up.sql with sqlite or postgresql.");
    Step& step = steps[name.version];
    if (!step.name.empty() && step.name != name.name)
      return bad(source, "version " + std::to_string(name.version) + " is there twice: " + step.name +
                             " and " + name.name + ".");
    step.name = name.name;
    if (!name.engine.empty() && name.engine != engine) continue;
    Texts& texts = name.up ? step.up : step.down;
    const EmbeddedFile*& place = name.engine.empty() ? texts.portable : texts.own;
    if (place) return bad(source, std::string(file.name) + " is there twice.");
    place = &file;
  }
  return steps;
}

Result<void> expand(const MigrationSource& source, const EmbeddedFile& file, Dialect dialect,
                    std::string& text) {
  Result<std::string> expanded = expand_migration_words(file.bytes, dialect);
  if (!expanded) return bad(source, std::string(file.name) + ", " + expanded.error().detail() + ".");
  text = std::move(*expanded);
  return {};
}

}  // namespace

Result<std::vector<Migration>> read_migrations(const MigrationSource& source, Dialect dialect) {
  const std::string_view engine = engine_name(dialect);
  Result<std::map<std::int64_t, Step>> steps = collect(source, engine);
  if (!steps) return std::unexpected(std::move(steps.error()));
  std::vector<Migration> migrations;
  for (const auto& [version, step] : *steps) {
    if (version != static_cast<std::int64_t>(migrations.size()) + 1)
      return bad(source, "version " + std::to_string(migrations.size() + 1) + " is missing before " +
                             std::to_string(version) + "_" + step.name + ".");
    const EmbeddedFile* up = step.up.chosen();
    if (!up)
      return bad(source, "version " + std::to_string(version) + "_" + step.name + " has no .up.sql for " +
                             std::string(engine) + ".");
    Migration migration{.version = version, .name = step.name, .up_file = up->name};
    if (Result<void> read = expand(source, *up, dialect, migration.up); !read)
      return std::unexpected(std::move(read.error()));
    if (const EmbeddedFile* down = step.down.chosen()) {
      migration.down_file = down->name;
      if (Result<void> read = expand(source, *down, dialect, migration.down); !read)
        return std::unexpected(std::move(read.error()));
    }
    migration.checksum = checksum_of(up->bytes);
    migrations.push_back(std::move(migration));
  }
  return migrations;
}

}  // namespace bedplate::sql

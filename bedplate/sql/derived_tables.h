// SPDX-License-Identifier: Apache-2.0
// DerivedTables: tables whose rows follow from those of others, as a search index does. They bring their own migration,
// and what makes their rows anew: a copy between databases leaves them out and then runs it.
//
//   app.derived(search::derived(kNotesSearch));       // in main(): makes the tables, and nothing can forget the rest
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/base/embedded.h"
#include "bedplate/sql/migrate.h"

namespace bedplate::sql {

class Database;

/// Move-only. Whoever runs the migrations keeps it.
class DerivedTables {
 public:
  /// Makes the rows of all tables anew. It may be called again after an interruption.
  using Rebuild = std::function<Async<void>(Database&)>;
  struct File {
    std::string name;  ///< as of a migration: "0001_notes_search.sqlite.up.sql"
    std::string text;
  };

  DerivedTables(std::string module, std::vector<std::string> tables, std::vector<File> files, Rebuild rebuild)
      : module_(std::make_unique<std::string>(std::move(module))),
        tables_(std::move(tables)),
        files_(std::move(files)),
        rebuild_(std::move(rebuild)) {
    for (const File& file : files_) embedded_.push_back({file.name, file.text});
  }
  DerivedTables(DerivedTables&&) = default;
  DerivedTables& operator=(DerivedTables&&) = default;

  /// Valid as long as this, wherever it is moved.
  MigrationSource migrations() const { return {*module_, embedded_}; }
  const std::vector<std::string>& tables() const { return tables_; }
  Async<void> rebuild(Database& database) const { return rebuild_(database); }

 private:
  std::unique_ptr<std::string> module_;
  std::vector<std::string> tables_;
  std::vector<File> files_;
  std::vector<EmbeddedFile> embedded_;
  Rebuild rebuild_;
};

}  // namespace bedplate::sql

// SPDX-License-Identifier: Apache-2.0
// Module: a service as a program takes it, in one line of main(): app.add(tasks::tasks_module()).
//
//   app::Module tasks_module() {
//     using namespace api;
//     return app::Module("tasks", "Things to be done. A task belongs to one user.")
//         .migrations(tasks_migrations())
//         .scopes({"tasks:read", "tasks:write"}, app::for_users)
//         .service<Tasks>()
//         .command<&Tasks::create>("create", post("/v1/tasks"), needs("tasks:write"), creates("/v1/tasks/{id}"))
//         .query<&Tasks::find>("find", get("/v1/tasks/{id}"), needs("tasks:read"), fails_with(kTaskNotFound));
//   }
//
// It says everything that a program needs to know of the service, so nothing of it can be forgotten: its tables, its
// settings, who may do what, its operations, what it does beside requests, and its commands. Services that derive from
// auth::UserDataOwner own rows of users: theirs go when an account goes.
//
// A value type, made before the program is configured; services are made for each Host, which they do not outlive.
// Operations are bound to services by their class.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "bedplate/app/command_line.h"
#include "bedplate/app/host.h"
#include "bedplate/async/async.h"
#include "bedplate/auth/user_data.h"
#include "bedplate/base/embedded.h"
#include "bedplate/base/result.h"
#include "bedplate/config/config.h"
#include "bedplate/events/consumers/consumers.h"
#include "bedplate/jobs/cron.h"
#include "bedplate/jobs/declaration.h"
#include "bedplate/jobs/enqueue.h"
#include "bedplate/operations/api.h"
#include "bedplate/sql/derived_tables.h"
#include "bedplate/sql/module_tables.h"
#include "bedplate/surfaces/rest/route.h"

namespace bedplate::app {

/// One command beside the built-in ones. It gets the positional arguments, then the flags that were given, and prints
/// its answer to standard output. It runs on an open, migrated database, also beside a process that serves the same
/// data. Its log begins with warnings, unless log.level says debug: what a command does, it prints.
using CommandBody = std::function<Result<void>(Host&, std::span<const std::string>)>;

class Module {
 public:
  struct Command {
    CommandSpec spec;
    CommandBody body;
  };

  /// `name` (snake_case): the tag in the documents, the name of its migrations, and the first half of its operations'
  /// names. `doc`: one or two sentences.
  Module(std::string_view name, std::string_view doc) : api_(name, doc) {}

  /// Its tables: what bedplate_embed() made of the folder of its migrations.
  Module migrations(std::span<const EmbeddedFile> files) &&;
  /// Its described tables and named statements: `sql`, `migrate check` and `migrate new` know them by this.
  Module tables(std::vector<const sql::TableInfo*> described, std::vector<sql::Text> statements = {}) && {
    tables_ = {std::string(name()), std::move(described), std::move(statements)};
    return std::move(*this);
  }
  /// Tables that follow from others, such as a search index: `.derived(search::derived(kSearch))`. They bring their own
  /// migration, and how they are made anew after a copy.
  Module derived(sql::DerivedTables tables) && {
    derived_.push_back(std::move(tables));
    return std::move(*this);
  }
  /// A section of the configuration, read into `settings`, which outlives the program.
  template <class Settings>
  Module settings(std::string_view section, Settings& settings) && {
    settings_.emplace_back([name = std::string(section), &settings](config::Registry& registry) {
      registry.add(name, settings);
    });
    return std::move(*this);
  }
  /// Scopes that its operations need(), and who gets them. One that nobody declares is an error at start.
  Module scopes(std::initializer_list<std::string_view> names, ScopeHolders holders) &&;

  /// Makes a T for each host: T(Host&), T(const Clock&) or T(), the first of these that there is.
  template <class T>
  Module service() && {
    return std::move(*this).template service<T>([](Host& host) -> Result<std::unique_ptr<T>> {
      if constexpr (std::is_constructible_v<T, Host&>)
        return std::make_unique<T>(host);
      else if constexpr (std::is_constructible_v<T, const Clock&>)
        return std::make_unique<T>(host.clock());
      else
        return std::make_unique<T>();
    });
  }
  /// The same with make(Host&), which returns Result<std::unique_ptr<T>>. There is no database yet.
  template <class T, class Make>
  Module service(Make make) && {
    steps_.emplace_back([make = std::move(make)](Host& host, api::Api& api) -> Result<void> {
      Result<std::unique_ptr<T>> made = make(host);
      if (!made) return std::unexpected(std::move(made.error()));
      T& service = host.own(std::move(*made));
      api.bind(service);
      if constexpr (std::is_base_of_v<auth::UserDataOwner, T>) host.add_user_data_owner(service);
      return {};
    });
    return std::move(*this);
  }
  /// Whatever else is to be said to a host once the services before it are made: body(Host&), which returns nothing or
  /// Result<void>.
  template <class Body>
  Module wire(Body body) && {
    steps_.emplace_back([body = std::move(body)](Host& host, api::Api&) -> Result<void> {
      if constexpr (std::is_void_v<std::invoke_result_t<Body, Host&>>)
        return body(host), Result<void>();
      else
        return body(host);
    });
    return std::move(*this);
  }

  // ---- Operations: see api.h.

  template <auto Member, class Name, class... Rest>
  Module command(const Name& name, Rest&&... rest) && {
    api_ = std::move(api_).template command<Member>(name, rest...);
    return std::move(*this);
  }
  template <auto Member, class Name, class... Rest>
  Module query(const Name& name, Rest&&... rest) && {
    api_ = std::move(api_).template query<Member>(name, rest...);
    return std::move(*this);
  }
  template <auto Member, class Name, class... Rest>
  Module procedure(const Name& name, Rest&&... rest) && {
    api_ = std::move(api_).template procedure<Member>(name, rest...);
    return std::move(*this);
  }
  template <auto Member, class Name, class... Rest>
  Module pure(const Name& name, Rest&&... rest) && {
    api_ = std::move(api_).template pure<Member>(name, rest...);
    return std::move(*this);
  }
  /// All of an Api of the same name, where one function cannot hold them: `.operations(add_sessions(...))`.
  Module operations(api::Api api) && {
    api_ = std::move(api);
    return std::move(*this);
  }

  // ---- Beside requests.

  /// A job: Member is a command (sql::Transaction&: what it writes and that it is done are one commit) or a procedure
  /// (sql::Database&, for work outside; at least once), with at most a jobs::Attempt& beside its input. `job` is what
  /// others enqueue it by (jobs/enqueue.h); options are those of jobs/declaration.h:
  ///
  ///   .job<&Receipts::send>(kSendReceipt, jobs::attempts(8), jobs::timeout(30s))
  template <auto Member, class In, jobs::JobOption... Options>
  Module job(const jobs::Job<In>& job, const Options&... options) && {
    using S = api::detail::SignatureOf<Member>;
    static_assert(S::kKind == api::OperationKind::command || S::kKind == api::OperationKind::procedure,
                  "a job takes sql::Transaction& or sql::Database&");
    static_assert(std::is_same_v<typename S::Input, In>,
                  "the job's name says another input than the function takes");
    const std::string_view name = job.name.substr(job.name.find('.') + 1);
    if constexpr (S::kKind == api::OperationKind::command)
      api_ = std::move(api_).template command<Member>(name, api::system_only());
    else
      api_ = std::move(api_).template procedure<Member>(name, api::system_only());
    jobs::Declaration declaration;
    declaration.name = job.name;
    declaration.queue = jobs::queue_of(job.name, job.queue);
    (options.apply_to_job(declaration), ...);
    jobs_.push_back(std::move(declaration));
    return std::move(*this);
  }

  /// A job that a schedule enqueues (jobs/cron.h). Member is as for job(), and its input is a jobs::Occurrence:
  ///
  ///   .cron<&Reminders::digest>("digest", jobs::daily("08:00", jobs::zone("Europe/Berlin")), jobs::missed(jobs::skip))
  template <auto Member, jobs::JobOption... Options>
  Module cron(std::string_view name, jobs::Schedule when, jobs::Missed missed = jobs::latest,
              const Options&... options) && {
    static_assert(std::is_same_v<typename api::detail::SignatureOf<Member>::Input, jobs::Occurrence>,
                  "a cron job takes const jobs::Occurrence&: when it was due");
    const std::string full_name = std::string(this->name()) + "." + std::string(name);
    crons_.push_back({full_name, std::move(when), missed});
    return std::move(*this).template job<Member>(jobs::Job<jobs::Occurrence>{full_name}, options...);
  }

  /// A type of event that the module publishes: "task.done". Consumers of a program know the types that its modules
  /// declare, and stop at others.
  Module event(std::string_view type) && {
    event_types_.emplace_back(type);
    return std::move(*this);
  }
  /// What it does because of an event (events/consumers/consumers.h): Member is a command, its input the data of events
  /// of this type, with at most an events::Received& beside it:
  ///
  ///   .on<&Stats::count>("task.done")
  template <auto Member>
  Module on(std::string_view type) && {
    using S = api::detail::SignatureOf<Member>;
    static_assert(S::kKind == api::OperationKind::command && S::kHasInput,
                  "a handler of events takes sql::Transaction& and the data of the event");
    std::string operation = "on_" + std::string(type);
    for (char& c : operation)
      if (c == '.') c = '_';
    api_ = std::move(api_).template command<Member>(operation, api::system_only());
    consumer_.handlers.emplace(type, std::string(name()) + "." + operation);
    return std::move(*this);
  }

  /// A command of the command line, `PROGRAM admin grant EMAIL`.
  Module cli(CommandSpec spec, CommandBody body) &&;
  /// Runs after `restore`, on the database that was put in place: what must not come back to life with it.
  Module after_restore(std::function<Result<void>(Host&)> body) &&;
  /// Where Host::sealing_key() is kept: a setting, which outlives the program. One module says it.
  Module key_file(const std::string& setting) &&;

  // ---- For Application and Host.

  std::string_view name() const { return api_.name(); }
  const api::Api& api() const { return api_; }
  std::span<const EmbeddedFile> migration_files() const { return migrations_; }
  const std::vector<std::function<void(config::Registry&)>>& settings_sections() const { return settings_; }
  const sql::ModuleTables& described_tables() const { return tables_; }
  std::vector<sql::DerivedTables> take_derived() { return std::move(derived_); }
  const std::vector<jobs::Declaration>& declared_jobs() const { return jobs_; }
  const std::vector<jobs::CronDeclaration>& declared_crons() const { return crons_; }
  const std::vector<DeclaredScope>& declared_scopes() const { return scopes_; }
  const std::vector<Command>& commands() const { return commands_; }
  const std::vector<std::function<Result<void>(Host&)>>& restore_hooks() const { return restore_hooks_; }
  const std::string* key_file_setting() const { return key_file_; }
  /// Makes its services and serves its operations.
  Result<void> wire_into(Host& host) const;

 private:
  api::Api api_;
  std::span<const EmbeddedFile> migrations_;
  sql::ModuleTables tables_;
  std::vector<sql::DerivedTables> derived_;
  std::vector<std::function<void(config::Registry&)>> settings_;
  std::vector<jobs::CronDeclaration> crons_;
  std::vector<std::string> event_types_;
  events::ConsumerDeclaration consumer_;
  std::vector<DeclaredScope> scopes_;
  std::vector<jobs::Declaration> jobs_;
  std::vector<std::function<Result<void>(Host&, api::Api&)>> steps_;
  std::vector<Command> commands_;
  std::vector<std::function<Result<void>(Host&)>> restore_hooks_;
  const std::string* key_file_ = nullptr;
};

}  // namespace bedplate::app

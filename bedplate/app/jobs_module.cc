// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/jobs_module.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

#include "bedplate/app/command_caller.h"
#include "bedplate/base/text.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/describe/validate.h"
#include "bedplate/execution/hooked_database.h"
#include "bedplate/jobs/administration.h"
#include "bedplate/jobs/workers.h"

namespace bedplate::app {
namespace {

using jobs::JobAdministration;
using jobs::JobList;
using jobs::JobRef;
using jobs::JobView;
using jobs::ListJobs;
using jobs::QueueRef;

api::Api jobs_api() {
  using namespace api;
  return Api("jobs", "Work that is done later")
      .query<&JobAdministration::list>(
          "list", get("/v1/admin/jobs"), needs(kJobsScope), summary("List jobs"),
          doc("Newest first, without their inputs."),
          fails_with(Category::invalid, "state_unknown", "No job has such a state."))
      .query<&JobAdministration::show>("show", get("/v1/admin/jobs/{id}"), needs(kJobsScope),
                                       summary("Show a job"), fails_with(jobs::kJobNotFound))
      .command<&JobAdministration::retry>(
          "retry", post("/v1/admin/jobs/{id}/retry"), needs(kJobsScope), summary("Try a job again"),
          doc("One that is dead, or waits for its next attempt, is due now; its attempts "
              "are counted anew."),
          fails_with(jobs::kJobNotFound, jobs::kJobNotDead))
      .command<&JobAdministration::cancel>(
          "cancel", post("/v1/admin/jobs/{id}/cancel"), needs(kJobsScope), summary("Cancel a job"),
          doc("One that waits ends now; one that runs is asked to stop. One that has "
              "ended stays as it is."),
          fails_with(jobs::kJobNotFound))
      .command<&JobAdministration::pause>("pause", post("/v1/admin/job-queues/{queue}/pause"),
                                          needs(kJobsScope), summary("Pause a queue"),
                                          doc("Nothing more of it begins, in any process."))
      .command<&JobAdministration::resume>("resume", post("/v1/admin/job-queues/{queue}/resume"),
                                           needs(kJobsScope), summary("Resume a queue"));
}

// ---- the command line

std::unexpected<Error> wrong_value(const char* flag, const char* what) {
  return fail(Category::invalid, kWrongCall, std::string(flag) + " wants " + what + ".");
}

Result<ListJobs> query_of(std::span<const std::string> arguments) {
  ListJobs query;
  if (const auto limit = value_of(arguments, "--limit")) {
    const auto number = parse_int(*limit);
    if (!number || *number < 1 || *number > 1000) return wrong_value("--limit", "a number from 1 to 1000");
    query.limit = *number;
  }
  if (const auto after = value_of(arguments, "--after")) {
    const std::optional<Uuid> id = Uuid::parse(*after);
    if (!id) return wrong_value("--after", "the id of a job");
    query.after = jobs::JobId{*id};
  }
  if (const auto state = value_of(arguments, "--state")) query.state = std::string(*state);
  return query;
}

void print(const JobView& job) {
  std::printf("%s  %-28s %-10s %-10s %3d  %s  %s\n", job.id.to_string().c_str(), job.kind.c_str(),
              job.queue.c_str(), job.state.c_str(), static_cast<int>(job.attempt),
              to_rfc3339(std::chrono::floor<std::chrono::milliseconds>(job.run_at)).c_str(),
              job.error.value_or("").c_str());
}

Result<void> list(Host& host, std::span<const std::string> arguments) {
  Result<ListJobs> query = query_of(arguments);
  if (!query) return std::unexpected(std::move(query.error()));
  const JobAdministration administration;
  Result<JobList> jobs =
      host.wait_for(host.database().read(&JobAdministration::list, administration, *query));
  if (!jobs) return std::unexpected(std::move(jobs.error()));
  const bool as_json = std::ranges::find(arguments, "--json") != arguments.end();
  if (!as_json) {
    if (jobs->data.empty()) std::puts("There are no such jobs.");
    for (const JobView& job : jobs->data) print(job);
    return {};
  }
  std::string text = "[";
  for (const JobView& job : jobs->data) text += (text.size() > 1 ? ",\n" : "") + to_json(job);
  std::puts((text + "]").c_str());
  return {};
}

Result<JobRef> job_of(const std::string& text) {
  const std::optional<Uuid> id = Uuid::parse(text);
  if (!id)
    return fail(Category::invalid, kWrongCall, "\"" + text + "\" is not the id of a job: see `jobs list`.");
  return JobRef{jobs::JobId{*id}};
}

Result<void> show(Host& host, std::span<const std::string> arguments) {
  Result<JobRef> ref = job_of(arguments[0]);
  if (!ref) return std::unexpected(std::move(ref.error()));
  const JobAdministration administration;
  Result<JobView> job = host.wait_for(host.database().read(&JobAdministration::show, administration, *ref));
  if (!job) return std::unexpected(std::move(job.error()));
  std::puts(to_json(*job).c_str());
  return {};
}

/// A change by the command line: audited like any other.
template <class Ref>
Result<void> change(Host& host, std::string_view command,
                    Async<void> (JobAdministration::*what)(sql::Transaction&, const Ref&) const,
                    const Ref& ref, const std::string& named) {
  Faults faults;
  validate(type_of<Ref>(), &ref, faults);
  if (!faults.empty())
    return fail(Category::invalid, kWrongCall, "\"" + named + "\" is not the name of a queue.");
  const CommandCaller caller;
  const api::Commit commit(command, caller.caller());
  api::HookedDatabase hooked(host.database(), host.commit_hooks(), commit, &host.clock());
  sql::Database& database = hooked;
  const JobAdministration administration;
  return host.wait_for(database.transact(what, administration, ref));
}

using ChangeJob = Async<void> (JobAdministration::*)(sql::Transaction&, const JobRef&) const;
using ChangeQueue = Async<void> (JobAdministration::*)(sql::Transaction&, const QueueRef&) const;

CommandBody on_job(const char* command, ChangeJob what, const char* done) {
  return [command, what, done](Host& host, std::span<const std::string> arguments) -> Result<void> {
    Result<JobRef> ref = job_of(arguments[0]);
    if (!ref) return std::unexpected(std::move(ref.error()));
    Result<void> changed = change(host, command, what, *ref, arguments[0]);
    if (changed) std::printf("%s: %s\n", arguments[0].c_str(), done);
    return changed;
  };
}

CommandBody on_queue(const char* command, ChangeQueue what, const char* done) {
  return [command, what, done](Host& host, std::span<const std::string> arguments) -> Result<void> {
    Result<void> changed = change(host, command, what, QueueRef{arguments[0]}, arguments[0]);
    if (changed) std::printf("%s: %s\n", arguments[0].c_str(), done);
    return changed;
  };
}

const ArgumentSpec kId{"ID", "The job, as `jobs list` shows it"};
const ArgumentSpec kQueue{"QUEUE", "Name of the queue"};

Module add_commands(Module module) {
  return std::move(module)
      .cli(
          {.name = "jobs list",
           .doc = "Print jobs, newest first",
           .group_doc = "Look at the work that is done later",
           .flags = {{"--json", "As a JSON array"},
                     {"--state", "Only scheduled, available, running, done, dead or cancelled ones", "STATE"},
                     {"--limit", "At most so many (100)", "N"},
                     {"--after", "Only jobs older than this one", "ID"}}},
          &list)
      .cli({.name = "jobs show", .doc = "Print a job as JSON", .arguments = {kId}}, &show)
      .cli(
          {.name = "jobs retry", .doc = "Try a job again now, its attempts counted anew", .arguments = {kId}},
          on_job("jobs.retry", &JobAdministration::retry, "is due now"))
      .cli({.name = "jobs cancel",
            .doc = "End a job that waits, ask one that runs to stop",
            .arguments = {kId}},
           on_job("jobs.cancel", &JobAdministration::cancel, "cancelled"))
      .cli({.name = "jobs pause",
            .doc = "Begin nothing more of a queue, in any process",
            .arguments = {kQueue}},
           on_queue("jobs.pause", &JobAdministration::pause, "paused"))
      .cli({.name = "jobs resume", .doc = "Go on with a queue", .arguments = {kQueue}},
           on_queue("jobs.resume", &JobAdministration::resume, "goes on"));
}

// ---- the workers

Result<void> start(Host& host, jobs::Workers& workers, const jobs::JobSettings& settings) {
  if (Result<void> ready = workers.prepare(host.executor(), host.database(), host.declared_jobs()); !ready)
    return ready;
  if (host.purpose() != HostPurpose::serve || !settings.enabled || workers.queues().empty()) return {};
  if (host.dialect() ==
      sql::Dialect::sqlite)  // the data is ours alone: what runs, ran in a process that is gone
    if (Result<std::int64_t> rescued = host.wait_for(workers.rescue_all()); !rescued)
      return std::unexpected(std::move(rescued.error()));
  if (auto lives = host.wait_for(workers.beat()); !lives) return std::unexpected(std::move(lives.error()));
  for (const std::string& queue : workers.queues())
    host.in_background("jobs: " + queue, [&workers, queue] { return workers.run_queue(queue); });
  host.in_background("jobs: keep alive", [&workers] { return workers.keep_alive(); });
  host.on_drain([&workers] { workers.drain(); });
  host.on_stop([&host, &workers] { std::ignore = host.wait_for(workers.sign_off()); });
  return {};
}

}  // namespace

Module jobs_module(jobs::JobSettings& settings) {
  return add_commands(Module("jobs", "Work that is done later")
                          .migrations(jobs::jobs_migrations())
                          .settings("jobs", settings)
                          .scopes({kJobsScope}, for_admins)
                          .wire([&settings](Host& host) {
                            auto& workers = host.make<jobs::Workers>(settings, host.clock(), host.metrics());
                            host.commit_with(workers.completion());
                            host.run_jobs_with(workers);
                            host.on_start(
                                [&host, &workers, &settings] { return start(host, workers, settings); });
                            auto& administration = host.make<JobAdministration>();
                            api::Api operations = jobs_api();
                            operations.bind(administration);
                            host.serve_to_users(std::move(operations));
                          }));
}

}  // namespace bedplate::app

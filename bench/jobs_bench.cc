// SPDX-License-Identifier: Apache-2.0
// jobs: what work for later costs, on SQLite, or on the database that the first argument names.
//   enqueue   commands that write a row and enqueue a job, from 64 callers, against the same commands without the job;
//   work      jobs that write a row, run by 64 at once, against commands that write that row, from 64 callers;
//   latency   from the answer of the command to the first line of its job, against 1 ms.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "bedplate/app/module.h"
#include "bedplate/async/gather.h"
#include "bedplate/base/embedded.h"
#include "bedplate/execution/executor.h"
#include "bedplate/jobs/administration.h"
#include "bedplate/jobs/enqueue.h"
#include "bedplate/testing/test_app.h"

namespace {

using namespace bedplate;

constexpr int kRounds = 7;
constexpr int kCallers = 64;
constexpr int kCalls = 2'048;
constexpr int kLatencyJobs = 200;
constexpr std::chrono::microseconds kLook{200};

struct Note {
  std::string text;
  static consteval auto describe() {
    using namespace schema;
    return object<Note>("A note", {field<&Note::text>("The text")});
  }
};

constexpr jobs::Job<Note> kWork{"bench.work"};
constexpr jobs::Job<Note> kStamp{"bench.stamp", "stamps"};
constexpr api::OperationHandle<Note, void> kPlain{"bench.plain"};
constexpr api::OperationHandle<Note, void> kEnqueuing{"bench.enqueuing"};
constexpr api::OperationHandle<Note, void> kEnqueuingStamp{"bench.enqueuing_stamp"};

std::atomic<int> worked = 0;
std::atomic<std::int64_t> started_ns = 0;
std::binary_semaphore started{0};

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

class Bench {
 public:
  Async<void> plain(sql::Transaction& tx, const Note& input) {
    const Uuid id = new_uuid();
    std::ignore = co_await ok(tx.run("INSERT INTO bench_notes (id, text) VALUES ($1, $2)", id, input.text));
  }
  Async<void> enqueuing(sql::Transaction& tx, const Note& input) {
    co_await ok(plain(tx, input));
    std::ignore = co_await ok(jobs::enqueue(tx, kWork, input));
  }
  Async<void> enqueuing_stamp(sql::Transaction& tx, const Note& input) {
    std::ignore = co_await ok(jobs::enqueue(tx, kStamp, input));
  }
  Async<void> work(sql::Transaction& tx, const Note& input) {
    co_await ok(plain(tx, input));
    worked.fetch_add(1);
  }
  Async<void> stamp(sql::Database&, const Note&) {
    started_ns = now_ns();
    started.release();
    co_return;
  }
};

constexpr EmbeddedFile kTables[] = {
    {"0001_bench.up.sql",
     "CREATE TABLE bench_notes (id {uuid} NOT NULL PRIMARY KEY, text {text} NOT NULL){clustered};"},
    {"0001_bench.down.sql", "DROP TABLE bench_notes;"}};

app::Module bench_module() {
  using namespace api;
  return app::Module("bench", "What is measured")
      .migrations(kTables)
      .service<Bench>()
      .command<&Bench::plain>(kPlain, system_only())
      .command<&Bench::enqueuing>(kEnqueuing, system_only())
      .command<&Bench::enqueuing_stamp>(kEnqueuingStamp, system_only())
      .job<&Bench::work>(kWork)
      .job<&Bench::stamp>(kStamp);
}

void require(const Result<void>& done) {
  if (done) return;
  std::fprintf(stderr, "jobs_bench: %s\n", done.error().detail().c_str());
  std::exit(1);
}

class Program {
 public:
  explicit Program(const std::string& url)
      : app_(bench_module(), settings(url)), principal_(auth::system_principal()) {
    caller_.principal = &principal_;
  }

  double calls(const api::OperationHandle<Note, void>& operation) {
    const auto start = now_ns();
    std::vector<Async<void>> callers;
    for (int i = 0; i < kCallers; ++i) callers.push_back(call_some(operation));
    require(app_.host().wait_for(gather(std::move(callers))));
    return static_cast<double>(now_ns() - start) / kCalls;
  }
  struct Times {
    double enqueue, work;
  };
  /// Enqueues while the queue is paused, then lets it go.
  Times enqueue_and_work() {
    const jobs::QueueRef queue{"bench"};
    change(&jobs::JobAdministration::pause, queue);
    const double enqueue = calls(kEnqueuing);
    worked = 0;
    const auto start = now_ns();
    change(&jobs::JobAdministration::resume, queue);
    while (worked < kCalls) std::this_thread::sleep_for(kLook);  // tidy: sleep because the jobs need the time
    return {enqueue, static_cast<double>(now_ns() - start) / kCalls};
  }
  double latency() {
    require(app_.host().wait_for(app_.host().executor().call(kEnqueuingStamp, caller_, note_)));
    const auto answered = now_ns();
    started.acquire();
    return static_cast<double>(std::max<std::int64_t>(started_ns - answered, 1));
  }

 private:
  static testing::Settings settings(const std::string& url) {
    testing::Settings all{{"jobs.concurrency", "64"}, {"audit.enabled", "false"}};
    if (!url.empty()) all.emplace_back("database.url", url);
    return all;
  }
  Async<void> call_some(const api::OperationHandle<Note, void>& operation) {
    for (int i = 0; i < kCalls / kCallers; ++i)
      co_await ok(app_.host().executor().call(operation, caller_, note_));
  }
  template <class F>
  void change(F f, const jobs::QueueRef& queue) {
    require(app_.host().wait_for(app_.host().database().transact(f, administration_, queue)));
  }

  testing::TestApp app_;
  const auth::Principal principal_;
  api::Caller caller_;
  const Note note_{"What there is to do, in a few words"};
  const jobs::JobAdministration administration_;
};

void print_list(const char* name, const std::vector<double>& times) {
  std::printf("\"%s\": [", name);
  for (std::size_t i = 0; i < times.size(); ++i) std::printf("%s%.1f", i == 0 ? "" : ", ", times[i]);
  std::printf("]");
}

void print(const char* name, const char* yardstick, const std::vector<double>& ours,
           const std::vector<double>& theirs) {
  std::printf("{\"measure\": \"%s\", \"yardstick\": \"%s\", \"unit\": \"ns\", ", name, yardstick);
  print_list("ours", ours);
  std::printf(", ");
  print_list("theirs", theirs);
  std::printf("}\n");
}

}  // namespace

int main(int argc, char** argv) {
  Program program(argc > 1 ? argv[1] : "");
  program.calls(kPlain);
  std::vector<double> enqueue, plain, work, latency, limit;
  for (int round = 0; round < kRounds; ++round) {
    plain.push_back(program.calls(kPlain));
    const auto times = program.enqueue_and_work();
    enqueue.push_back(times.enqueue);
    work.push_back(times.work);
  }
  for (int i = 0; i < kLatencyJobs; ++i) {
    latency.push_back(program.latency());
    limit.push_back(1e6);
  }
  print("enqueue", "the same commands without the job", enqueue, plain);
  print("work", "commands that write the same row", work, plain);
  print("latency", "1 ms", latency, limit);
  return 0;
}

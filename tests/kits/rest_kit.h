// SPDX-License-Identifier: Apache-2.0
// For the tests of this room: a small service over a fresh database of either engine, served without a socket.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bedplate/auth/authenticator.h"
#include "bedplate/base/embedded.h"
#include "bedplate/base/time.h"
#include "bedplate/execution/idempotency.h"
#include "bedplate/operations/paging/page_request.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/migration_words.h"
#include "bedplate/surfaces/rest/rest.h"
#include "bedplate/telemetry/metrics.h"
#include "tests/kits/engine_kit.h"

namespace bedplate::api {

inline constexpr ErrorCode kThingNotFound{Category::not_found, "thing_not_found", "There is no such thing."};
inline constexpr ErrorCode kTitleTaken{Category::conflict, "title_taken",
                                       "There is a thing with this title."};

enum class Color { red, green };
consteval auto describe(Color) {
  using namespace bedplate::schema;
  return values<Color::red, Color::green>("A colour");
}

struct ThingView {
  Uuid id;
  std::string title;
  std::int64_t version = 1;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<ThingView>(
        "A thing", {
                       field<&ThingView::id>(read_only, "Set by the server"),
                       field<&ThingView::title>(length{1, 40}, "What it is called", example("Lamp")),
                       field<&ThingView::version>(read_only, "Grows with every change"),
                   });
  }
};

struct CreateThing {
  std::string title;
  std::vector<std::string> labels;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<CreateThing>("A new thing", {field<&CreateThing::title>(same_as<&ThingView::title>),
                                               field<&CreateThing::labels>(length{0, 3}, each(length{1, 8}),
                                                                           optional_with_default)});
  }
};

struct ThingRef {
  Uuid id;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<ThingRef>("Names a thing", {field<&ThingRef::id>("Its id")});
  }
};

struct RenameThing {
  Uuid id;
  Patch<std::string> title;
  IfMatch if_match;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<RenameThing>(
        "A change",
        {field<&RenameThing::id>(), field<&RenameThing::title>(length{1, 40}), omit<&RenameThing::if_match>},
        edits<ThingView>);
  }
};

inline constexpr SortField kThingSort[] = {{"title", "title"}};

struct ListThings : PageQuery {
  std::optional<Color> color;
  std::vector<std::string> label;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<ListThings>(
        "Which things", fields_of<PageQuery>,
        {
            field<&ListThings::color>("Of this colour"),
            field<&ListThings::label>(length{0, 3}, optional_with_default, "With these labels"),
        });
  }
};

struct Greeting {
  std::string text;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Greeting>("A greeting", {field<&Greeting::text>("What is said")});
  }
};

class Things {
 public:
  Async<ThingView> create(const Caller& caller, sql::Transaction& tx, const CreateThing& input) {
    ++runs;
    if (input.title == "taken") co_await fail(kTitleTaken);
    if (input.title == "exception") throw std::runtime_error("secret text");
    ThingView thing{new_uuid(), input.title, 1};
    trace =
        caller.trace ? telemetry::to_traceparent(caller.trace->span) + " " + caller.trace->tracestate : "";
    co_await ok(tx.run("INSERT INTO things (id, title, version) VALUES ($1, $2, 1)", thing.id, thing.title));
    co_return thing;
  }
  Async<ThingView> find(sql::Reader& db, const ThingRef& input) {
    std::optional<ThingView> thing =
        co_await ok(db.maybe<ThingView>("SELECT id, title, version FROM things WHERE id = $1", input.id));
    if (!thing) co_await fail(kThingNotFound);
    co_return std::move(*thing);
  }
  Async<ThingView> rename(sql::Transaction& tx, const RenameThing& input) {
    std::optional<ThingView> thing =
        co_await ok(tx.maybe<ThingView>("SELECT id, title, version FROM things WHERE id = $1", input.id));
    if (!thing) co_await fail(kThingNotFound);
    co_await ok(input.if_match.check(thing->version));
    input.title.apply_to(thing->title);
    ++thing->version;
    co_await ok(tx.run("UPDATE things SET title = $2, version = $3 WHERE id = $1", thing->id, thing->title,
                       thing->version));
    co_return std::move(*thing);
  }
  Async<void> remove(sql::Transaction& tx, const ThingRef& input) {
    std::int64_t gone = co_await ok(tx.run("DELETE FROM things WHERE id = $1", input.id));
    if (gone == 0) co_await fail(kThingNotFound);
  }
  Async<Page<ThingView>> list(sql::Reader& db, const ListThings& input) {
    PageRequest page = co_await ok(read_page(input, kThingSort, "title"));
    sql::Params params;
    std::string text = "SELECT id, title, version FROM things";
    if (page.after) text += " WHERE " + page.after_condition(params, "id");
    text += page.order_and_limit("id");
    std::vector<ThingView> rows = co_await ok(db.all<ThingView>(text, params));
    std::int64_t total = co_await ok(db.value<std::int64_t>("SELECT count(*) FROM things"));
    Page<ThingView> answer = make_page<ThingView>(page, std::move(rows), total);
    if (answer.pagination.has_next) {
      const ThingView& last = answer.data.back();
      CursorValues keys{last.title, last.id};
      answer.pagination.next_cursor = page.cursor_after(keys);
    }
    co_return answer;
  }
  Async<Greeting> log_in(sql::Database&, const CreateThing& input) { co_return Greeting{input.title}; }
  Result<Greeting> hello() { return Greeting{"hello"}; }
  Result<Greeting> broken() {
    return bedplate::fail(Category::internal, "disk_on_fire", "The secret path /etc/x failed.");
  }

  int runs = 0;
  std::string trace;  ///< of the last create()
};

inline Api things_api(Things& things) {
  return Api("things", "Things for tests")
      .command<&Things::create>("create", things, post("/v1/things"), needs("things:write"),
                                creates("/v1/things/{id}"), etag_from<&ThingView::version>(),
                                fails_with(kTitleTaken), example_input(R"({"title":"Lamp"})"))
      .query<&Things::list>("list", things, get("/v1/things"), needs("things:read"),
                            sorts_by(kThingSort, "title"))
      .query<&Things::find>("find", things, get("/v1/things/{id}"), needs("things:read"),
                            fails_with(kThingNotFound), etag_from<&ThingView::version>())
      .command<&Things::rename>("rename", things, patch("/v1/things/{id}"), needs("things:write"),
                                fails_with(kThingNotFound), etag_from<&ThingView::version>(),
                                if_match_into<&RenameThing::if_match>())
      .command<&Things::remove>("remove", things, del("/v1/things/{id}"), needs("things:write"),
                                fails_with(kThingNotFound))
      .procedure<&Things::log_in>("log_in", things, post("/v1/login"), open_to_all(), issues_secrets(),
                                  logs_in<&Greeting::text>())
      .pure<&Things::hello>("hello", things, get("/hello"), open_to_all(),
                            deprecated("2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z", "/docs"))
      .pure<&Things::broken>("broken", things, get("/broken"), any_user());
}

/// Knows the tokens "good", "other" (another user) and "weak" (no scopes).
class FakeAuthenticator final : public auth::Authenticator {
 public:
  FakeAuthenticator() {
    good_ = make({"things:read", "things:write"});
    other_ = make({"things:read", "things:write"});
    weak_ = make({});
  }
  Result<auth::PrincipalRef> authenticate(const auth::Credentials& credentials, Time) override {
    const std::string_view bearer = credentials.bearer;
    if (bearer == "good") return good_;
    if (bearer == "other") return other_;
    if (bearer == "weak") return weak_;
    return bedplate::fail(Category::unauthenticated, "invalid_token", "The token is not valid.");
  }

 private:
  static auth::PrincipalRef make(std::vector<std::string> scopes) {
    auto principal = std::make_shared<auth::Principal>();
    principal->user = new_id<auth::UserId>();
    principal->scopes = std::move(scopes);
    return principal;
  }
  auth::PrincipalRef good_, other_, weak_;
};

struct SetClock final : Clock {
  Time now() const override { return time; }
  Time time = *parse_rfc3339("2026-11-21T10:00:00Z");
};

using FieldList = std::vector<std::pair<std::string_view, std::string_view>>;

struct Reply {
  int status = 0;
  std::string fields;
  std::string body;

  /// The value of a field; empty when it is absent.
  std::string field(std::string_view name) const {
    std::string line = "\n" + std::string(name) + ": ";
    std::string all = "\n" + fields;
    std::size_t at = all.find(line);
    if (at == std::string::npos) return {};
    at += line.size();
    return all.substr(at, all.find("\r\n", at) - at);
  }
  bool has(std::string_view text) const { return body.find(text) != std::string::npos; }
};

class RestKit {
 public:
  explicit RestKit(sql::Dialect dialect = sql::Dialect::sqlite) : sql(dialect, schema_of(dialect)) {
    set_parts();
  }
  /// On PostgreSQL, on a server of the test's own.
  explicit RestKit(const testing::PostgresDatabase& place) : sql(place, schema_of(sql::Dialect::postgresql)) {
    set_parts();
  }

  Result<std::unique_ptr<Rest>> make(std::vector<Api> apis) {
    rest.reset();
    Result<std::unique_ptr<Executor>> engine = Executor::make(std::move(apis), execution);
    if (!engine) return std::unexpected(std::move(engine.error()));
    executor = std::move(*engine);
    return Rest::make(*executor, parts);
  }
  void start() {
    std::vector<Api> apis;
    apis.push_back(things_api(things));
    Result<std::unique_ptr<Rest>> made = make(std::move(apis));
    if (!made) throw std::runtime_error(made.error().detail());
    rest = std::move(*made);
  }

  Reply call(std::string_view method, std::string_view target, FieldList fields = {},
             std::string_view body = {}) {
    if (!rest) start();
    http::Request request;
    http::Response response;
    http::Request::Parts request_parts;
    request_parts.method = method;
    request_parts.target = target;
    request_parts.fields = fields;
    request_parts.body = body;
    request_parts.peer_address = peer;
    Result<void> assigned = request.assign(request_parts);
    if (!assigned) throw std::runtime_error(assigned.error().detail());
    if (Result<void> handled = sql.run(rest->handle(request, response)); !handled)
      throw std::runtime_error(handled.error().detail());
    std::string text =
        response.static_body().empty() ? response.body().to_string() : std::string(response.static_body());
    return {response.status(), std::string(response.field_lines()), std::move(text)};
  }
  Reply get(std::string_view target, FieldList fields = {}) {
    return call("GET", target, with_token(std::move(fields)));
  }
  Reply send(std::string_view method, std::string_view target, std::string_view json, FieldList fields = {}) {
    fields.push_back({"Content-Type", "application/json"});
    return call(method, target, with_token(std::move(fields)), json);
  }

  std::string token = "Bearer good";
  std::string peer = "192.0.2.1";
  testing::EngineKit sql;
  SetClock clock;
  FakeAuthenticator authenticator;
  telemetry::Registry metrics;
  Things things;
  Executor::Parts execution;
  Rest::Parts parts;
  std::unique_ptr<Executor> executor;
  std::unique_ptr<Rest> rest;

 private:
  FieldList with_token(FieldList fields) {
    if (!token.empty()) fields.push_back({"Authorization", token});
    return fields;
  }
  void set_parts() {
    execution.clock = &clock;
    execution.database = &sql.database();
    parts.clock = &clock;
    parts.authenticator = &authenticator;
    parts.metrics = &metrics;
    parts.rest.access_log = false;
  }
  static std::string schema_of(sql::Dialect dialect) {
    const bool sqlite = dialect == sql::Dialect::sqlite;
    std::string schema =
        sqlite ? "CREATE TABLE things (id BLOB PRIMARY KEY, title TEXT NOT NULL, version INTEGER NOT NULL) "
                 "STRICT;"
               : "CREATE TABLE things (id UUID PRIMARY KEY, title TEXT NOT NULL, version BIGINT NOT NULL);";
    for (const EmbeddedFile& file : idempotency_migrations())
      if (file.name == "0001_idempotency.up.sql")
        schema += sql::expand_migration_words(file.bytes, dialect).value();
    return schema;
  }
};

}  // namespace bedplate::api

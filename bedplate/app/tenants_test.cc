// SPDX-License-Identifier: Apache-2.0
// Tenants through the whole stack, on both engines: a user who acts for two of them, one token each, tries to carry
// something across: ids, searches, cursors, idempotency keys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bedplate/auth/authenticator.h"
#include "bedplate/auth/token.h"
#include "bedplate/base/embedded.h"
#include "bedplate/operations/paging/page_request.h"
#include "bedplate/sql/tenants.h"
#include "bedplate/testing/test_app.h"
#include "tests/kits/database_kit.h"

namespace bedplate::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using NoteId = Id<struct NoteTag>;

struct Note {
  NoteId id;
  std::string text;
  static consteval auto describe() {
    using namespace schema;
    return object<Note>("A note",
                        {field<&Note::id>(read_only, "Names it"), field<&Note::text>("What it says")});
  }
};
struct CreateNote {
  std::string text;
  static consteval auto describe() {
    using namespace schema;
    return object<CreateNote>("A note to make", {field<&CreateNote::text>("What it says")});
  }
};
struct NoteRef {
  NoteId id;
  static consteval auto describe() {
    using namespace schema;
    return object<NoteRef>("Names a note", {field<&NoteRef::id>("The note")});
  }
};
struct ListNotes : api::PageQuery {
  static consteval auto describe() {
    using namespace schema;
    return object<ListNotes>("Which notes", fields_of<api::PageQuery>);
  }
};

constexpr ErrorCode kNoteNotFound{Category::not_found, "note_not_found", "There is no such note."};
constexpr api::SortField kSort[] = {{"text", "text"}};

// As forgetful as a store can be: no statement says whose rows it means, but for the one that must.
struct Notes {
  Async<Note> create(const auth::Caller& caller, sql::Transaction& tx, const CreateNote& input) {
    Note note{new_id<NoteId>(), input.text};
    co_await ok(tx.run("INSERT INTO notes (tenant, id, text) VALUES ($1, $2, $3)", caller.tenant(), note.id,
                       note.text));
    co_return note;
  }
  Async<Note> find(const auth::Caller&, sql::Reader& db, const NoteRef& input) {
    std::optional<Note> note =
        co_await ok(db.maybe<Note>("SELECT id, text FROM notes WHERE id = $1", input.id));
    if (!note) co_return fail(kNoteNotFound);
    co_return std::move(*note);
  }
  Async<void> remove(const auth::Caller&, sql::Transaction& tx, const NoteRef& input) {
    std::int64_t removed = co_await ok(tx.run("DELETE FROM notes WHERE id = $1", input.id));
    if (removed == 0) co_await fail(kNoteNotFound);
  }
  Async<api::Page<Note>> list(const auth::Caller&, sql::Reader& db, const ListNotes& input) {
    api::PageRequest page = co_await ok(api::read_page(input, kSort, "text"));
    sql::Params params;
    std::string text = "SELECT id, text FROM notes";
    if (page.after) text += " WHERE " + page.after_condition(params, "id");
    text += page.order_and_limit("id");
    std::vector<Note> notes = co_await ok(db.all<Note>(text, params));
    api::Page<Note> answer = api::make_page<Note>(page, std::move(notes), std::nullopt);
    if (answer.pagination.has_next) {
      const api::CursorValue keys[] = {answer.data.back().text, Uuid(answer.data.back().id)};
      answer.pagination.next_cursor = page.cursor_after(keys);
    }
    co_return answer;
  }
};

// One user; the token says for whom they act.
class TenantTokens final : public auth::Authenticator {
 public:
  Result<auth::PrincipalRef> authenticate(const auth::Credentials& credentials, Time) override {
    const std::string_view bearer = credentials.bearer;
    if (bearer != "red" && bearer != "blue" && bearer != "none") return auth::invalid_token();
    auto principal = std::make_shared<auth::Principal>();
    principal->user = user_;
    principal->scopes = {"notes"};
    principal->expires_at = Time::max();
    if (bearer != "none") principal->tenant = bearer == "red" ? red_ : blue_;
    return principal;
  }

 private:
  const auth::UserId user_ = new_id<auth::UserId>();
  const Uuid red_ = new_uuid();
  const Uuid blue_ = new_uuid();
};

const std::string kPostgresSchema =
    "CREATE TABLE notes (tenant uuid NOT NULL, id uuid NOT NULL, text text COLLATE \"C\" NOT NULL, "
    "PRIMARY KEY (tenant, id));" +
    sql::tenant_policy("notes");
const EmbeddedFile kMigrations[] = {{"0001_notes.sqlite.up.sql",
                                     "CREATE TABLE notes (tenant BLOB NOT NULL, id BLOB NOT NULL, text TEXT "
                                     "NOT NULL, PRIMARY KEY (tenant, id));"},
                                    {"0001_notes.sqlite.down.sql", "DROP TABLE notes;"},
                                    {"0001_notes.postgresql.up.sql", kPostgresSchema},
                                    {"0001_notes.postgresql.down.sql", "DROP TABLE notes;"}};

class TenantsTest : public EngineTest {
 protected:
  static void build(app::Application& application) {
    application.migrations("notes", kMigrations);
    application.wire([](app::Host& host) -> Result<void> {
      auto& notes = host.make<Notes>();
      host.authenticate_with(host.make<TenantTokens>());
      using api::fails_with;
      using api::needs;
      using api::sorts_by;
      host.serve(api::Api("notes", "Notes")
                     .command<&Notes::create>("create", notes, api::post("/v1/notes"), needs("notes"))
                     .query<&Notes::find>("find", notes, api::get("/v1/notes/{id}"), needs("notes"),
                                          fails_with(kNoteNotFound))
                     .command<&Notes::remove>("remove", notes, api::del("/v1/notes/{id}"), needs("notes"),
                                              fails_with(kNoteNotFound))
                     .query<&Notes::list>("list", notes, api::get("/v1/notes"), needs("notes"),
                                          sorts_by(kSort, "text")));
      return {};
    });
  }
  HttpResponse call(std::string_view token, std::string_view method, std::string_view target,
                    std::string_view body = {}, HttpFields fields = {}) {
    fields.emplace_back("Authorization", "Bearer " + std::string(token));
    if (!body.empty()) fields.emplace_back("Content-Type", "application/json");
    return http_.request(method, target, fields, body);
  }
  std::string create(std::string_view token, const std::string& text) {
    HttpResponse answer = call(token, "POST", "/v1/notes", R"({"text":")" + text + "\"}");
    EXPECT_LT(answer.status, 300) << answer.body;
    const std::size_t at = answer.body.find("\"id\":\"") + 6;
    return answer.body.substr(at, 36);
  }

  TestApp app_{build, {{"database.url", database_url()}}};
  HttpConnection http_{app_.url()};
};

TEST_P(TenantsTest, NothingCrossesOver) {
  const std::string id = create("red", "red secret");
  create("blue", "blue one");
  EXPECT_EQ(call("red", "GET", "/v1/notes/" + id).status, 200);
  EXPECT_EQ(call("blue", "GET", "/v1/notes/" + id).status, 404);
  EXPECT_EQ(call("none", "GET", "/v1/notes/" + id).status, 404);
  EXPECT_EQ(call("blue", "DELETE", "/v1/notes/" + id).status, 404);
  EXPECT_THAT(call("blue", "GET", "/v1/notes").body, Not(HasSubstr("secret")));
  EXPECT_THAT(call("none", "GET", "/v1/notes").body, Not(HasSubstr("blue")));
  EXPECT_EQ(call("none", "POST", "/v1/notes", R"({"text":"nobody's"})").status, 500)
      << "a row without a tenant";
  EXPECT_EQ(call("red", "GET", "/v1/notes/" + id).status, 200);
}

TEST_P(TenantsTest, ACursorOfAnotherTenantShowsOnesOwnRows) {
  for (int i = 0; i < 3; ++i) {
    create("red", "red " + std::to_string(i));
    create("blue", "blue " + std::to_string(i));
  }
  const std::string page = call("red", "GET", "/v1/notes?limit=1").body;
  const std::size_t at = page.find("\"next_cursor\":\"") + 15;
  const std::string cursor = page.substr(at, page.find('"', at) - at);
  EXPECT_THAT(call("red", "GET", "/v1/notes?limit=1&cursor=" + cursor).body, HasSubstr("red 1"));
  EXPECT_THAT(call("blue", "GET", "/v1/notes?limit=1&cursor=" + cursor).body, Not(HasSubstr("red")));
}

TEST_P(TenantsTest, AnIdempotencyKeyOfAnotherTenantIsAnotherKey) {
  const HttpFields key = {{"Idempotency-Key", "the-same"}};
  const std::string body = R"({"text":"twice"})";
  const HttpResponse red = call("red", "POST", "/v1/notes", body, key);
  const HttpResponse replayed = call("red", "POST", "/v1/notes", body, key);
  const HttpResponse blue = call("blue", "POST", "/v1/notes", body, key);
  EXPECT_EQ(replayed.body, red.body);
  EXPECT_LT(blue.status, 300);
  EXPECT_NE(blue.body, red.body) << "an answer of one tenant in the other";
}

INSTANTIATE_TEST_SUITE_P(Engines, TenantsTest, every_engine(), engine_name);

}  // namespace
}  // namespace bedplate::testing

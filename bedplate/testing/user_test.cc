// SPDX-License-Identifier: Apache-2.0
// Calls with types, of a service that answers with what it was given. Accounts: services/identity/module_test.cc.
#include "bedplate/testing/user.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bedplate/operations/input.h"
#include "bedplate/testing/test_app.h"

namespace bedplate::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Note {
  Id<struct FolderTag> folder;
  Id<struct NoteTag> id;
  std::string text;
  std::optional<std::string> link;
  std::vector<std::string> words;
  std::int64_t version = 1;

  static consteval auto describe() {
    using namespace schema;
    return object<Note>(
        "A note",
        {field<&Note::folder>(key, "Where"), field<&Note::id>(key, read_only, "Which"),
         field<&Note::text>(length{1, 20}, "What"), field<&Note::link>("See also"),
         field<&Note::words>(optional_with_default, "Words"), field<&Note::version>(read_only, "Version")});
  }
};

/// What a GET was asked for.
struct Search {
  std::string path;
  std::optional<std::string> q;
  std::vector<std::string> words;
  std::int64_t page = 1;
  static consteval auto describe() {
    using namespace schema;
    return object<Search>("A search", {field<&Search::path>("From the path"), field<&Search::q>("Text"),
                                       field<&Search::words>(optional_with_default, "Words"),
                                       field<&Search::page>(optional_with_default, "Page")});
  }
};

constexpr ErrorCode kGone{Category::gone, "note_gone", "It was here."};

class Notes {
 public:
  Result<Note> add(const api::New<Note>& input) {
    Note note = input.make();
    note.id = new_id<Id<struct NoteTag>>();
    return note;
  }
  Result<Note> change(const api::Changes<Note>& input) {
    Note note;
    note.folder = input->folder;
    note.id = input->id;
    note.text = "as it was";
    note.link = "old";
    input.apply_to(note);
    return note;
  }
  Result<Search> search(const Search& input) { return input; }
  Result<void> remove(const api::Ref<Note>&) { return fail(kGone); }
};

api::Api notes_api(Notes& notes) {
  using namespace api;
  return Api("notes", "Notes")
      .pure<&Notes::add>("add", notes, post("/v1/folders/{folder}/notes"), open_to_all(),
                         creates("/v1/folders/{folder}/notes/{id}"), etag_from<&Note::version>())
      .pure<&Notes::change>("change", notes, patch("/v1/folders/{folder}/notes/{id}"), open_to_all())
      .pure<&Notes::search>("search", notes, get("/v1/search/{path}"), open_to_all())
      .pure<&Notes::remove>("remove", notes, del("/v1/folders/{folder}/notes/{id}"), open_to_all(),
                            fails_with(kGone));
}

constexpr api::OperationHandle<Search, Search> kSearch{"notes.search"};

class UserTest : public ::testing::Test {
 protected:
  TestApp app{[](app::Application& application) {
    application.wire([](app::Host& host) { host.serve(notes_api(host.make<Notes>())); });
  }};
  User user = app.anonymous();
};

TEST_F(UserTest, FillsThePathAndTheBody) {
  const auto folder = new_id<Id<struct FolderTag>>();
  const api::New<Note> input(
      {.folder = folder, .text = "a \"b\" \xC3\xA9", .link = "x", .words = {"one", "two"}});
  const Result<Note> note = user.call<Note>("notes.add", input);
  ASSERT_TRUE(note) << user.last().body;
  EXPECT_EQ(note->folder, folder);
  EXPECT_EQ(note->text, "a \"b\" \xC3\xA9");
  EXPECT_THAT(note->words, ElementsAre("one", "two"));
  EXPECT_EQ(user.last().status, 201);
  EXPECT_EQ(user.last().field("ETag"), "\"1\"");
}

TEST_F(UserTest, SendsOfAPatchWhatItGives) {
  api::Changes<Note> changes({.folder = new_id<Id<struct FolderTag>>(), .id = new_id<Id<struct NoteTag>>()});
  changes.clear<&Note::link>();
  const Result<Note> note = user.call<Note>("notes.change", changes);
  ASSERT_TRUE(note) << user.last().body;
  EXPECT_EQ(note->text, "as it was");
  EXPECT_EQ(note->link, std::nullopt);
}

TEST_F(UserTest, FillsTheQueryString) {
  const Result<Search> found =
      user.call(kSearch, Search{.path = "a b?", .q = "x&y=%", .words = {"one", "+two"}, .page = 3});
  ASSERT_TRUE(found) << user.last().body;
  EXPECT_EQ(found->path, "a b?");
  EXPECT_EQ(found->q, "x&y=%");
  EXPECT_THAT(found->words, ElementsAre("one", "+two"));
  EXPECT_EQ(found->page, 3);
}

TEST_F(UserTest, ErrorsAreThoseOfTheServer) {
  const Result<Note> wrong = user.call<Note>("notes.add", api::New<Note>({.text = ""}));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().category(), Category::invalid);
  EXPECT_EQ(wrong.error().faults().at(0).pointer, "/text");
  EXPECT_EQ(wrong.error().faults().at(0).code, "too_short");
  const Result<void> gone = user.call<void>("notes.remove", api::Ref<Note>(Note{}));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().category(), Category::gone);
  EXPECT_EQ(gone.error().code(), "note_gone");
  EXPECT_THAT(gone.error().faults(), IsEmpty());
}

TEST_F(UserTest, WhatThePathCannotHoldIsRefusedByTheServer) {
  const Result<Search> slash = user.call(kSearch, Search{.path = "a/b"});
  ASSERT_FALSE(slash);
  EXPECT_EQ(user.last().status, 400) << "an encoded slash: see the limits in README";
  EXPECT_EQ(slash.error().category(), Category::malformed);
}

TEST_F(UserTest, WrongNamesAndTypesAreTheAuthorsToMend) {
  EXPECT_THROW(std::ignore = user.call<Note>("notes.nothing"), std::logic_error);
  EXPECT_THROW(std::ignore = user.call<Search>("notes.add", api::New<Note>(Note{})), std::logic_error);
  EXPECT_THROW(std::ignore = user.call<Note>("notes.add", Search{}), std::logic_error);
  EXPECT_THROW(std::ignore = app.user("ann"), std::runtime_error) << "there are no accounts here";
}

}  // namespace
}  // namespace bedplate::testing

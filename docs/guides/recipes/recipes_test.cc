// SPDX-License-Identifier: Apache-2.0
#include "recipes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "bedplate/operations/input.h"
#include "bedplate/testing/database_suite.h"
#include "bedplate/testing/guarded_calls.h"
#include "bedplate/testing/seed.h"
#include "bedplate/testing/test_app.h"
#include "services/identity/module.h"
#include "tests/kits/postgresql_url_kit.h"

namespace recipes {
namespace {

using bedplate::Category;
using bedplate::Result;
using bedplate::api::Changes;
using bedplate::api::New;
using bedplate::api::Page;
using bedplate::api::Ref;
using bedplate::api::Replacement;
using bedplate::testing::TestApp;
using bedplate::testing::User;

class RecipesTest : public bedplate::testing::DatabaseTest {
 protected:
  Recipe make(const std::string& title, std::int64_t minutes, const std::string& method = "") {
    return ann
        .call<Recipe>("recipes.create", New<Recipe>({.title = title, .method = method, .minutes = minutes}))
        .value();
  }
  Ingredient ingredient(const std::string& name) {
    return ann.call<Ingredient>("recipes.add_ingredient", New<Ingredient>({.name = name})).value();
  }
  std::string titles(const ListRecipes& query) {
    std::string all;
    const Result<Page<ListedRecipe>> page = ann.call<Page<ListedRecipe>>("recipes.list", query);
    if (!page) return page.error().code();
    for (const ListedRecipe& recipe : page->data) all += (all.empty() ? "" : ", ") + recipe.title;
    return all;
  }

  TestApp app{{bedplate::identity::identity_module_for_tests(), recipes_module()},
              {{"database.url", database_url()}}};
  User ann = app.user("ann");
};

TEST_P(RecipesTest, ARecipeHasIngredientsAndAnIngredientRecipes) {
  const Recipe soup = make("Lentil soup", 40);
  const Ingredient lentils = ingredient("red lentils");
  Part part{.recipe_id = soup.id, .ingredient_id = lentils.id, .amount = "200 g"};
  ASSERT_TRUE(ann.call<Part>("recipes.put_part", Replacement<Part>(part))) << ann.last().body;
  part.amount = "250 g";
  ASSERT_TRUE(ann.call<Part>("recipes.put_part", Replacement<Part>(part))) << "the same part again";

  const WholeRecipe whole = ann.call<WholeRecipe>("recipes.find", Ref<Recipe>({.id = soup.id})).value();
  ASSERT_EQ(whole.parts.size(), 1U);
  EXPECT_EQ(whole.parts[0].amount, "250 g");
  EXPECT_EQ(whole.parts[0].ingredient.name, "red lentils");

  part.ingredient_id = bedplate::new_id<IngredientId>();
  EXPECT_EQ(ann.call<Part>("recipes.put_part", Replacement<Part>(part)).error().code(), "part_not_found");
  EXPECT_TRUE(ann.call<void>("recipes.remove", Ref<Recipe>({.id = soup.id})))
      << "what goes into it goes with it: " << ann.last().body;
}

// A User for each thread.
TEST_P(RecipesTest, WhoAskForTheSameNameAtOnceGetTheSameIngredient) {
  const New<Ingredient> input({.name = "salt"});
  std::vector<User> users;
  for (int i = 0; i < 4; ++i) users.push_back(app.user("ann"));
  std::vector<IngredientId> ids(users.size());
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < users.size(); ++i)
    threads.emplace_back(
        [&, i] { ids[i] = users[i].call<Ingredient>("recipes.ensure_ingredient", input).value().id; });
  threads.clear();  // waits for them
  EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), 1U);
}

TEST_P(RecipesTest, ListsAreFilteredSortedAndSearched) {
  const Recipe soup = make("Lentil soup", 40, "Simmer the lentils.");
  make("Salad", 10, "Chop everything.");
  make("Stew", 120, "Simmer for two hours.");
  const Ingredient lentils = ingredient("red lentils");
  const Part part{.recipe_id = soup.id, .ingredient_id = lentils.id, .amount = "200 g"};
  ASSERT_TRUE(ann.call<Part>("recipes.put_part", Replacement<Part>(part))) << ann.last().body;

  ListRecipes query;
  EXPECT_EQ(titles(query), "Stew, Salad, Lentil soup") << "the newest first";
  EXPECT_EQ(ann.call<Page<ListedRecipe>>("recipes.list", query)->data.at(2).ingredients,
            std::vector<std::string>{"red lentils"});
  query.sort = "minutes";
  EXPECT_EQ(titles(query), "Salad, Lentil soup, Stew");
  query.max_minutes = 40;
  EXPECT_EQ(titles(query), "Salad, Lentil soup");
  query.ingredient = lentils.id;
  EXPECT_EQ(titles(query), "Lentil soup");
  ListRecipes search;
  search.q = "simmering";
  EXPECT_EQ(titles(search), "Stew, Lentil soup") << "inflections count as the word";
  search.q = "simmer -lentils";
  EXPECT_EQ(titles(search), "Stew");
}

TEST_P(RecipesTest, ALongListIsReadAlongAnIndex) {
  bedplate::testing::seed(app.database(), kRecipes, 1'500, {.owners = {ann.id()}});
  ListRecipes query;
  const Page<ListedRecipe> page = ann.call<Page<ListedRecipe>>("recipes.list", query).value();
  EXPECT_EQ(page.pagination.total, 1'000);
  EXPECT_EQ(page.pagination.total_is_exact, false);
  EXPECT_TRUE(page.pagination.next_cursor);
  query.sort = "minutes";
  EXPECT_EQ(ann.call<Page<ListedRecipe>>("recipes.list", query).value().data.at(0).minutes, 1);
  query.sort = "title";
  EXPECT_EQ(ann.call<Page<ListedRecipe>>("recipes.list", query).error().faults().at(0).code, "too_many_rows")
      << "titles have no index in this order that ends with the id";
}

TEST_P(RecipesTest, NoStatementReadsALargeTableToItsEnd) {
  std::vector<bedplate::Uuid> owners{ann.id()};
  while (owners.size() < 20) owners.push_back(bedplate::new_uuid());
  const auto recipes = bedplate::testing::seed(app.database(), kRecipes, 6'000, {.owners = owners});
  bedplate::testing::GuardedCalls calls(app, ann.id());
  EXPECT_TRUE(calls.call<WholeRecipe>("recipes.find", Ref<Recipe>({.id = recipes[0].id})));
  ListRecipes query;
  EXPECT_TRUE(calls.call<Page<ListedRecipe>>("recipes.list", query));
  query.sort = "minutes";
  EXPECT_TRUE(calls.call<Page<ListedRecipe>>("recipes.list", query));
  EXPECT_THAT(calls.findings(), ::testing::IsEmpty());
}

TEST_P(RecipesTest, AnotherUsersRecipeDoesNotExist) {
  User eve = app.user("eve");
  const Recipe soup = make("Lentil soup", 40);
  EXPECT_EQ(eve.call<WholeRecipe>("recipes.find", Ref<Recipe>({.id = soup.id})).error().code(),
            "recipe_not_found");
  EXPECT_TRUE(eve.call<Recipe>("recipes.create", New<Recipe>({.title = "Lentil soup", .minutes = 5})))
      << "titles are unique for each user";
}

TEST_P(RecipesTest, WhatOnlyAdministratorsMay) {
  EXPECT_EQ(ann.call<IngredientUses>("recipes.most_used").error().code(), "scope_missing");
  EXPECT_EQ(app.anonymous().call<IngredientUses>("recipes.most_used").error().code(), "token_required");
  EXPECT_TRUE(app.admin("root").call<IngredientUses>("recipes.most_used"));
}

TEST_P(RecipesTest, AnAccountGoesWithItsRows) {
  make("Lentil soup", 40);
  ingredient("red lentils");
  EXPECT_EQ(ann.request("POST", "/v1/me/delete", R"({"password": "correct horse battery"})").status, 204);
  User again = app.user("ann");
  EXPECT_EQ(again.call<Page<ListedRecipe>>("recipes.list", ListRecipes{}).value().pagination.total, 0);
  EXPECT_TRUE(again.call<Ingredient>("recipes.add_ingredient", New<Ingredient>({.name = "red lentils"})));
}

TEST_P(RecipesTest, ATakenTitleIsAConflictAndWritesNothing) {
  make("Lentil soup", 40);
  const New<Recipe> same({.title = "Lentil soup", .minutes = 30});
  const Result<Recipe> second = ann.call<Recipe>("recipes.create", same);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().category(), Category::conflict);
  EXPECT_EQ(second.error().code(), "title_taken");
  EXPECT_EQ(titles({}), "Lentil soup");
}

TEST_P(RecipesTest, ARetryWithItsKeyRunsOnce) {
  const New<Recipe> input({.title = "Lentil soup", .minutes = 40});
  const Recipe first = ann.call<Recipe>("recipes.create", input, {.idempotency_key = "a"}).value();
  const Recipe again = ann.call<Recipe>("recipes.create", input, {.idempotency_key = "a"}).value();
  EXPECT_EQ(again.id, first.id);
  EXPECT_EQ(ann.last().field("Idempotency-Replayed"), "true");
}

TEST_P(RecipesTest, OfTwoWhoChangeTheSameVersionOneIsTold) {
  Changes<Recipe> faster({.id = make("Lentil soup", 40).id});
  faster.set<&Recipe::minutes>(30);
  EXPECT_EQ(ann.call<Recipe>("recipes.change", faster, {.if_match = 1}).value().version, 2);
  const Result<Recipe> late = ann.call<Recipe>("recipes.change", faster, {.if_match = 1});
  EXPECT_EQ(late.error().category(), Category::precondition_failed);
  EXPECT_EQ(late.error().code(), "version_mismatch");
}

INSTANTIATE_TEST_SUITE_P(, RecipesTest, bedplate::testing::every_database(),
                         bedplate::testing::database_name);

}  // namespace
}  // namespace recipes

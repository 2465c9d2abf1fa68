// SPDX-License-Identifier: Apache-2.0
#include "recipes.h"

#include "bedplate/base/text.h"
#include "bedplate/operations/input.h"
#include "bedplate/operations/paging/list.h"
#include "bedplate/search/index.h"
#include "bedplate/sql/error.h"
#include "recipes_migrations.h"

namespace recipes {

using namespace bedplate;
using auth::Caller;
using auth::UserId;

constexpr ErrorCode kNoRecipe{Category::not_found, "recipe_not_found", "You have no recipe with this id."};
constexpr ErrorCode kNoPart{
    Category::not_found, "part_not_found",
    "You have no such recipe, or no such ingredient, or the one is not in the other."};
constexpr ErrorCode kTitleTaken{Category::conflict, "title_taken", "You have a recipe of this title."};
constexpr ErrorCode kNameTaken{Category::conflict, "name_taken", "You have an ingredient of this name."};

constexpr sql::Table<Ingredient> kIngredients("ingredients", sql::owner, sql::key<&Ingredient::id>,
                                              sql::unique_index("ingredients_name", "owner, name"));
constexpr sql::Table<Part> kParts("recipe_parts", sql::owner, sql::key<&Part::recipe_id>,
                                  sql::key<&Part::ingredient_id>,
                                  sql::index("recipe_parts_ingredient", "owner, ingredient_id, recipe_id"));
constexpr sql::Named kPartsOfRecipe("recipe_parts.of_recipe", R"(
SELECT p.amount, i.id AS ingredient_id, i.name AS ingredient_name
FROM recipe_parts p JOIN ingredients i ON i.owner = p.owner AND i.id = p.ingredient_id
WHERE p.owner = $1 AND p.recipe_id = $2 ORDER BY i.name)");
constexpr sql::Named kMostUsed("recipe_parts.most_used", R"(
SELECT i.name, count(*) AS recipes
FROM recipe_parts p JOIN ingredients i ON i.owner = p.owner AND i.id = p.ingredient_id
GROUP BY i.name ORDER BY count(*) DESC, i.name LIMIT 20)");

constexpr search::Declaration kSearch("recipes_search", {{"title", search::Weight::highest}, {"method"}},
                                      search::Language::english, search::Source{"recipes", "owner", "id"});
constexpr sql::FilterRule kFilters[] = {{"max_minutes", sql::Column("minutes"), sql::Compare::at_most}};
constexpr api::Sorts<Recipe> kSorts("-created_at",
                                    api::sort<&Recipe::created_at>(api::ordered_as<&Recipe::id>,
                                                                   api::indexed),
                                    api::sort<&Recipe::minutes>(api::indexed), api::sort<&Recipe::title>());

/// The error that the client is told in place of a unique violation of these columns.
template <class T>
Result<T> told(Result<T> written, std::string_view columns, const ErrorCode& taken) {
  if (!written && sql::violates(written.error(), sql::kUniqueViolation, columns)) return fail(taken);
  return written;
}

class Recipes final : public auth::UserDataOwner {
 public:
  explicit Recipes(const Clock& clock) : clock_(clock) {}

  Async<Recipe> create(const Caller& caller, sql::Transaction& tx, const api::New<Recipe>& input) const {
    Recipe recipe = input.make();
    recipe.id = new_id<RecipeId>();
    recipe.created_at = clock_.now();
    Result<std::int64_t> written = co_await kRecipes.insert(tx, caller.user(), recipe);
    co_await ok(told(std::move(written), "recipes.owner, recipes.title", kTitleTaken));
    const search::Document document = document_of(caller.user(), recipe);
    co_await ok(index_.put(tx, document));
    co_return recipe;
  }

  Async<WholeRecipe> find(const Caller& caller, sql::Reader& db, const api::Ref<Recipe>& input) const {
    WholeRecipe whole;
    whole.recipe = co_await ok(kRecipes.find_or(kNoRecipe, db, caller.user(), input->id));
    whole.parts = co_await ok(db.all<NamedPart>(kPartsOfRecipe, caller.user(), input->id));
    co_return whole;
  }

  Async<api::Page<Recipe>> list(const Caller& caller, sql::Reader& db, const ListRecipes& input) const {
    sql::Where where(db.dialect());
    where.add(sql::Column("owner"), sql::Compare::equal, caller.user());
    where.add(kFilters, input);
    if (input.ingredient)
      where.add_text(
          "id IN (SELECT recipe_id FROM recipe_parts WHERE owner = " + where.params().add(caller.user()) +
          " AND ingredient_id = " + where.params().add(*input.ingredient) + ")");
    if (input.q && !is_blank(*input.q)) {
      const search::Query words = co_await ok(search::parse_query(*input.q, kSearch.language));
      co_await ok(index_.match(db, where, sql::Column("id"), caller.user(), words));
    }
    const api::Page<Recipe> page =
        co_await ok(api::list_page<Recipe>(db, kRecipes.select_all(), std::move(where), input, kSorts));
    co_return page;
  }

  Async<Recipe> change(const Caller& caller, sql::Transaction& tx, const api::Changes<Recipe>& input) const {
    Recipe recipe = co_await ok(kRecipes.find_or(kNoRecipe, tx, caller.user(), input->id));
    co_await ok(input.if_match.check(recipe.version));
    if (!input.apply_to(recipe)) co_return recipe;
    Result<std::int64_t> written = co_await kRecipes.update(tx, caller.user(), recipe);
    co_await ok(told(std::move(written), "recipes.owner, recipes.title", kTitleTaken));
    const search::Document document = document_of(caller.user(), recipe);
    co_await ok(index_.put(tx, document));
    co_return recipe;
  }

  Async<void> remove(const Caller& caller, sql::Transaction& tx, const api::Ref<Recipe>& input) const {
    const Recipe recipe = co_await ok(kRecipes.find_or(kNoRecipe, tx, caller.user(), input->id));
    co_await ok(input.if_match.check(recipe.version));
    co_await ok(kRecipes.remove(tx, caller.user(), recipe));
    co_await ok(index_.remove(tx, caller.user(), recipe.id));
  }

  Async<Ingredient> add_ingredient(const Caller& caller, sql::Transaction& tx,
                                   const api::New<Ingredient>& input) const {
    Ingredient ingredient = input.make();
    ingredient.id = new_id<IngredientId>();
    Result<std::int64_t> written = co_await kIngredients.insert(tx, caller.user(), ingredient);
    co_await ok(told(std::move(written), "ingredients.owner, ingredients.name", kNameTaken));
    co_return ingredient;
  }

  Async<Part> put_part(const Caller& caller, sql::Transaction& tx,
                       const api::Replacement<Part>& input) const {
    Part part = *input;
    const std::int64_t changed = co_await ok(kParts.update(tx, caller.user(), part));
    if (changed > 0) co_return part;
    Result<std::int64_t> written = co_await kParts.insert(tx, caller.user(), part);
    if (!written && written.error().code() == sql::kForeignKeyViolation) co_return fail(kNoPart);
    if (!written) co_return std::unexpected(std::move(written.error()));
    co_return part;
  }

  Async<void> remove_part(const Caller& caller, sql::Transaction& tx, const api::Ref<Part>& input) const {
    const std::int64_t removed =
        co_await ok(kParts.remove_all(tx, caller.user(), input->recipe_id, input->ingredient_id));
    if (removed == 0) co_await fail(kNoPart);
  }

  Async<IngredientUses> most_used(const Caller&, sql::Reader& db) const {
    IngredientUses uses;
    uses.data = co_await ok(db.all<IngredientUse>(kMostUsed));
    co_return uses;
  }

  Async<void> delete_user_data(sql::Transaction& tx, UserId user) override {
    co_await ok(kParts.remove_all(tx, user));
    co_await ok(kIngredients.remove_all(tx, user));
    co_await ok(kRecipes.remove_all(tx, user));
    co_await ok(index_.remove_partition(tx, user));
  }

 private:
  static search::Document document_of(UserId owner, const Recipe& recipe) {
    return search::Document(owner, recipe.id, {recipe.title, recipe.method});
  }

  const Clock& clock_;
  const search::Index index_{kSearch};
};

app::Module recipes_module() {
  using namespace api;
  return app::Module("recipes", "Recipes. Each belongs to one user, and only they see it.")
      .migrations(recipes_migrations())
      .tables({&kRecipes, &kIngredients, &kParts}, {kPartsOfRecipe, kMostUsed})
      .derived(search::derived(kSearch))
      .scopes({"recipes:read", "recipes:write"}, app::for_users)
      .scopes({"recipes:statistics"}, app::for_admins)
      .service<Recipes>()
      .command<&Recipes::create>("create", post("/v1/recipes"), needs("recipes:write"),
                                 creates("/v1/recipes/{id}"), fails_with(kTitleTaken),
                                 etag_from<&Recipe::version>())
      .query<&Recipes::find>("find", get("/v1/recipes/{id}"), needs("recipes:read"), fails_with(kNoRecipe))
      .query<&Recipes::list>("list", get("/v1/recipes"), needs("recipes:read"), sorts_by(kSorts),
                             fails_with(search::kSearchTooLong))
      .command<&Recipes::change>("change", patch("/v1/recipes/{id}"), needs("recipes:write"),
                                 fails_with(kNoRecipe, kTitleTaken), etag_from<&Recipe::version>())
      .command<&Recipes::remove>("remove", del("/v1/recipes/{id}"), needs("recipes:write"),
                                 fails_with(kNoRecipe))
      .command<&Recipes::add_ingredient>("add_ingredient", post("/v1/ingredients"), needs("recipes:write"),
                                         fails_with(kNameTaken))
      .command<&Recipes::put_part>("put_part", put("/v1/recipes/{recipe_id}/ingredients/{ingredient_id}"),
                                   needs("recipes:write"), fails_with(kNoPart))
      .command<&Recipes::remove_part>("remove_part",
                                      del("/v1/recipes/{recipe_id}/ingredients/{ingredient_id}"),
                                      needs("recipes:write"), fails_with(kNoPart))
      .query<&Recipes::most_used>("most_used", get("/v1/ingredients/most-used"), needs("recipes:statistics"));
}

}  // namespace recipes

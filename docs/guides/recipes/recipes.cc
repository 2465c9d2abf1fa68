// SPDX-License-Identifier: Apache-2.0
#include "recipes.h"

#include <map>

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
constexpr sql::Named kAddUnlessThere("ingredients.add_unless_there", R"(
INSERT INTO ingredients (owner, id, name) VALUES ($1, $2, $3) ON CONFLICT (owner, name) DO NOTHING)");
constexpr sql::Composed kByName("ingredients.by_name", kIngredients.select_by(1), " AND name = $2");
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

/// A row of the statement that lists the ingredients of many recipes.
struct NameInRecipe {
  RecipeId recipe_id;
  std::string name;

  static consteval auto describe() {
    using namespace schema;
    return object<NameInRecipe>("", {field<&NameInRecipe::recipe_id>(), field<&NameInRecipe::name>()});
  }
};

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

  Async<api::Page<ListedRecipe>> list(const Caller& caller, sql::Reader& db, const ListRecipes& input) const {
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
    const api::Page<Recipe> rows =
        co_await ok(api::list_page<Recipe>(db, kRecipes.select_all(), std::move(where), input, kSorts));
    api::Page<ListedRecipe> page{{}, rows.pagination, rows.links};
    for (const Recipe& recipe : rows.data) page.data.push_back({recipe, {}});
    co_await ok(add_ingredients(db, caller.user(), page.data));
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

  /// Two callers may ask for the same name at once: the one who is late finds the row of the other.
  Async<Ingredient> ensure_ingredient(const Caller& caller, sql::Transaction& tx,
                                      const api::New<Ingredient>& input) const {
    const auto id = new_id<IngredientId>();
    co_await ok(tx.run(kAddUnlessThere, caller.user(), id, input->name));
    Ingredient ingredient = co_await ok(tx.one<Ingredient>(kByName, caller.user(), input->name));
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
  /// One statement for all recipes of a page.
  Async<void> add_ingredients(sql::Reader& db, UserId owner, std::vector<ListedRecipe>& recipes) const {
    std::map<RecipeId, std::size_t> places;
    std::vector<RecipeId> ids;
    for (const ListedRecipe& recipe : recipes) {
      places[recipe.id] = ids.size();
      ids.push_back(recipe.id);
    }
    sql::Where where(db.dialect());
    where.add(sql::Column("p.owner"), sql::Compare::equal, owner);
    where.add(sql::Column("p.recipe_id"), sql::Compare::one_of, ids);
    const std::string text =
        "SELECT p.recipe_id, i.name FROM recipe_parts p JOIN ingredients i ON i.owner = p.owner AND "
        "i.id = p.ingredient_id" +
        where.text() + " ORDER BY i.name";
    const std::vector<NameInRecipe> names =
        co_await ok(db.all<NameInRecipe>(sql::named("recipe_parts.of_page", text), where.params()));
    for (const NameInRecipe& name : names) recipes[places[name.recipe_id]].ingredients.push_back(name.name);
  }
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
      .tables({&kRecipes, &kIngredients, &kParts}, {kPartsOfRecipe, kAddUnlessThere, kByName, kMostUsed})
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
      .command<&Recipes::ensure_ingredient>("ensure_ingredient", put("/v1/ingredients"),
                                            needs("recipes:write"))
      .command<&Recipes::put_part>("put_part", put("/v1/recipes/{recipe_id}/ingredients/{ingredient_id}"),
                                   needs("recipes:write"), fails_with(kNoPart))
      .command<&Recipes::remove_part>("remove_part",
                                      del("/v1/recipes/{recipe_id}/ingredients/{ingredient_id}"),
                                      needs("recipes:write"), fails_with(kNoPart))
      .query<&Recipes::most_used>("most_used", get("/v1/ingredients/most-used"), needs("recipes:statistics"));
}

}  // namespace recipes

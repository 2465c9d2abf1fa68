// SPDX-License-Identifier: Apache-2.0
// Recipes and what goes into them: the program of the how-tos. Every row belongs to one user.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bedplate/app/module.h"
#include "bedplate/base/id.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/describe.h"
#include "bedplate/operations/paging/page.h"
#include "bedplate/sql/table.h"

namespace recipes {

using RecipeId = bedplate::Id<struct RecipeTag>;
using IngredientId = bedplate::Id<struct IngredientTag>;

struct Recipe {
  RecipeId id;
  std::string title;
  std::string method;
  std::int64_t minutes = 0;
  bedplate::Time created_at{};
  std::int64_t version = 1;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Recipe>(
        "How to make a dish.",
        {
            field<&Recipe::id>(key, read_only, "Names the recipe; IDs sort by creation time."),
            field<&Recipe::title>(length{1, 100}, not_blank, example("Lentil soup"), "What it makes."),
            field<&Recipe::method>(length{0, 10'000}, optional_with_default, "What to do, in order."),
            field<&Recipe::minutes>(range{1, 10'000}, "How long it takes."),
            field<&Recipe::created_at>(read_only, "When it was added."),
            field<&Recipe::version>(read_only, "Counts changes; the ETag is made of it."),
        });
  }
};

struct Ingredient {
  IngredientId id;
  std::string name;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Ingredient>(
        "Something to cook with.",
        {field<&Ingredient::id>(key, read_only, "Names the ingredient."),
         field<&Ingredient::name>(length{1, 60}, not_blank, example("red lentils"), "What it is called.")});
  }
};

/// A row of the join table: one ingredient of one recipe.
struct Part {
  RecipeId recipe_id;
  IngredientId ingredient_id;
  std::string amount;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Part>(
        "An ingredient of a recipe.",
        {field<&Part::recipe_id>(key, "The recipe."), field<&Part::ingredient_id>(key, "The ingredient."),
         field<&Part::amount>(length{1, 40}, example("200 g"), "How much of it.")});
  }
};

/// A recipe in a list: its fields, and the names of what goes into it.
struct ListedRecipe : Recipe {
  std::vector<std::string> ingredients;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<ListedRecipe>(
        "A recipe in a list.", fields_of<Recipe>,
        {field<&ListedRecipe::ingredients>("Names of its ingredients, in their order.")});
  }
};

/// A row of a join: its ingredient is filled from the columns `ingredient_...`.
struct NamedPart {
  std::string amount;
  Ingredient ingredient;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<NamedPart>("An ingredient and how much of it.",
                             {field<&NamedPart::amount>(same_as<&Part::amount>),
                              field<&NamedPart::ingredient>("The ingredient.")});
  }
};

struct WholeRecipe {
  Recipe recipe;
  std::vector<NamedPart> parts;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<WholeRecipe>("A recipe and what goes into it.",
                               {field<&WholeRecipe::recipe>("The recipe."),
                                field<&WholeRecipe::parts>("Its ingredients, by name.")});
  }
};

/// Which recipes, in which order, and which page of them.
struct ListRecipes : bedplate::api::PageQuery {
  std::optional<std::int64_t> max_minutes;
  std::optional<IngredientId> ingredient;
  std::optional<std::string> q;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<ListRecipes>(
        "Which recipes to list.", fields_of<bedplate::api::PageQuery>,
        {
            field<&ListRecipes::max_minutes>("Only those that take this long or less."),
            field<&ListRecipes::ingredient>("Only those with this ingredient."),
            field<&ListRecipes::q>(length{0, 200}, "Full-text search in title and method."),
        });
  }
};

struct IngredientUse {
  std::string name;
  std::int64_t recipes = 0;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<IngredientUse>("How often an ingredient is used.",
                                 {field<&IngredientUse::name>("Its name."),
                                  field<&IngredientUse::recipes>("In how many recipes, of all users.")});
  }
};

/// An operation answers a struct, not a list.
struct IngredientUses {
  std::vector<IngredientUse> data;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<IngredientUses>("The ingredients that are used most.",
                                  {field<&IngredientUses::data>("The most used first.")});
  }
};

inline constexpr bedplate::sql::Table<Recipe> kRecipes(
    "recipes", bedplate::sql::owner, bedplate::sql::key<&Recipe::id>,
    bedplate::sql::version<&Recipe::version>, bedplate::sql::written_once<&Recipe::created_at>,
    bedplate::sql::unique_index("recipes_title", "owner, title"),
    bedplate::sql::index("recipes_minutes", "owner, minutes, id"));

bedplate::app::Module recipes_module();

}  // namespace recipes

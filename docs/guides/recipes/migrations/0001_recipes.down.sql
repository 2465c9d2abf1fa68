DROP TABLE recipe_parts;
DROP TABLE ingredients;
DROP TABLE recipes;

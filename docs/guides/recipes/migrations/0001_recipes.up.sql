CREATE TABLE recipes (
  owner      {uuid} NOT NULL,
  id         {uuid} NOT NULL,
  title      {text} NOT NULL,
  method     {text} NOT NULL,
  minutes    {integer} NOT NULL,
  created_at {time} NOT NULL,
  version    {integer} NOT NULL,
  PRIMARY KEY (owner, id)
){clustered};
CREATE UNIQUE INDEX recipes_title ON recipes (owner, title);
CREATE INDEX recipes_minutes ON recipes (owner, minutes, id);

CREATE TABLE ingredients (
  owner {uuid} NOT NULL,
  id    {uuid} NOT NULL,
  name  {text} NOT NULL,
  PRIMARY KEY (owner, id)
){clustered};
CREATE UNIQUE INDEX ingredients_name ON ingredients (owner, name);

CREATE TABLE recipe_parts (
  owner         {uuid} NOT NULL,
  recipe_id     {uuid} NOT NULL,
  ingredient_id {uuid} NOT NULL,
  amount        {text} NOT NULL,
  PRIMARY KEY (owner, recipe_id, ingredient_id),
  FOREIGN KEY (owner, recipe_id) REFERENCES recipes (owner, id) ON DELETE CASCADE,
  FOREIGN KEY (owner, ingredient_id) REFERENCES ingredients (owner, id)
){clustered};
CREATE INDEX recipe_parts_ingredient ON recipe_parts (owner, ingredient_id, recipe_id);

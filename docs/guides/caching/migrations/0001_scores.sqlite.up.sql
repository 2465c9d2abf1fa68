CREATE TABLE scores (
  tenant BLOB    NOT NULL,
  game   TEXT    NOT NULL,
  player TEXT    NOT NULL,
  points INTEGER NOT NULL
) STRICT;
CREATE INDEX scores_of_game ON scores (tenant, game, player, points);

CREATE TABLE scores (
  tenant {uuid}    NOT NULL,
  game   text      NOT NULL,
  player text      NOT NULL,
  points {integer} NOT NULL
){strict};
CREATE INDEX scores_of_game ON scores (tenant, game, player, points);

{postgresql}
ALTER TABLE scores ENABLE ROW LEVEL SECURITY;
ALTER TABLE scores FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON scores USING (tenant = nullif(current_setting('bedplate.tenant', true), '')::uuid);
{end}

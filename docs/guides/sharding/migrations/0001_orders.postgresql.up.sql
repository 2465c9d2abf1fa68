CREATE TABLE orders (
  id       UUID   NOT NULL PRIMARY KEY,
  bucket   BIGINT NOT NULL,
  customer UUID   NOT NULL,
  item     TEXT   NOT NULL,
  cents    BIGINT NOT NULL
);
CREATE INDEX orders_by_bucket ON orders (bucket, id);

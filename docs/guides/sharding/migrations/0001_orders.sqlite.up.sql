CREATE TABLE orders (
  id       BLOB   NOT NULL PRIMARY KEY,
  bucket   BIGINT NOT NULL,
  customer BLOB   NOT NULL,
  item     TEXT   NOT NULL,
  cents    BIGINT NOT NULL
);
CREATE INDEX orders_by_bucket ON orders (bucket, id);

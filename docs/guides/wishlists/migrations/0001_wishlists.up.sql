CREATE TABLE wishlists (
  owner      {uuid} NOT NULL,
  id         {uuid} NOT NULL,
  name       {text} NOT NULL,
  note       {text} NOT NULL,
  visibility {text} NOT NULL,
  item_count {integer} NOT NULL,
  created_at {time} NOT NULL,
  version    {integer} NOT NULL,
  PRIMARY KEY (owner, id)
){clustered};

CREATE TABLE wishlist_items (
  owner       {uuid} NOT NULL,
  wishlist_id {uuid} NOT NULL,
  id          {uuid} NOT NULL,
  title       {text} NOT NULL,
  url         {text},
  price_cents {integer},
  created_at  {time} NOT NULL,
  PRIMARY KEY (owner, wishlist_id, id),
  FOREIGN KEY (owner, wishlist_id) REFERENCES wishlists (owner, id)
){clustered};

// SPDX-License-Identifier: Apache-2.0
// The shop as a program: `shop DIRECTORY_URL SHARD_URL... serve`, each argument a database.
#include <cstdio>
#include <vector>

#include "bedplate/app/application.h"
#include "shop.h"

int main(int argc, char** argv) {
  std::vector<shop::ShopDatabases::Named> shards;
  std::vector<std::string> names;
  int at = 2;
  for (; at < argc && std::string_view(argv[at]).find(':') != std::string_view::npos; ++at)
    shards.emplace_back(names.emplace_back("shard" + std::to_string(at - 1)), argv[at]);
  if (shards.empty())
    return std::fprintf(stderr, "Usage: shop DIRECTORY_URL SHARD_URL... serve [OPTIONS]\n"), 2;

  auto databases = shop::ShopDatabases::open(argv[1], shards);
  if (!databases) return std::fprintf(stderr, "shop: %s\n", databases.error().detail().c_str()), 1;
  bedplate::app::Application app({.name = "shop", .version = "1.0.0", .doc = "A shop on several databases"});
  shop::add_to(app, **databases, names);
  return app.run(argc - at + 1, argv + at - 1);
}

// SPDX-License-Identifier: Apache-2.0
// expect: describe: fields_of<> names a base class of the described struct
#include "bedplate/describe/describe.h"

using namespace bedplate::schema;

struct Page {
  int page = 1;
  static consteval auto describe() { return object<Page>("doc", {field<&Page::page>()}); }
};
struct List {
  int page = 1;
  int label = 1;
  static consteval auto describe() { return object<List>("doc", fields_of<Page>, {field<&List::label>()}); }
};
const auto& type = bedplate::type_of<List>();

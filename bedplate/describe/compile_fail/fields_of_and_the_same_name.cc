// SPDX-License-Identifier: Apache-2.0
// expect: describe_error__two_fields_have_the_same_name
#include "bedplate/describe/describe.h"

using namespace bedplate::schema;

struct Page {
  int page = 1;
  static consteval auto describe() { return object<Page>("doc", {field<&Page::page>()}); }
};
struct List : Page {
  int label = 1;
  static consteval auto describe() {
    return object<List>("doc", fields_of<Page>, {field<&List::label, "page">()});
  }
};
const auto& type = bedplate::type_of<List>();

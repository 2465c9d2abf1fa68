// What every case starts from. A case is one file with a mistake; its first line says what the compiler must
// answer.
#pragma once

#include "bedplate/describe/describe.h"

using namespace bedplate::schema;

template <class T>
const bedplate::TypeInfo& use() {
  return bedplate::type_of<T>();
}

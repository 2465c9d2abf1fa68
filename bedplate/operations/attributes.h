// SPDX-License-Identifier: Apache-2.0
// Attributes: values of different types, at most one of each. What a surface wants to know of an operation stands in
// one of its own, so that another surface needs no edit here.
//
//   struct RouteOf { Verb verb; std::string_view path; };
//   operation.attributes.of<RouteOf>().path = "/v1/tasks";                 // made when it is not there
//   if (const RouteOf* route = operation.attributes.find<RouteOf>()) ...
//
// A value type: a copy has copies of all. Filled before an operation is run; then read by all threads. find() walks a
// short list: keep the pointer where it is needed often.
#pragma once

#include <any>
#include <vector>

namespace bedplate::api {

class Attributes {
 public:
  template <class T>
  T& of() {
    for (std::any& value : values_)
      if (T* found = std::any_cast<T>(&value)) return *found;
    return values_.emplace_back().emplace<T>();
  }
  template <class T>
  const T* find() const {
    for (const std::any& value : values_)
      if (const T* found = std::any_cast<T>(&value)) return found;
    return nullptr;
  }

 private:
  std::vector<std::any> values_;
};

}  // namespace bedplate::api

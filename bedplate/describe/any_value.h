// SPDX-License-Identifier: Apache-2.0
// AnyValue: owns one value of a described type whose C++ type is not known here (the input of an operation,
// say).
//
//   AnyValue input(type_of<CreateTask>());              // default-constructed
//   read_json(body, input.type(), input.data(), faults);
//   operation.run(input.data());
#pragma once

#include <cassert>
#include <new>
#include <utility>

#include "bedplate/describe/describe.h"
#include "bedplate/describe/table.h"

namespace bedplate {

/// Move-only; empty after it was moved from. Moving is cheap: the value stays where it is.
class AnyValue {
 public:
  AnyValue() = default;
  explicit AnyValue(const TypeInfo& type) : type_(&type), data_(allocate(type)) {
    type.ops->construct(data_);
  }
  template <class T>
  static AnyValue of(T value) {
    AnyValue any;
    any.type_ = &type_of<T>();
    any.data_ = allocate(*any.type_);
    ::new (any.data_) T(std::move(value));
    return any;
  }
  AnyValue(AnyValue&& other) noexcept
      : type_(std::exchange(other.type_, nullptr)), data_(std::exchange(other.data_, nullptr)) {}
  AnyValue& operator=(AnyValue&& other) noexcept {
    std::swap(type_, other.type_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~AnyValue() { reset(); }

  bool has_value() const { return data_ != nullptr; }
  /// The following need a value.
  const TypeInfo& type() const { return *type_; }
  void* data() { return data_; }
  const void* data() const { return data_; }
  template <class T>
  T& get() {
    assert(type_ == &type_of<T>());
    return *static_cast<T*>(data_);
  }
  template <class T>
  const T& get() const {
    assert(type_ == &type_of<T>());
    return *static_cast<const T*>(data_);
  }

  /// Ends the value's life, if there is one.
  void reset() {
    if (data_ == nullptr) return;
    type_->ops->destroy(data_);
    ::operator delete(data_, std::align_val_t(type_->align));
    data_ = nullptr;
    type_ = nullptr;
  }

 private:
  static void* allocate(const TypeInfo& type) {
    return ::operator new(type.size, std::align_val_t(type.align));
  }

  const TypeInfo* type_ = nullptr;
  void* data_ = nullptr;
};

}  // namespace bedplate

#include "readers/attribute_types.h"

#include <ATen/core/Dict.h>
#include <ATen/core/List.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <unordered_set>

#include "bitplan/error.h"

namespace bitplan::network {

namespace {

bool Fits(const c10::IValue& value, const c10::Type& type);

bool AllFit(c10::ArrayRef<c10::IValue> values, const c10::Type& type) {
  return std::all_of(values.begin(), values.end(), [&](const c10::IValue& value) { return Fits(value, type); });
}

/// As a subtype, but for tuples whose parts have names, which those of a file have not.
bool Fits(const c10::IValue& value, const c10::Type& type) {
  if (value.type()->isSubtypeOf(type)) return true;
  if (const auto* optional = type.castRaw<c10::OptionalType>())
    return value.isNone() || Fits(value, *optional->getElementType());
  if (const auto* list = type.castRaw<c10::ListType>())
    return value.isList() && AllFit(value.toListRef(), *list->getElementType());
  if (const auto* dict = type.castRaw<c10::DictType>()) {
    if (!value.isGenericDict()) return false;
    for (const auto& entry : value.toGenericDict())
      if (!Fits(entry.key(), *dict->getKeyType()) || !Fits(entry.value(), *dict->getValueType())) return false;
    return true;
  }
  const auto* const tuple = type.castRaw<c10::TupleType>();
  if (!tuple || !value.isTuple() || value.toTupleRef().elements().size() != tuple->elements().size()) return false;
  for (std::size_t i = 0; i < tuple->elements().size(); ++i)
    if (!Fits(value.toTupleRef().elements()[i], *tuple->elements()[i])) return false;
  return true;
}

class AttributeWalk {
 public:
  void Check(const c10::ivalue::Object& object, const std::string& path) {
    if (!seen_.insert(&object).second) return;
    const auto type = object.type();
    for (std::size_t i = 0; i < type->numAttributes(); ++i) {
      const std::string name = path.empty() ? type->getAttributeName(i) : path + "." + type->getAttributeName(i);
      const c10::IValue& value = object.getSlot(i);
      if (!Fits(value, *type->getAttribute(i)))
        throw Error(fmt::format("attribute '{}' is of type {}, and its class has {}", name, value.type()->repr_str(),
                                type->getAttribute(i)->repr_str()));
      Descend(value, name);
    }
  }

 private:
  void Descend(const c10::IValue& value, const std::string& name) {
    if (value.isObject()) Check(value.toObjectRef(), name);
    if (value.isTuple())
      for (const c10::IValue& item : value.toTupleRef().elements()) Descend(item, name);
    if (value.isList())
      for (const c10::IValue& item : value.toListRef()) Descend(item, name);
    if (value.isGenericDict())
      for (const auto& entry : value.toGenericDict()) Descend(entry.value(), name);
  }

  std::unordered_set<const c10::ivalue::Object*> seen_;
};

}  // namespace

void CheckAttributeTypes(const torch::jit::Module& module) { AttributeWalk().Check(*module._ivalue(), ""); }

}  // namespace bitplan::network

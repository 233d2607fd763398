#include "readers/attribute_types.h"

#include <ATen/core/Dict.h>
#include <ATen/core/List.h>
#include <fmt/format.h>

#include <string>
#include <unordered_set>

#include "bitplan/error.h"

namespace bitplan::network {

namespace {

class AttributeWalk {
 public:
  void Check(const c10::ivalue::Object& object, const std::string& path) {
    if (!seen_.insert(&object).second) return;
    const auto type = object.type();
    for (std::size_t i = 0; i < type->numAttributes(); ++i) {
      const std::string name = path.empty() ? type->getAttributeName(i) : path + "." + type->getAttributeName(i);
      const c10::IValue& value = object.getSlot(i);
      if (!value.type()->isSubtypeOf(*type->getAttribute(i)))
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

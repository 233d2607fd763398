#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "decode/pickle.h"

namespace bitplan::decode {

struct PickleValue;
using PickleRef = std::shared_ptr<PickleValue>;

/// What a pickle makes, as far as it takes to check tensors.
struct PickleValue {
  enum class Kind { Other, Int, Text, Tuple, Container, Global, Storage };
  Kind kind = Kind::Other;
  std::int64_t number = 0;       ///< of Int; elements of Storage
  std::string text;              ///< of Text; of Global its module and name, with a dot between
  std::vector<PickleRef> items;  ///< of Tuple
  int depth = 1;                 ///< levels of what contains what
  double unfolded = 1;           ///< values in all, shared ones as often as they are contained
  bool shared = false;           ///< taken from the memo, so that a change would show elsewhere, too

  /// Counts an item. Throws Error where it is nested too deep, or unfolds to too much.
  void Contain(const PickleValue& item);
};

/// Makes a value of what pickles call, tensors checked.
class PickleObjects {
 public:
  explicit PickleObjects(const StorageBytes& storage_bytes) : storage_bytes_(storage_bytes) {}

  /// Throws Error where it is nothing that tensors and TorchScript's objects are made with.
  static void CheckGlobal(const std::string& name);

  /// What `function`, a Global, makes of `argument`.
  PickleRef Call(const PickleValue& function, const PickleRef& argument);

  /// What a persistent id stands for: a storage.
  PickleRef MakeStorage(const PickleValue& id);

  /// Once all are made: Error where tensors have many times the elements that the file has.
  void CheckTotal() const;

 private:
  void CheckTensor(const PickleValue& arguments);

  const StorageBytes& storage_bytes_;
  std::map<std::string, std::int64_t> stored_;  // elements by key
  double elements_ = 0;                         // of all tensors
};

}  // namespace bitplan::decode

#pragma once

#include <numeric>
#include <vector>

#include "search/core.h"

namespace bitplan::search {

/// Sets that grow together.
class Unions {
 public:
  explicit Unions(std::size_t size) : parent_(size) { std::iota(parent_.begin(), parent_.end(), Index{0}); }
  Index Find(Index at) {
    while (parent_[at] != at) at = parent_[at] = parent_[parent_[at]];
    return at;
  }
  void Unite(Index a, Index b) { parent_[Find(a)] = Find(b); }

 private:
  std::vector<Index> parent_;
};

}  // namespace bitplan::search

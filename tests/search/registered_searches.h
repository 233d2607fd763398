#pragma once

#include "bitplan/search.h"

namespace bitplan::search_test {

/// What the contract of registered searches is checked on: all that a test's executable links.
SearchRegistry RegisteredSearches();

}  // namespace bitplan::search_test

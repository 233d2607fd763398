#include "search/registered_searches.h"

namespace bitplan::search_test {

SearchRegistry RegisteredSearches() { return {}; }

}  // namespace bitplan::search_test

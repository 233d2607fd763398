#pragma once

#include <string>

#include "bitplan/error.h"
#include "bitplan/format.h"
#include "bitplan/sensitivity.h"
#include "plan/json_reader.h"
#include "plan/json_writer.h"

namespace bitplan {

// Parts that several file kinds share.

/// A string that `parse` knows, such as ParseScheme.
template <typename Parse>
auto ReadName(JsonReader& reader, const std::string& key, const Parse& parse) {
  try {
    return parse(reader.String(key));
  } catch (const Error& error) {
    reader.Fail(key, std::string("a known name: ") + error.what());
  }
}

Json FormatJson(const Format& format);
Format ReadFormat(JsonReader reader);  ///< validated

Json DataSourceJson(const DataSource& data);
DataSource ReadDataSource(JsonReader reader);

}  // namespace bitplan

#pragma once

#include <cstdint>
#include <string>

#include "bitplan/corrections.h"
#include "bitplan/error.h"
#include "bitplan/format.h"
#include "bitplan/sensitivity.h"
#include "plan/json_reader.h"
#include "plan/json_writer.h"

namespace bitplan::plan {

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

constexpr std::int64_t kLargestGroup = std::int64_t{1} << 30;

Json FormatJson(const Format& format);
Format ReadFormat(JsonReader reader);  ///< validated

Json CorrectionsJson(const Corrections& corrections);
Corrections ReadCorrections(JsonReader reader);  ///< validated
/// `corrections` with what the object says of them, which need not be all; validated.
Corrections ReadCorrectionsChange(JsonReader reader, Corrections corrections);

Json DataSourceJson(const DataSource& data);
DataSource ReadDataSource(JsonReader reader);

}  // namespace bitplan::plan

#pragma once

#include "bitplan/layer_shape.h"
#include "plan/json_reader.h"
#include "plan/json_writer.h"

namespace bitplan::plan {

Json ShapeJson(const LayerShape& shape);
LayerShape ReadShape(JsonReader reader);

}  // namespace bitplan::plan

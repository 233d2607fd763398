#include "shape_json.h"

namespace bitplan::plan {

Json ShapeJson(const LayerShape& shape) {
  return {{"input_channels", shape.input_channels},
          {"output_channels", shape.output_channels},
          {"kernel_size", shape.kernel_size},
          {"stride", shape.stride},
          {"feature_size", shape.feature_size},
          {"parameters", shape.parameters},
          {"depthwise", shape.depthwise}};
}

LayerShape ReadShape(JsonReader reader) {
  LayerShape shape;
  shape.input_channels = reader.Integer("input_channels", 1);
  shape.output_channels = reader.Integer("output_channels", 1);
  shape.kernel_size = reader.Integer("kernel_size", 1);
  shape.stride = reader.Integer("stride", 0);
  shape.feature_size = reader.Integer("feature_size", 1);
  shape.parameters = reader.Integer("parameters", 1);
  shape.depthwise = reader.Bool("depthwise");
  reader.Finish();
  return shape;
}

}  // namespace bitplan::plan

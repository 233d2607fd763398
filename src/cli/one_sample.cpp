#include "one_sample.h"

#include <fmt/format.h>

#include "bitplan/data.h"
#include "bitplan/error.h"
#include "image_options.h"
#include "memory_option.h"
#include "text/shortened.h"

namespace bitplan::cli {

void AddOneSampleOptions(CommandLine& line) {
  line.Add({
      {"input", Texts("SHAPE"),
       "shape of one sample, without the batch axis; 16:int64 for token numbers; once for each input"},
      {"data", ReadData(), "take the first sample of this data instead"},
  });
  AddImageOptions(line);
}

std::vector<at::Tensor> OneSample(const CommandLine& line, const Network& network) {
  if (line.Has("data")) {
    DataOptions options;
    options.input_names = network.input_names();
    options.memory_bytes = MemoryOfData(line, network);
    ReadImageOptions(line, options);
    const Dataset data = LoadData(line.Get<std::string>("data"), options);
    return data.Get(0, 1, at::Device(network.device())).inputs;
  }
  const auto shapes = line.List("input");
  if (shapes.empty())
    throw Error(fmt::format(
        "--input is missing: the shape of one sample for each of the model's inputs ({}), e.g. --input 3,32,32; "
        "or --data",
        text::Shortened(network.input_names())));
  return ExampleInputs(shapes, network.device());
}

}  // namespace bitplan::cli

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "bitplan/error.h"
#include "bitplan/plan.h"
#include "csv_text.h"
#include "decode/file.h"
#include "decode/npy.h"
#include "plan/json_reader.h"

namespace bitplan {

namespace {

/// One line of a table: a layer's cost at a pair of widths.
struct Entry {
  std::string layer;
  int weight_bits = 0, activation_bits = 0;
  double value = 0;
};

template <typename Number>
Number Parse(const std::string& cell, const std::string& where, const char* expected) {
  Number number{};
  const auto [end, status] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  if (status != std::errc() || end != cell.data() + cell.size())
    throw Error(fmt::format("{}: '{}' is not {}", where, cell, expected));
  return number;
}

Entry ParseEntry(const std::vector<std::string>& cells, const std::string& where) {
  if (cells.size() != 4)
    throw Error(
        fmt::format("{}: {} cells, expected 4: layer, weight bits, activation bits, cost", where, cells.size()));
  return {cells[0], Parse<int>(cells[1], where, "a width"), Parse<int>(cells[2], where, "a width"),
          Parse<double>(cells[3], where, "a number")};
}

/// The entries as a table, whose layers are in the order in which they first come.
CostTable MakeTable(const std::string& cost, const std::string& file, const std::vector<Entry>& entries) {
  std::set<int> weights, activations;
  std::vector<std::string> names;
  std::map<std::string, std::map<std::pair<int, int>, double>> values;
  for (const Entry& entry : entries) {
    weights.insert(entry.weight_bits);
    activations.insert(entry.activation_bits);
    if (!values.contains(entry.layer)) names.push_back(entry.layer);
    if (!values[entry.layer].emplace(std::pair(entry.weight_bits, entry.activation_bits), entry.value).second)
      throw Error(fmt::format("{}: layer '{}' at w{}a{} is there twice", file, entry.layer, entry.weight_bits,
                              entry.activation_bits));
  }
  return Tabulate(cost, file, {weights.begin(), weights.end()}, {activations.begin(), activations.end()}, names,
                  [&](std::size_t layer, int weight, int activation) {
                    const auto found = values[names[layer]].find({weight, activation});
                    if (found == values[names[layer]].end())
                      throw Error(fmt::format("{}: layer '{}' has no line for w{}a{}, which other layers have", file,
                                              names[layer], weight, activation));
                    return found->second;
                  });
}

template <typename Element>
std::vector<double> Widen(const std::vector<std::uint8_t>& bytes) {
  std::vector<Element> elements(bytes.size() / sizeof(Element));
  std::memcpy(elements.data(), bytes.data(), bytes.size());
  return {elements.begin(), elements.end()};
}

plan::NumberArray ReadNumbers(const std::filesystem::path& file) {
  using decode::ElementType;
  const decode::Array array = decode::DecodeNpy(decode::ReadFile(file), file.string());
  const auto numbers = [&] {
    switch (array.type) {
      case decode::ElementType::Int32:
        return Widen<std::int32_t>(array.bytes);
      case decode::ElementType::Int64:
        return Widen<std::int64_t>(array.bytes);
      case decode::ElementType::Float32:
        return Widen<float>(array.bytes);
      case decode::ElementType::Float64:
        return Widen<double>(array.bytes);
      default:
        throw Error(fmt::format("{}: holds {}; expected int32, int64, float32 or float64", file.string(),
                                decode::ElementName(array.type)));
    }
  };
  return {{array.shape.begin(), array.shape.end()}, numbers()};
}

CostTable Checked(CostTable table, const std::filesystem::path& file) {
  try {
    table.Validate();
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", file.string(), error.what()));
  }
  return table;
}

}  // namespace

CostTable ReadCostCsv(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw Error(fmt::format("{}: cannot be read", file.string()));
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const std::vector<plan::CsvRecord> records = plan::ParseCsv(text, file.string());
  const std::vector<std::string> header = records.empty() ? std::vector<std::string>{""} : records.front().cells;
  if (header.size() != 4 || header[0] != "layer" || header[1] != "weight_bits" || header[2] != "activation_bits")
    throw Error(
        fmt::format("{}:1: '{}' is not the header of a cost table; expected layer,weight_bits,activation_bits,COST, "
                    "COST for example latency_ms",
                    file.string(), fmt::join(header, ",")));
  std::vector<Entry> entries;
  for (std::size_t i = 1; i < records.size(); ++i)
    entries.push_back(ParseEntry(records[i].cells, fmt::format("{}:{}", file.string(), records[i].line)));
  if (entries.empty()) throw Error(fmt::format("{}: has no lines below its header", file.string()));
  return Checked(MakeTable(header[3], file.string(), entries), file);
}

CostTable ReadCostArray(const std::filesystem::path& file, const std::string& cost,
                        const std::vector<std::string>& layers) {
  const plan::NumberArray array = ReadNumbers(file);
  const std::vector<std::size_t>& shape = array.shape;
  if (shape.size() != 3 || shape[0] != layers.size() || shape[1] == 0 || shape[1] > 32 || shape[2] == 0 ||
      shape[2] > 32)
    throw Error(
        fmt::format("{}: has the shape [{}]; expected layers, weight widths from 1 and activation widths from 1, [{}, "
                    "1 … 32, 1 … 32]",
                    file.string(), fmt::join(shape, ", "), layers.size()));
  const auto up_to = [](std::size_t most) {
    std::vector<int> widths;
    for (std::size_t i = 1; i <= most; ++i) widths.push_back(static_cast<int>(i));
    return widths;
  };
  const auto value = [&](std::size_t layer, int weight, int activation) {
    return array.numbers[(layer * shape[1] + static_cast<std::size_t>(weight - 1)) * shape[2] +
                         static_cast<std::size_t>(activation - 1)];
  };
  return Checked(Tabulate(cost, file.string(), up_to(shape[1]), up_to(shape[2]), layers, value), file);
}

}  // namespace bitplan

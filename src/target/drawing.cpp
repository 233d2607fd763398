#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "bitplan/target.h"
#include "network/operator_graph.h"
#include "plot/svg_writer.h"
#include "plot/text.h"

namespace bitplan {

namespace {

using plot::Pixel;

constexpr double kBoxWidth = 190, kBoxHeight = 30, kRow = 62, kColumn = 215, kLane = 16, kMargin = 24, kHead = 66;
constexpr const char* kLayerColor = "#cfe2f3";
constexpr const char* kOperatorColor = "#ececec";
constexpr const char* kFloatColor = "#9a9a9a";
constexpr const char* kQuantizedColor = "#D55E00";

/// Where a box is, and how many edges end in it.
struct Box {
  int row = 0, column = 0;
};

/// An edge that passes other boxes: it runs in a lane of its own beside them.
struct LongEdge {
  std::size_t to = 0, input = 0;
  int lane = 0;
};

/// Operators in rows, each below all that it reads from; columns keep branches apart.
class Drawing {
 public:
  Drawing(const Network& network, const Placement& placement)
      : graph_(network::OperatorGraph(network)), boxes_(graph_.size()) {
    for (std::size_t i = 0; i < network.sites().size(); ++i)
      number_of_site_[network.sites()[i].name] = static_cast<int>(i);
    for (const PlacedTensor& tensor : placement.tensors)
      for (const std::string& site : tensor.sites) bits_of_site_[number_of_site_.at(site)] = tensor.format.bits;
    for (const PlacedWeight& weight : placement.weights) bits_of_weight_[weight.layer] = weight.format.bits;
    Arrange();
    AssignLanes();
  }

  std::string Draw() const {
    const double width = LaneX(lanes_) + kMargin, height = Top(rows_) + kMargin;
    plot::SvgWriter svg(std::max(width, 420.0), height, "where quantizers sit");
    DrawLegend(svg);
    for (std::size_t i = 0; i < graph_.size(); ++i)
      for (std::size_t k = 0; k < graph_[i].inputs.size(); ++k) DrawEdge(svg, i, k);
    for (std::size_t i = 0; i < graph_.size(); ++i) DrawBox(svg, i);
    return svg.Finish();
  }

 private:
  void Arrange() {
    std::map<int, std::set<int>> taken;  // columns of a row
    for (std::size_t i = 0; i < graph_.size(); ++i) {
      int nearest = -1;
      for (const network::OperatorInput& input : graph_[i].inputs) {
        if (input.from < 0) continue;
        const Box& from = boxes_[static_cast<std::size_t>(input.from)];
        boxes_[i].row = std::max(boxes_[i].row, from.row + 1);
        if (nearest < 0 || from.row > boxes_[static_cast<std::size_t>(nearest)].row) nearest = input.from;
      }
      int column = nearest < 0 ? 0 : boxes_[static_cast<std::size_t>(nearest)].column;
      if (Joins(i)) column = 0;
      std::set<int>& columns = taken[boxes_[i].row];
      while (columns.contains(column)) ++column;
      columns.insert(column);
      boxes_[i].column = column;
      rows_ = std::max(rows_, boxes_[i].row + 1);
      columns_ = std::max(columns_, column + 1);
    }
  }

  /// Whether branches of different columns meet.
  bool Joins(std::size_t i) const {
    std::set<int> columns;
    for (const network::OperatorInput& input : graph_[i].inputs)
      if (input.from >= 0) columns.insert(boxes_[static_cast<std::size_t>(input.from)].column);
    return columns.size() > 1;
  }

  bool IsLong(std::size_t to, std::size_t k) const {
    const int from = graph_[to].inputs[k].from;
    return from >= 0 && boxes_[to].row - boxes_[static_cast<std::size_t>(from)].row > 1;
  }

  /// The innermost lane that is free over the rows between.
  void AssignLanes() {
    std::vector<int> free_from;  // row, by lane
    std::vector<LongEdge> edges;
    for (std::size_t i = 0; i < graph_.size(); ++i)
      for (std::size_t k = 0; k < graph_[i].inputs.size(); ++k)
        if (IsLong(i, k)) edges.push_back({i, k});
    const auto begin_of = [&](const LongEdge& edge) {
      return boxes_[static_cast<std::size_t>(graph_[edge.to].inputs[edge.input].from)].row;
    };
    std::stable_sort(edges.begin(), edges.end(),
                     [&](const LongEdge& a, const LongEdge& b) { return begin_of(a) < begin_of(b); });
    for (LongEdge& edge : edges) {
      std::size_t lane = 0;
      while (lane < free_from.size() && free_from[lane] > begin_of(edge)) ++lane;
      if (lane == free_from.size()) free_from.push_back(0);
      free_from[lane] = boxes_[edge.to].row + 1;
      lane_of_[{edge.to, edge.input}] = static_cast<int>(lane);
    }
    lanes_ = static_cast<int>(free_from.size());
  }

  static double Left(const Box& box) { return kMargin + kColumn * box.column; }
  static double Top(int row) { return kHead + kRow * row; }
  double LaneX(int lane) const { return kMargin + kColumn * columns_ + kLane * lane; }

  /// Where an input enters its box: edges from above side by side, long ones from the right.
  Pixel End(std::size_t to, std::size_t k) const {
    const Box& box = boxes_[to];
    const auto inputs = static_cast<double>(graph_[to].inputs.size());
    if (IsLong(to, k)) return {Left(box) + kBoxWidth, Top(box.row) + 9 + 6 * static_cast<double>(k % 3)};
    return {Left(box) + kBoxWidth * (static_cast<double>(k) + 1) / (inputs + 1), Top(box.row)};
  }

  void DrawEdge(plot::SvgWriter& svg, std::size_t to, std::size_t k) const {
    const network::OperatorInput& input = graph_[to].inputs[k];
    const auto quantized = bits_of_site_.find(input.site);
    const bool is_quantized = quantized != bits_of_site_.end();
    const char* const color = is_quantized ? kQuantizedColor : kFloatColor;
    const Pixel end = End(to, k);
    Pixel mark{end.x, end.y - 11};
    if (IsLong(to, k)) {
      const Box& from = boxes_[static_cast<std::size_t>(input.from)];
      const double x = LaneX(lane_of_.at({to, k}));
      const Pixel start{Left(from) + kBoxWidth, Top(from.row) + kBoxHeight - 7};
      svg.Path({start, {x, start.y}, {x, end.y}, end}, {color, plot::Shape::Circle, ""});
      mark = {end.x + 12, end.y};
    } else {
      const Pixel start = input.from < 0 ? Pixel{end.x, end.y - 24}
                                         : Pixel{Left(boxes_[static_cast<std::size_t>(input.from)]) + kBoxWidth / 2,
                                                 Top(boxes_[static_cast<std::size_t>(input.from)].row) + kBoxHeight};
      svg.Line(start, end, color, 2);
      const double share = (end.y - mark.y) / (end.y - start.y);
      mark.x = end.x + (start.x - end.x) * share;
      if (input.from < 0) svg.Text({end.x, end.y - 28}, "input", {10, plot::Anchor::Middle});
    }
    if (!is_quantized) return;
    svg.Marker(mark, {kQuantizedColor, plot::Shape::Diamond, ""}, 5);
    svg.Text({mark.x + 8, mark.y + (IsLong(to, k) ? -3 : 4)}, fmt::format("{}", quantized->second), {10});
  }

  void DrawBox(plot::SvgWriter& svg, std::size_t i) const {
    const network::Operator& made = graph_[i];
    const Box& box = boxes_[i];
    const double left = Left(box), top = Top(box.row);
    const auto weight = bits_of_weight_.find(made.name);
    std::string text = made.layer >= 0 ? fmt::format("{} ({})", made.name, made.op) : made.name;
    if (made.layer >= 0) text += weight == bits_of_weight_.end() ? ": float" : fmt::format(": w{}", weight->second);
    svg.BeginGroup(text);
    svg.Bar({left, top}, {left + kBoxWidth, top + kBoxHeight}, made.layer >= 0 ? kLayerColor : kOperatorColor);
    const plot::FittedText fitted = plot::Fit(text, 11, kBoxWidth - 10);
    svg.Text({left + kBoxWidth / 2, top + 19}, fitted.text, {fitted.font_size, plot::Anchor::Middle});
    svg.EndGroup();
    if (made.returned) {
      svg.Line({left + kBoxWidth / 2, top + kBoxHeight}, {left + kBoxWidth / 2, top + kBoxHeight + 14}, kFloatColor, 2);
      svg.Text({left + kBoxWidth / 2 + 6, top + kBoxHeight + 13}, "output", {10});
    }
  }

  static void DrawLegend(plot::SvgWriter& svg) {
    svg.Marker({kMargin + 6, 16}, {kQuantizedColor, plot::Shape::Diamond, ""}, 5);
    svg.Text({kMargin + 16, 20}, "quantized to this many bits before it is read", {11});
    svg.Line({kMargin + 260, 16}, {kMargin + 280, 16}, kFloatColor, 2);
    svg.Text({kMargin + 286, 20}, "float; w: bits of the weight", {11});
  }

  std::vector<network::Operator> graph_;
  std::vector<Box> boxes_;
  std::map<std::string, int> number_of_site_;
  std::map<int, int> bits_of_site_;
  std::map<std::string, int> bits_of_weight_;
  std::map<std::pair<std::size_t, std::size_t>, int> lane_of_;
  int rows_ = 0, columns_ = 0, lanes_ = 0;
};

}  // namespace

std::string ToSvg(const Network& network, const Placement& placement) { return Drawing(network, placement).Draw(); }

}  // namespace bitplan

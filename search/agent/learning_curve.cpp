#include <algorithm>

#include "bitplan/agent.h"
#include "bitplan/error.h"
#include "bitplan/plot.h"

namespace bitplan {

std::string ToCsv(const std::vector<AgentEpisode>& episodes) {
  std::vector<std::vector<Cell>> rows;
  for (std::size_t i = 0; i < episodes.size(); ++i)
    rows.push_back({static_cast<std::int64_t>(i + 1), episodes[i].loss, episodes[i].best, episodes[i].noise});
  return ToCsv({"episode", "loss", "best", "noise"}, rows);
}

std::string ToSvg(const std::vector<AgentEpisode>& episodes) {
  if (episodes.empty()) throw Error("a learning curve without episodes cannot be drawn");
  Series tried{.name = "plan tried", .x = {}, .y = {}},
      best{.name = "best so far", .x = {}, .y = {}, .kind = SeriesKind::Step};
  for (std::size_t i = 0; i < episodes.size(); ++i) {
    for (Series* series : {&tried, &best}) series->x.push_back(static_cast<double>(i + 1));
    tried.y.push_back(episodes[i].loss);
    best.y.push_back(episodes[i].best);
  }
  Chart chart{.title = "learning agent", .x_label = "episode", .y_label = "loss", .series = {}};
  if (std::all_of(episodes.begin(), episodes.end(), [](const AgentEpisode& episode) { return episode.loss >= 1e-300; }))
    chart.y_scale = AxisScale::Log;
  chart.series = {std::move(tried), std::move(best)};
  return ToSvg(chart);
}

}  // namespace bitplan

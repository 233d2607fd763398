#include "search/linked_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "bitplan/error.h"
#include "text/shortened.h"
#include "tuning.h"

namespace bitplan::search {
namespace {

using namespace tuning::linked;

constexpr std::size_t kUnset = ~std::size_t{0};

/// A rule by numbers.
struct Table {
  std::vector<std::size_t> groups;
  std::set<std::vector<std::size_t>> rows;  // of choices
};

std::vector<Table> TablesOf(const Problem& problem) {
  std::map<std::string, std::size_t> group_of;
  std::vector<std::map<std::string, std::size_t>> choice_of;
  for (const Group& group : problem.groups) {
    group_of.emplace(group.name, group_of.size());
    auto& choices = choice_of.emplace_back();
    for (const Choice& choice : group.choices) choices.emplace(choice.name, choices.size());
  }
  std::vector<Table> tables;
  for (const Rule& rule : problem.rules) {
    Table& table = tables.emplace_back();
    for (const auto& name : rule.groups) table.groups.push_back(group_of.at(name));
    for (const auto& names : rule.allowed) {
      std::vector<std::size_t> row;
      for (std::size_t m = 0; m < names.size(); ++m) row.push_back(choice_of[table.groups[m]].at(names[m]));
      table.rows.insert(std::move(row));
    }
  }
  return tables;
}

class Linker {
 public:
  explicit Linker(const Problem& problem)
      : problem_(problem), tables_(TablesOf(problem)), tables_of_(problem.groups.size()) {
    for (std::size_t t = 0; t < tables_.size(); ++t)
      for (const std::size_t group : tables_[t].groups) tables_of_[group].push_back(t);
    first_.push_back(0);
    for (const Group& group : problem.groups) first_.push_back(first_.back() + group.choices.size());
  }

  LinkedGroups Link() const {
    LinkedGroups linked;
    linked.problem.name = problem_.name;
    linked.problem.objective = problem_.objective;
    linked.problem.budgets = problem_.budgets;
    std::vector<char> seen(problem_.groups.size(), 0);
    for (std::size_t g = 0; g < problem_.groups.size(); ++g) {
      if (seen[g]) continue;
      const std::vector<std::size_t> members = LinkedWith(g);
      for (const std::size_t member : members) seen[member] = 1;
      Group& group = linked.problem.groups.emplace_back();
      for (const auto& row : Combinations(members)) {
        Together together;
        for (std::size_t m = 0; m < members.size(); ++m) together.push_back(first_[members[m]] + row[m]);
        group.choices.push_back(ChoiceOf(members, row));
        linked.parts.push_back(std::move(together));
      }
    }
    return linked;
  }

 private:
  /// The group and those that rules link it with, each after one that it shares a rule with.
  std::vector<std::size_t> LinkedWith(std::size_t group) const {
    std::vector<std::size_t> members{group};
    for (std::size_t at = 0; at < members.size(); ++at)
      for (const std::size_t t : tables_of_[members[at]])
        for (const std::size_t other : tables_[t].groups)
          if (std::find(members.begin(), members.end(), other) == members.end()) members.push_back(other);
    return members;
  }

  /// Everything that the members may take together: rows with a choice for each of them.
  std::vector<std::vector<std::size_t>> Combinations(const std::vector<std::size_t>& members) const {
    const std::size_t most = problem_.joint ? kMostTogetherJointly : kMostTogether;
    std::vector<std::size_t> taken(problem_.groups.size(), kUnset);
    std::vector<std::vector<std::size_t>> rows{{}};
    for (const std::size_t member : members) {
      std::vector<std::vector<std::size_t>> longer;
      for (const auto& row : rows) {
        for (std::size_t m = 0; m < row.size(); ++m) taken[members[m]] = row[m];
        for (std::size_t& choice = taken[member] = 0; choice < problem_.groups[member].choices.size(); ++choice) {
          if (!Allowed(member, taken)) continue;
          if (longer.size() == most && !tables_of_[member].empty())
            throw Error(fmt::format("rules link {}, which leaves more than {} combinations; make the rules tighter",
                                    Names(members), most));
          longer.push_back(row);
          longer.back().push_back(choice);
        }
      }
      rows = std::move(longer);
    }
    if (rows.empty())
      throw Error(fmt::format("rules on {} contradict each other: they leave nothing to take", Names(members)));
    return rows;
  }

  /// Whether each rule on `group` has a row that agrees with what is taken so far, a choice for every group or unset.
  bool Allowed(std::size_t group, const std::vector<std::size_t>& taken) const {
    return std::all_of(tables_of_[group].begin(), tables_of_[group].end(), [&](std::size_t t) {
      const Table& table = tables_[t];
      return std::any_of(table.rows.begin(), table.rows.end(), [&](const std::vector<std::size_t>& allowed) {
        for (std::size_t m = 0; m < allowed.size(); ++m)
          if (taken[table.groups[m]] != kUnset && taken[table.groups[m]] != allowed[m]) return false;
        return true;
      });
    });
  }

  Choice ChoiceOf(const std::vector<std::size_t>& members, const std::vector<std::size_t>& row) const {
    Choice sum;
    for (std::size_t m = 0; m < members.size(); ++m) {
      const Choice& choice = problem_.groups[members[m]].choices[row[m]];
      sum.objective += choice.objective;
      for (const auto& [cost, value] : choice.costs) sum.costs[cost] += value;
      for (const auto& [cost, price] : problem_.prices) sum.objective += price * choice.costs.at(cost);
    }
    return sum;
  }

  std::string Names(const std::vector<std::size_t>& members) const {
    std::vector<std::string> names;
    for (const std::size_t member : members) names.push_back("'" + problem_.groups[member].name + "'");
    return fmt::format("group{} {}", names.size() > 1 ? "s" : "", text::Shortened(names));
  }

  const Problem& problem_;
  std::vector<Table> tables_;
  std::vector<std::vector<std::size_t>> tables_of_;  // per group
  std::vector<std::size_t> first_;                   // groups + 1: where its choices begin in file order
};

}  // namespace

std::vector<std::size_t> LinkedGroups::Expand(const Problem& from, const std::vector<std::size_t>& choices) const {
  std::vector<std::size_t> group_of, first;
  for (std::size_t g = 0; g < from.groups.size(); ++g) {
    first.push_back(group_of.size());
    group_of.insert(group_of.end(), from.groups[g].choices.size(), g);
  }
  std::vector<std::size_t> expanded(choices.empty() ? 0 : from.groups.size());
  std::size_t begin = 0;
  for (std::size_t g = 0; g < choices.size(); ++g) {
    for (const std::size_t part : parts[begin + choices[g]]) expanded[group_of[part]] = part - first[group_of[part]];
    begin += problem.groups[g].choices.size();
  }
  return expanded;
}

LinkedGroups LinkGroups(const Problem& problem) { return Linker(problem).Link(); }

std::vector<Together> EachAlone(std::size_t choices) {
  std::vector<Together> parts;
  for (std::size_t c = 0; c < choices; ++c) parts.push_back({c});
  return parts;
}

}  // namespace bitplan::search
